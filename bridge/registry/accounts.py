"""Stores whose provider cannot take payments for them, or whose messages go astray: flagged on the store for its owner.

A message about an account is a hint, as every message is: the provider is asked, and its answer is written down.
Once a day the provider is asked of itself, and the store whether it still takes the keys that it has given out.
"""

from collections.abc import Callable, Iterable

from bridge.domain import logs
from bridge.domain.deadlines import DAY
from bridge.domain.errors import BridgeError
from bridge.domain.outcomes import EventKind, ProviderEvent
from bridge.payments.attempts import call_adapter
from bridge.registry import accounts, store_keys
from bridge.services import Services, StoreHandle
from bridge.storage import stores
from bridge.storage.jobs import Job

log = logs.logger(__name__)


def look(served: Iterable[StoreHandle], event: ProviderEvent) -> str:
    """Ask the provider about the accounts that `event` is about; why they cannot take payments, "" if they can.

    Raises ProviderError.
    """
    owners = [store for store in served if store.adapter.owns(event)]
    return " ".join(filter(None, [look_at_account(store) for store in owners]))


def look_at_account(store: StoreHandle) -> str:
    """Ask the provider whether the store's account can take payments, and flag it if not. Raises ProviderError."""
    problem = call_adapter(store.adapter.account_problem)
    _flag(store, account_problem=problem)
    return problem


def misdirected(served: Iterable[StoreHandle], event: ProviderEvent) -> str:
    """Why no store of an endpoint is ever told by it of its payments, as this message shows; "" if it does not.

    A message that is a store's own proves the contrary.
    """
    problems: list[tuple[StoreHandle, str]] = []
    for store in served:
        if store.adapter.owns(event):
            if event.kind is not EventKind.ACCOUNT:
                _flag(store, webhook_problem="")
            return ""
        problems.append((store, store.adapter.scope_problem(event)))
    if not all(problem for _, problem in problems):
        return ""
    for store, problem in problems:
        _flag(store, webhook_problem=problem)
    return " ".join(dict.fromkeys(problem for _, problem in problems))


def _flag(store: StoreHandle, **problem: str) -> None:
    """Write a problem of the store down, or that it is over; nothing if that is known."""
    [(name, sentence)] = problem.items()
    with store.database.read() as connection:
        row = stores.get(connection, store.id)
    if row is None or row[name] == sentence:
        return
    if sentence:
        log.warning("store %s: %s", store.id, sentence)
    else:
        log.info("store %s: no longer the case: %s", store.id, row[name])
    with store.database.write() as connection:
        stores.change(connection, store.id, **problem)


def checking(store_id: str) -> Callable[[Services, Job], None]:
    """A job's work. Shop and provider are asked each, whatever the other says; then raises what the first one raised
    (StoreError, Refused, ProviderError)."""

    def check(services: Services, _job: Job) -> None:
        store = services.store(store_id)
        failed: list[BridgeError] = []
        for look in (store_keys.look_at_keys, accounts.look_at_account):
            try:
                look(store)
            except BridgeError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    return check


def until_next(services: Services) -> float:
    """A day, and up to a tenth more, so that stores do not keep in step."""
    return DAY * (1 + services.jitter() / 10)
