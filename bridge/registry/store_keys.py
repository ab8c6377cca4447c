"""Keys that a store has given out, ours and its clients': proven by asking the store, when they are told to us and once
a day. What the store refuses is refused here, too; a store that cannot be asked changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace

from bridge.domain import logs
from bridge.domain.errors import Refused
from bridge.domain.ports import HasKeys, KeyStanding, OrderBook
from bridge.domain.stores import (
    FROM_BRIDGE,
    FROM_STORE,
    NOTHING,
    UNRESTRICTED,
    ApiKey,
    Permissions,
    Restrictions,
    Store,
)
from bridge.registry import keys
from bridge.registry.keys import KeyPair
from bridge.services import StoreHandle

log = logs.logger(__name__)

STRIPPED = (
    "The store's web server does not pass the Authorization header on, so that the key goes into the query of every "
    "request (option auth=query). It stands in the access log of that server then."
)


def proven(connect: Callable[[Store], OrderBook], store: Store, *, try_query: bool) -> Store:
    """The store, whose key was shown to work. With `try_query` the key may go in the query where it arrives only so:
    that is the option `auth` of what comes back.

    Raises Refused with the sentences of `stores check` for a key that does not work, StoreError if the store cannot be
    asked.
    """
    book = connect(store)
    if not isinstance(book, HasKeys):
        return store
    found = book.own_standing()
    if not found.problem:
        return store
    if found.is_unknown and try_query and store.options["auth"] == "header":
        by_query = replace(store, options=store.options | {"auth": "query"})
        other = connect(by_query)
        if isinstance(other, HasKeys) and not other.own_standing().problem:
            log.info("store %s: %s", store.url, STRIPPED)
            return by_query
    raise Refused(found.problem, reason="key_refused")


def import_proven(
    store: StoreHandle,
    consumer_key: str,
    consumer_secret: str,
    permissions: Permissions | None,
    description: str = "",
    restrictions: Restrictions = UNRESTRICTED,
) -> KeyPair:
    """Take a pair that the store's clients already use, with the permissions that the store gives it, or with fewer.

    Raises Refused for a pair that the store does not take, or that is here already; StoreError if the store cannot be
    asked.
    """
    keys.require_pair(consumer_key.strip(), consumer_secret)
    book = store.order_book
    granted = Permissions.READ_WRITE
    if isinstance(book, HasKeys):
        found = book.standing_of(consumer_key.strip(), consumer_secret)
        if found.permissions is None:
            raise Refused(found.problem, reason="key_refused")
        granted = found.permissions
    if permissions and granted.both(permissions) is not permissions:
        raise Refused(f"The store grants this key only {granted.value}, which is less than {permissions.value}.")
    return keys.import_pair(
        store,
        store.id,
        consumer_key,
        consumer_secret,
        permissions or granted,
        description,
        origin=FROM_STORE,
        store_permissions=granted.value,
        restrictions=restrictions,
    )


def look_at_keys(store: StoreHandle) -> None:
    """Ask the store about its keys, and write down what it says: from then on a client's key may do what the store lets
    it do. Nothing is concluded while the store does not take the bridge's own key, as of a web server that has begun to
    strip the Authorization header, or of a restored database.

    Raises Refused for that, and StoreError if the store cannot be asked.
    """
    book = store.order_book
    if not isinstance(book, HasKeys):
        return
    own = book.own_standing()
    if own.problem:
        raise Refused(own.problem, reason="key_refused")
    for each in keys.of_the_store(store, store.id):
        store.raise_if_ending()
        found = book.standing_of(each.consumer_key, each.consumer_secret)
        if not each.key.origin and found.is_unknown:  # made before that was written down, and by the bridge
            keys.learn(store, each.key, origin=FROM_BRIDGE)
            continue
        problem = _problem(each.key, found)
        if problem and problem != each.key.store_problem:
            log.warning("store %s: %s", store.id, problem)
        says = found.permissions.value if found.permissions else NOTHING
        keys.learn(store, each.key, origin=FROM_STORE, store_permissions=says, store_problem=problem)


def _problem(key: ApiKey, found: KeyStanding) -> str:
    """What the owner has to know of a key: that the store refuses it, or lets it do less than it was given here."""
    name = f"The key ...{key.truncated} ({key.id})"
    if found.permissions is None:
        return (
            f"{name} is refused, here as by the store. {found.problem} End it here: wcpay-bridge keys revoke {key.id}"
        )
    if found.permissions.both(key.permissions) is not key.permissions:
        says, given = found.permissions.value, key.permissions.value
        return f"{name} may only {says} in the store now, and so it may here; it was given {given}."
    return ""
