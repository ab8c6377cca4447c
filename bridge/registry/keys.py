"""Consumer keys: create, import, list, rotate, revoke; find one for a request.

A key is found by a keyed hash and its secret kept encrypted, because OAuth 1.0a signs with it.
"""

import hashlib
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bridge.domain.card_data import refuse_card_data
from bridge.domain.errors import Refused
from bridge.domain.networks import parse_network
from bridge.domain.stores import FROM_BRIDGE, UNRESTRICTED, ApiKey, Permissions, Restrictions
from bridge.key_memory import ProvenKey
from bridge.services import Services
from bridge.storage import Connection, keys, stores

LAST_USED_RESOLUTION = 300
"""Seconds: the last use is written at most this often per key."""
NONCE_WINDOW = 15 * 60
"""Seconds that an OAuth timestamp may be away from our clock, as in WooCommerce."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key with its secret in clear: only while it is made, and while a request is checked.

    One that was looked up was so at `read_at` (Unix seconds), with the version of its store's row by then.
    """

    key: ApiKey
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    store_updated: float = 0.0
    read_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a consumer key leads to: the `pair` if it may be used, else the `reason` why not, as in
    `refusals.REASONS`. The `key` is there whenever it is known."""

    pair: KeyPair | None = None
    reason: str = ""
    key: ApiKey | None = None


def create(
    services: Services,
    store_id: str,
    permissions: Permissions,
    description: str = "",
    restrictions: Restrictions = UNRESTRICTED,
) -> KeyPair:
    """A new pair, `ck_` and `cs_` with 40 hexadecimal digits each.

    Raises Refused for card data in the description, for restrictions that cannot be, or if there is no such store.
    """
    pair = _new_pair(services, store_id, permissions, description, _checked(services, restrictions))
    with services.database.write() as connection:
        _add(services, connection, pair)
        _audit(services, connection, "keys.create", pair.key)
    return pair


def import_pair(
    services: Services,
    store_id: str,
    consumer_key: str,
    consumer_secret: str,
    permissions: Permissions,
    description: str = "",
    *,
    origin: str = "",
    store_permissions: str = "",
    restrictions: Restrictions = UNRESTRICTED,
) -> KeyPair:
    """Take a pair that the store's clients already use, without asking the store (`bridge.registry.store_keys` does).

    Raises Refused for an odd pair, for card data in the description, for restrictions that cannot be, or one that is
    here already.
    """
    require_pair(consumer_key.strip(), consumer_secret)
    restrictions = _checked(services, restrictions)
    key = _key(services, store_id, consumer_key.strip(), permissions, description, restrictions)
    key = replace(key, origin=origin, store_permissions=store_permissions)
    pair = KeyPair(key, consumer_key.strip(), consumer_secret)
    with services.database.write() as connection:
        _add(services, connection, pair)
        _audit(services, connection, "keys.import", pair.key)
    return pair


def _new_pair(
    services: Services, store_id: str, permissions: Permissions, description: str, restrictions: Restrictions
) -> KeyPair:
    consumer_key, consumer_secret = f"ck_{services.ids.hex(40)}", f"cs_{services.ids.hex(40)}"
    key = _key(services, store_id, consumer_key, permissions, description, restrictions)
    return KeyPair(replace(key, origin=FROM_BRIDGE), consumer_key, consumer_secret)


def _checked(services: Services, wanted: Restrictions) -> Restrictions:
    """Networks as they are kept. Raises Refused for one that is none, and for an end that is over."""
    if wanted.expires is not None and wanted.expires <= services.clock():
        raise Refused("A key cannot expire in the past. To revoke it now: wcpay-bridge keys revoke KEY")
    try:
        networks = [str(parse_network(network)) for network in wanted.networks]
    except ValueError as error:
        raise Refused(f"{error}; give addresses or networks such as 10.0.0.0/8.") from None
    return replace(wanted, networks=tuple(dict.fromkeys(networks)))


def _key(
    services: Services,
    store_id: str,
    consumer_key: str,
    permissions: Permissions,
    description: str,
    restrictions: Restrictions,
) -> ApiKey:
    refuse_card_data(description)
    return ApiKey(
        id=services.ids.attempt(),
        store_id=store_id,
        truncated=consumer_key[-7:],
        permissions=permissions,
        description=description,
        created=services.clock(),
        **asdict(restrictions),
    )


def _add(services: Services, connection: Connection, pair: KeyPair) -> None:
    """Raises Refused if there is no such store, or if the key is here already."""
    vault, key = services.vault, pair.key
    if stores.get(connection, key.store_id) is None:
        raise Refused(f"There is no store {key.store_id}.")
    asked_with = None if key.origin == FROM_BRIDGE else vault.encrypt(pair.consumer_key)
    sealed = vault.encrypt(pair.consumer_secret)
    if not keys.add(connection, key, vault.lookup_hash(pair.consumer_key), sealed, asked_with):
        raise Refused(f"The consumer key that ends in {key.truncated} already exists here.")


def _audit(services: Services, connection: Connection, act: str, key: ApiKey, **detail: Any) -> None:
    detail |= {"store": key.store_id, "ends_in": key.truncated, "permissions": key.permissions.value}
    detail |= asdict(key.restrictions)
    services.audit_act(connection, act, key.id, **detail)


def require_pair(consumer_key: str, consumer_secret: str) -> None:
    """Raises Refused for what is not a pair of WooCommerce's kind."""
    for value, prefix in ((consumer_key, "ck_"), (consumer_secret, "cs_")):
        if not value.startswith(prefix) or not 20 <= len(value) <= 255 or not value.isascii():
            raise Refused(
                f"A consumer {'key' if prefix == 'ck_' else 'secret'} starts with {prefix} and has 43 characters."
            )


def every(services: Services, store_id: str | None = None) -> list[ApiKey]:
    """All keys, or those of one store, oldest first; never with their secrets."""
    with services.database.read() as connection:
        return keys.of_store(connection, store_id)


def of_the_store(services: Services, store_id: str) -> list[KeyPair]:
    """The keys that are not over and that the store has made, or may have, with their secrets in clear."""
    now = services.clock()
    with services.database.read() as connection:
        found = keys.made_by_the_store(connection, store_id, FROM_BRIDGE)
    current = [each for each in found if each.key.revoked is None and (each.key.expires or now + 1) > now]
    decrypt = services.vault.decrypt
    return [KeyPair(each.key, decrypt(each.consumer_key), decrypt(each.secret)) for each in current]


def learn(services: Services, key: ApiKey, **values: str) -> None:
    """Write down what is known of a key now; nothing if it was known."""
    if all(getattr(key, name) == value for name, value in values.items()):
        return
    with services.database.write() as connection:
        keys.change(connection, key.id, **values)
    services.key_memory.forget()


def named(services: Services, name: str) -> ApiKey:
    """The one key with this id, or whose consumer key ends so. Raises Refused if there is none, or more than one."""
    with services.database.read() as connection:
        return _named(connection, name)


def _named(connection: Connection, name: str, *, lock: bool = False) -> ApiKey:
    """Like `named`; with `lock` the key stays as it is until the transaction ends."""
    found = keys.by_name(connection, name[-7:] if name.startswith("ck_") else name, lock=lock)
    if len(found) != 1:
        raise Refused(f"There is no key {name}." if not found else f"More than one key ends in {name}: give its id.")
    return found[0]


def rotate(services: Services, name: str, overlap: float, **changes: Any) -> KeyPair:
    """A new pair with the same permissions and restrictions, or with `changes` of these; the old one still works for
    `overlap` seconds, and never longer than it would have."""
    with services.database.write() as connection:
        old = _named(connection, name, lock=True)
        if why_unusable(old, services.clock()) or old.allowed is None:
            raise Refused(f"The key {name} is revoked or expired.")
        if old.replaced and "expires" not in changes:  # when it was to end before that is not known any more
            raise Refused(f"The key {name} has already been replaced: give --expires for the new pair, or `never`.")
        restrictions = _checked(services, replace(old.restrictions, **changes))
        fresh = _new_pair(services, old.store_id, old.allowed, old.description, restrictions)
        expires = min(services.clock() + overlap, old.expires or math.inf)
        _add(services, connection, fresh)
        keys.change(connection, old.id, expires=expires, replaced=True)
        _audit(services, connection, "keys.rotate", replace(old, expires=expires), replaced_by=fresh.key.id)
    return fresh


def update(services: Services, name: str, **changes: Any) -> ApiKey:
    """Change the restrictions of a key, within a second everywhere; what is not among `changes` stays as it is by then.
    One that is told when to end is nobody's old key any more. Raises Refused for one that is revoked, and for
    restrictions that cannot be."""
    checked = asdict(_checked(services, replace(UNRESTRICTED, **changes)))
    values = {column: checked[column] for column in changes}
    if "expires" in changes:
        values["replaced"] = False
    with services.database.write() as connection:
        old = _named(connection, name, lock=True)
        if old.revoked is not None:
            raise Refused(f"The key {name} is revoked for good.")
        changed = replace(old, **values)
        keys.restrict(connection, old.id, **values)
        _audit(services, connection, "keys.update", changed, before=asdict(old.restrictions))
    return changed


def revoke(services: Services, name: str) -> ApiKey:
    """It stops working for good: in this process at once, in every other one within a second."""
    key = named(services, name)
    with services.database.write() as connection:
        keys.change(connection, key.id, revoked=services.clock())
        _audit(services, connection, "keys.revoke", key)
    return replace(key, revoked=services.clock())


def why_unusable(key: ApiKey, now: float) -> str:
    """The reason in `refusals.REASONS`; "" of a key that works. One that its store refuses is refused here, too."""
    if key.revoked is not None or key.allowed is None:
        return "unknown_key"
    return "expired" if key.expires is not None and now >= key.expires else ""


def lookup(services: Services, consumer_key: str, address: str) -> Found:
    """The key for a request of a client with this `address`, with its secret to compare in constant time. Its
    permissions are what it may do.

    A key that does not exist, or may not be used, costs the same: one hash, one query, one decryption.
    """
    consumer_key, read_at = _as_stored(consumer_key), services.clock()
    with services.database.read() as connection:
        found = keys.find(connection, services.vault.lookup_hash(consumer_key))
    secret = services.vault.decrypt(found.secret if found else services.vault.nothing)
    if found is None:
        return Found(reason="unknown_key")
    allowed = found.key.allowed
    reason = why_unusable(found.key, services.clock()) or ("" if found.key.admits(address) else "wrong_network")
    if reason or allowed is None:
        return Found(reason=reason, key=found.key)
    key = replace(found.key, permissions=allowed)
    return Found(KeyPair(key, consumer_key, secret, found.store_updated, read_at), key=key)


def recall(services: Services, consumer_key: str, consumer_secret: str, address: str) -> KeyPair | None:
    """The pair, if just these two were proven within the last second, and may still be used from this address."""
    consumer_key = _as_stored(consumer_key)
    proven = services.key_memory.recall(consumer_key, consumer_secret)
    if proven is None or why_unusable(proven.key, services.clock()) or not proven.key.admits(address):
        return None
    return KeyPair(proven.key, consumer_key, consumer_secret, proven.store_updated, proven.read_at)


def remember(services: Services, pair: KeyPair) -> None:
    """For a second from when it was read: only what a caller has proven to know."""
    proven = ProvenKey(pair.key, pair.store_updated, pair.read_at)
    services.key_memory.keep(pair.consumer_key, pair.consumer_secret, proven)


def _as_stored(consumer_key: str) -> str:
    return consumer_key.encode("ascii", "replace").decode().strip()


def used(services: Services, pair: KeyPair) -> None:
    """Record the last use, at most once in five minutes; and the key itself, if it is one of before that was kept, so
    that its store can be asked about it."""
    now, key = services.clock(), pair.key
    if key.last_used is None or now - key.last_used >= LAST_USED_RESOLUTION:
        asked_with = services.vault.encrypt(pair.consumer_key) if not key.origin else None
        keys.use(services.database, key.id, now, now - LAST_USED_RESOLUTION, asked_with)
        remember(services, replace(pair, key=replace(key, last_used=now)))  # or the next request would write it again


def use_nonce(services: Services, key: ApiKey, nonce: str, timestamp: int) -> bool:
    """Whether this OAuth nonce is used for the first time, on any machine."""
    digest = hashlib.sha256(nonce.encode()).hexdigest()
    forget = int(services.clock()) - 2 * NONCE_WINDOW
    return keys.use_nonce(services.database, key.id, digest, timestamp, forget)
