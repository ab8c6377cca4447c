"""Which shop an entry (store) is one of. The shop holds the order: what its entries share is decided here, under a lock
on the shop, and written down with who has said so."""

from collections.abc import Iterable
from datetime import UTC, datetime

from bridge.domain.errors import ConfigurationError, OrderLocked, Refused
from bridge.domain.intents import MONEY, PaymentIntent
from bridge.domain.ports import Finding
from bridge.domain.shops import Change, address_of
from bridge.domain.stores import Store
from bridge.payments import flags
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, Database, intents, shops
from bridge.storage.shops import Entry

NEW_SHOP = "new"
"""The word for a shop that no entry is of yet."""


def place(connection: Connection, store: Store, name: str | None, wish: str | None, now: float) -> str:
    """The shop of an entry that is about to be added, made if there is none; locked.

    `name` is what its order book calls the shop, None for one that shares its orders with nobody. `wish` is an entry's
    id, for its shop, or NEW. Raises Refused for a second entry in one mode, and for an address that another shop had,
    unless the owner has said which shop is meant.
    """
    if wish not in (None, NEW_SHOP):
        shop_id = _shop_of(connection, str(wish))
        shops.lock(connection, shop_id)
        if name is not None:
            _answer_at(connection, address_of(name), shop_id, now, is_said=True)
        return shop_id
    if name is None:
        shop_id = _without_address(connection, store, wish, now)
    else:
        shop_id = _at_address(connection, address_of(name), wish, now)
        shops.lock(connection, shop_id)
    _require_alone(connection, shop_id, store, wish)
    return shop_id


def move(
    services: Services, connection: Connection, before: Store, after: Store, wish: str | None, *, has_address: bool
) -> None:
    """Follow a change of an entry's address, mode or, by `wish`, shop. Raises Refused as `place`."""
    if wish == NEW_SHOP:
        raise Refused("An existing entry stays with its shop: `new` is for `stores add`.")
    target, now = _shop_of(connection, wish) if wish else before.shop_id, services.clock()
    shops.lock(connection, before.shop_id, target)
    if shops.of_entry(connection, before.id) != before.shop_id:
        raise Refused("The store has just become an entry of another shop: check it, and try again.")
    if target != before.shop_id:
        _join(connection, before, target, now)
    old, new = address_of(before.identity), address_of(after.identity)
    if has_address and old != new:
        _answer_at(connection, new, target, now, is_said=wish is not None)
        if old not in _addresses(shops.entries(connection, target), but=before.id):
            shops.leave_address(connection, old, now)
    if target != before.shop_id or after.live != before.live:
        _require_alone(connection, target, after, wish)


def written(connection: Connection, shop_id: str, store: Store, now: float, who: str, before: Store | None) -> None:
    """Record what was added or changed."""
    facts = {
        "url": (before.url if before else "", store.url),
        "site": (before.identity if before else "", store.identity),
    }
    if before is None:
        shops.write(connection, shop_id, Change(now, store.id, who, "added", "", store.identity))
        return
    if before.shop_id != shop_id:
        for each in (before.shop_id, shop_id):
            shops.write(connection, each, Change(now, store.id, who, "joined", before.shop_id, shop_id))
    for what, (was, is_now) in facts.items():
        if was != is_now:
            shops.write(connection, shop_id, Change(now, store.id, who, what, was, is_now))


def removed(connection: Connection, store: Store, now: float, who: str) -> None:
    """Record that an entry is no longer served. Its shop keeps its address: whoever is added again is its own
    successor."""
    shops.write(connection, store.shop_id, Change(now, store.id, who, "removed", store.identity, ""))


def beside(store: StoreHandle) -> list[str]:
    """Ids of the other entries that are served for the store's shop in its mode."""
    with store.database.read() as connection:
        return shops.beside(connection, [store.id]).get(store.id, [])


def findings(store: StoreHandle) -> list[Finding]:
    """What the owner has to know about the shop's other entries."""
    return [
        Finding(True, f"Its shop has another entry, {other}: an order is paid through one of them only.")
        for other in beside(store)
    ]


def all_beside(services: Services, store_ids: Iterable[str]) -> dict[str, list[str]]:
    """The same of several, by their ids; those that have no others are left out."""
    with services.database.read() as connection:
        return shops.beside(connection, list(store_ids))


def entry_of(store: StoreHandle, intent: PaymentIntent) -> StoreHandle:
    """The entry that has begun a payment of the store's shop: only its adapter can end it.

    Raises OrderLocked for one that is not served any more, or cannot be.
    """
    if intent.store_id == store.id:
        return store
    try:
        return store.store(intent.store_id)
    except ConfigurationError:
        raise OrderLocked(
            f"Order {intent.order_number} has a payment ({intent.shown_id}) of {intent.store_id}, an entry of its shop "
            "that is not served: the payment can be ended only there.",
            reason="order_has_payment",
            payment_intent=intent.shown_id,
            provider=intent.adapter,
        ) from None


def history(store: StoreHandle) -> list[Change]:
    """What was done to the shop's entries and addresses, the oldest first."""
    with store.database.read() as connection:
        return shops.history(connection, store.config.shop_id)


def rivals(url: str) -> int:
    """How many payments of a database hold an order beside one of another entry."""
    database = Database(url, prepares=False)
    try:
        with database.read() as connection:
            return shops.rivals(connection)
    finally:
        database.close()


def is_address(store: StoreHandle, site: str) -> bool:
    """Whether the store's shop answers at a site's address."""
    address = address_of(site)
    if address == address_of(store.config.identity):
        return True
    with store.database.read() as connection:
        known = shops.at_address(connection, address)
    return known is not None and known.shop_id == store.config.shop_id and known.until is None


def _shop_of(connection: Connection, entry: str) -> str:
    found = shops.of_entry(connection, entry)
    if found is None:
        raise Refused(f"There is no store {entry} to share a shop with.")
    return found


def _at_address(connection: Connection, address: str, wish: str | None, now: float) -> str:
    """The shop that answers at an address, or a new one."""
    known = shops.at_address(connection, address)
    if known is None:
        shop_id = shops.add(connection, now)
        if shops.claim_address(connection, address, shop_id, now):
            return shop_id
        shops.forget(connection, shop_id)  # somebody else was first
        return _at_address(connection, address, wish, now)
    there = shops.entries(connection, known.shop_id)
    if known.until is not None and wish == NEW_SHOP:
        shop_id = shops.add(connection, now)
        shops.take_address(connection, address, shop_id, now)
        return shop_id
    if known.until is not None:
        raise _was_left(address, known.until, there)
    if wish == NEW_SHOP:
        raise Refused(f"{address} is the address of the shop that {_names(there)} serves.", reason="address_taken")
    return known.shop_id


def _without_address(connection: Connection, store: Store, wish: str | None, now: float) -> str:
    """Of orders that no other entry shares: of a removed entry of the same kind, so that what is held stays held."""
    behind = shops.left_behind(connection, store.url, store.identity, store.live) if wish is None else []
    for found in behind:
        shops.lock(connection, found)
        is_served = any(entry.removed is None for entry in shops.entries(connection, found))
        if not is_served and not shops.addresses(connection, found):
            return found
    return shops.add(connection, now)


def _answer_at(connection: Connection, address: str, shop_id: str, now: float, *, is_said: bool) -> None:
    """Let a shop answer at one more address. `is_said`: the owner has said which shop it is."""
    known = shops.at_address(connection, address)
    if known is None:
        if not shops.claim_address(connection, address, shop_id, now):  # somebody else was first
            _answer_at(connection, address, shop_id, now, is_said=is_said)
    elif known.shop_id == shop_id or (known.until is not None and is_said):
        if known.until is not None:
            shops.take_address(connection, address, shop_id, now)
    else:
        there = shops.entries(connection, known.shop_id)
        if known.until is not None:
            raise _was_left(address, known.until, there)
        raise Refused(
            f"{address} is the address of the shop that {_names(there)} serves. If both are one shop, say so: "
            f"`--shop {there[0].id}`.",
            reason="address_taken",
        )


def _join(connection: Connection, store: Store, target: str, now: float) -> None:
    rivals = shops.join(connection, store.id, target)
    if not any(entry.removed is None for entry in shops.entries(connection, store.shop_id)):
        for address in shops.addresses(connection, store.shop_id):
            shops.take_address(connection, address, target, now)
    for intent_id in rivals:
        _tell_rivals(connection, store, intent_id, now)


def _tell_rivals(connection: Connection, store: Store, intent_id: str, now: float) -> None:
    """Two payments hold one order: each is flagged for an operator."""
    moved = intents.get(connection, intent_id)
    known = intents.of_shops_order(connection, store.id, moved.live, moved.order_id)
    held = [each for each in known if each.holding and each.order_key == moved.order_key]
    is_twice = sum(each.status in MONEY for each in held) > 1
    for each in held:
        others = [other for other in held if other.id != each.id]
        names = " and ".join(f"{other.shown_id} through the entry {other.store_id}" for other in others)
        told = f"Order {each.order_number} has another payment: {names}."
        why = f"{flags.PAID_TWICE_FLAG}{told} Send one back." if is_twice else f"{flags.ORDER_FLAG}{told}"
        flags.put_unless_graver(connection, each.id, why, now)


def _require_alone(connection: Connection, shop_id: str, store: Store, wish: str | None) -> None:
    """An order is paid through one entry only, so a second one has to be meant."""
    there = shops.entries(connection, shop_id)
    others = [each for each in there if each.removed is None and each.live == store.live and each.id != store.id]
    if others and wish is None:
        mode, first = "live" if store.live else "test", others[0].id
        raise Refused(
            f"The shop has an entry for {mode} payments already: {_names(others)}. Change that one with "
            f"`wcpay-bridge stores update {first}`; one more, which shares its orders, needs `--shop {first}`.",
            reason="shop_has_entry",
        )


def _was_left(address: str, until: float, there: Iterable[Entry]) -> Refused:
    day = datetime.fromtimestamp(until, UTC).date()
    return Refused(
        f"{address} was the address of the shop of {_names(there)} until {day}. If it is that shop, say so with "
        "`--shop` and one of these; if another one answers there now, add it with `--shop new`.",
        reason="address_left",
    )


def _addresses(entries: Iterable[Entry], *, but: str) -> set[str]:
    return {address_of(each.identity) for each in entries if each.removed is None and each.id != but}


def _names(entries: Iterable[Entry]) -> str:
    return ", ".join(f"{each.id} ({each.adapter}{'' if each.removed is None else ', removed'})" for each in entries)
