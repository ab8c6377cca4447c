"""Stores: their rows, with secrets encrypted or referenced, and back."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from bridge.domain.errors import ConfigurationError, Refused, StoreRefused
from bridge.domain.ports import HasCurrency, OrderBook
from bridge.domain.stores import STORE_OPTIONS, Store
from bridge.payments import shops
from bridge.registry.obstacles import Obstacles, leave_behind, require_none
from bridge.registry.obstacles import find as find_obstacles
from bridge.services import Services
from bridge.storage import Connection, jobs, key_rotation, obstacles, reconcile, stores
from bridge.storage.vault import UnreadableReference, Vault, is_reference, resolve

ENCRYPTED = "encrypted:"


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a store beside its settings. `shop_name` is what its order book calls the shop (None: orders that
    it shares with nobody); `shop` is what the owner calls it, an entry's id or `new`; `who` is the owner."""

    shop_name: str | None = None
    shop: str | None = None
    who: str = ""


NOTHING_SAID = Said()


def add(services: Services, store: Store, secret_settings: Collection[str], said: Said = NOTHING_SAID) -> Store:
    """Store it under an id made from its address. Secrets are encrypted; references stay references.

    Raises Refused for a shop that has an entry in this mode, unless the owner says that it shall have one more.
    """
    now = services.clock()
    wish = re.sub(r"[^a-z0-9]+", "-", "".join(urlsplit(store.url)[1:3]).lower()).strip("-")[:50]
    with services.database.write() as connection:
        store = replace(store, shop_id=shops.place(connection, store, said.shop_name, said.shop, now), created=now)
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            candidate = replace(store, id=wish + suffix)
            row = _row(services.vault, candidate, secret_settings) | {"created": now, "updated": now}
            row |= {"shop_id": candidate.shop_id, "awaits_reconcile": store.awaits_reconcile}
            if stores.add(connection, row):
                jobs.add_store(connection, candidate.id, now)
                _compare_if_held(connection, candidate, now)
                shops.written(connection, candidate.shop_id, candidate, now, said.who, None)
                services.audit_act(connection, "stores.add", candidate.id, **_told(candidate))
                return candidate
    raise Refused(f"There are too many stores named {wish}.")


def update(
    services: Services,
    store: Store,
    secret_settings: Collection[str],
    account_settings: Mapping[str, str],
    said: Said = NOTHING_SAID,
    *,
    force: bool = False,
) -> tuple[Store, Obstacles]:
    """Replace what is stored of it; running processes notice within a second.

    `account_settings` are names of settings that say at which account of the provider payments are, with their
    defaults. Raises Refused for another adapter, mode or account as long as payments are not over: only those that
    began them can end them (rule 2). With `force` these are left behind; they are what comes back, with the store. Its
    shop is followed as `shops.move` has it.
    """
    now = services.clock()
    values = _row(services.vault, store, secret_settings) | {"updated": now}
    del values["id"]  # SQLite would look for rows that refer to the old one, in every table
    values |= {"account_problem": "", "webhook_problem": ""}  # of the settings that were
    left = Obstacles({})
    with services.database.write() as connection:
        obstacles.lock_store(connection, store.id)
        row = stores.get(connection, store.id)
        if row is None:
            raise Refused(f"There is no store {store.id}.")
        before = _store(row)
        if change := _another_account(services.vault, before, store, account_settings):
            left = find_obstacles(connection, store.id)
            if not force:
                require_none(left, store.id, f"cannot change its {change}")
            if left:
                leave_behind(connection, store.id, f"The store has another {change} now.", now, is_removed=False)
            values["generation"] = before.generation + 1
        shops.move(services, connection, before, store, said.shop, has_address=said.shop_name is not None)
        stores.change(connection, store.id, **values)
        if store.awaits_reconcile and not before.awaits_reconcile:
            reconcile.hold_stores(connection, now, store.id)
            _compare_if_held(connection, store, now)
        store = replace(store, shop_id=stores.shop_of(connection, store.id))
        shops.written(connection, store.shop_id, store, now, said.who, before)
        services.audit_act(connection, "stores.update", store.id, **_changes(before, store), left_behind=str(left))
    return store, left


TOLD = ("url", "identity", "adapter", "live", "capture", "ca_file")
"""What of a store is told in the audit trail; of all else (keys, settings) only the names of what has changed."""


def _told(store: Store) -> dict[str, Any]:
    named = {name: getattr(store, name) for name in TOLD}
    return named | {"settings": sorted(store.settings), "shop": store.shop_id}


def _changes(before: Store, after: Store) -> dict[str, Any]:
    """What a change was about: never a value that may be secret."""
    changed = {name: getattr(after, name) for name in TOLD if getattr(before, name) != getattr(after, name)}
    changed |= {
        name: "changed" for name in ("consumer_key", "consumer_secret") if getattr(before, name) != getattr(after, name)
    }
    if before.shop_id != after.shop_id:
        changed["shop"] = after.shop_id
    for group in ("settings", "options"):
        old, new = getattr(before, group), getattr(after, group)
        if names := sorted(name for name in {*old, *new} if old.get(name) != new.get(name)):
            changed[group] = names
    return changed


def _another_account(vault: Vault, before: Store, after: Store, account_settings: Mapping[str, str]) -> str:
    """By which of its adapter, mode and account a store's payments could not be found any more; "" if they can."""
    if before.adapter != after.adapter:
        return "adapter"
    if before.live != after.live:
        return "mode"
    for name, default in account_settings.items():
        was, is_now = (_clear_setting(vault, store, name) or default for store in (before, after))
        if was != is_now:
            return f"account ({name})"
    return ""


def _clear_setting(vault: Vault, store: Store, name: str) -> str:
    """What a setting says; as it is stored, if what it refers to cannot be read."""
    value = store.settings.get(name) or ""
    try:
        return _clear(vault, value)
    except UnreadableReference:
        return value


def _compare_if_held(connection: Connection, store: Store, now: float) -> None:
    """Have the worker ask soon whether a store that nobody has asked is what it was told to be."""
    if store.awaits_reconcile:
        jobs.begin_again(connection, jobs.name_of("reconcile", store.id), now, None)


def learn_currency(services: Services, store_id: str) -> None:
    """Ask the shop for its own currency, and keep it if it is another one now.

    A shop that does not say (a key whose user may not read settings) keeps what was known. Raises StoreUnreachable.
    """
    store = services.store(store_id)
    found = own_currency(store.order_book) or store.config.currency
    if found != store.config.currency:
        with services.database.write() as connection:
            stores.change(connection, store_id, currency=found, updated=services.clock())
        services.key_memory.forget()


def own_currency(book: OrderBook) -> str:
    """What the shop says of itself, upper case; `""` if it does not. Raises StoreUnreachable."""
    try:
        return book.currency() if isinstance(book, HasCurrency) else ""
    except StoreRefused:
        return ""


def remove(services: Services, store_id: str, who: str = "", *, force: bool = False) -> Obstacles:
    """Its keys stop working at once. Its payments stay on record, and its shop holds their orders.

    Raises Refused as long as payments are not over: nobody would hear of them. With `force` these are left behind; they
    are what comes back.
    """
    store, now = get(services, store_id), services.clock()
    with services.database.write() as connection:
        left = find_obstacles(connection, store_id)
        if not force:
            require_none(left, store_id, "cannot be removed")
        if left:
            leave_behind(connection, store_id, "The store was removed.", now, is_removed=True)
        stores.change(connection, store_id, removed=now, updated=now)
        jobs.forget_store(connection, store_id)
        shops.removed(connection, store, now, who)
        services.audit_act(connection, "stores.remove", store.id, url=store.url, left_behind=str(left))
    return left


def every(services: Services) -> list[Store]:
    """All stores with their secrets still sealed: references as they are, ciphertexts as ciphertexts."""
    with services.database.read() as connection:
        return [_store(row) for row in stores.everything(connection)]


def busiest(services: Services, limit: int) -> list[Store]:
    """Some stores, sealed as in `every`: those first that have something under way."""
    with services.database.read() as connection:
        return [_store(row) for row in stores.busiest(connection, limit)]


def get(services: Services, store_id: str) -> Store:
    """One store, sealed as in `every`, by id or by address. Raises Refused, also if several have the address."""
    with services.database.read() as connection:
        named = stores.get(connection, store_id)
        found = [_store(row) for row in ([named] if named else stores.of_address(connection, store_id))]
    if len(found) > 1:
        raise Refused(f"{store_id} is the address of several stores: {', '.join(store.id for store in found)}.")
    if not found:
        raise Refused(f"There is no store {store_id}.")
    return found[0]


def of_endpoint(services: Services, endpoint: str) -> list[Store]:
    """The stores that an endpoint for providers' messages serves, sealed as in `every`."""
    with services.database.read() as connection:
        return [_store(row) for row in stores.of_endpoint(connection, endpoint)]


def was_removed(services: Services, endpoint: str) -> bool:
    """Whether an endpoint for messages was that of a store, or of several, that are not here any more."""
    with services.database.read() as connection:
        return stores.was_removed(connection, endpoint)


def opened(services: Services, store_id: str) -> tuple[Store, float]:
    """One store with its secrets in clear, and when its row was changed. Raises ConfigurationError."""
    with services.database.read() as connection:
        row = stores.get(connection, store_id)
    if row is None:
        raise ConfigurationError(f"There is no store {store_id}.")
    store = _store(row)
    try:
        return unseal(services.vault, store), row["updated"]
    except UnreadableReference as problem:
        raise ConfigurationError(f"Store {store_id}: {problem}.") from None


def rekey(services: Services) -> int:
    """Encrypt everything that is sealed, of stores and of all else, with the first key; how much was not yet."""
    with services.database.write() as connection:  # what follows is many transactions, and may stop between two
        services.audit_act(connection, "rekey", services.vault.current.rstrip("."))
    return key_rotation.rekey(services.database, services.vault, ENCRYPTED, services.clock())


def unseal(vault: Vault, store: Store) -> Store:
    """Decrypt what is encrypted and read what is referenced. Raises UnreadableReference, ConfigurationError."""

    return replace(
        store,
        consumer_key=_clear(vault, store.consumer_key),
        consumer_secret=_clear(vault, store.consumer_secret),
        settings={name: _clear(vault, value) for name, value in store.settings.items()},
    )


def _clear(vault: Vault, value: str) -> str:
    return vault.decrypt(value.removeprefix(ENCRYPTED)) if value.startswith(ENCRYPTED) else resolve(value)


def _row(vault: Vault, store: Store, secret_settings: Collection[str]) -> dict[str, Any]:
    def sealed(value: str) -> str:
        return value if is_reference(value) or value.startswith(ENCRYPTED) else ENCRYPTED + vault.encrypt(value)

    return {
        "id": store.id,
        "url": store.url,
        "identity": store.identity,
        "consumer_key": store.consumer_key and sealed(store.consumer_key),
        "consumer_secret": store.consumer_secret and sealed(store.consumer_secret),
        "ca_file": store.ca_file,
        "adapter": store.adapter,
        "settings": {k: sealed(v) if k in secret_settings else v for k, v in store.settings.items()},
        "options": {k: v for k, v in store.options.items() if STORE_OPTIONS.get(k) != v},
        "capture": store.capture,
        "live": store.live,
        "webhook_endpoint": store.settings.get("webhook_endpoint") or None,
        "currency": store.currency,
    }


def _store(row: Mapping[str, Any]) -> Store:
    names = [
        "id",
        "url",
        "identity",
        "shop_id",
        "consumer_key",
        "consumer_secret",
        "ca_file",
        "adapter",
        "settings",
        "capture",
        "live",
        "created",
        "awaits_reconcile",
        "account_problem",
        "webhook_problem",
        "currency",
        "generation",
    ]
    return Store(
        **{name: row[name] for name in names},
        options=STORE_OPTIONS | row["options"],
        awaits_beside=bool(row.get("awaits_beside")),
    )
