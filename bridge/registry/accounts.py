"""Stores whose provider cannot take payments for them, or whose messages go astray: flagged on the store for its owner.

A message about an account is a hint, as every message is: the provider is asked, and its answer is written down.
"""

from collections.abc import Iterable

from bridge.domain import logs
from bridge.domain.outcomes import EventKind, ProviderEvent
from bridge.payments.attempts import call_adapter
from bridge.services import StoreHandle
from bridge.storage import stores

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
        log.info("store %s: it is over that %s", store.id, row[name])
    with store.database.write() as connection:
        stores.change(connection, store.id, **problem)
