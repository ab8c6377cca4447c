"""Reconciliation: provider against bridge against store. It never moves money: it records what the provider says, owes
the store what it has to know, and flags what an operator must do."""

import logging
from collections.abc import Sequence

from bridge.domain import logs
from bridge.domain.deadlines import DAY
from bridge.domain.errors import BridgeError, ProviderError, Refused, StoreError
from bridge.domain.stores import Store
from bridge.payments.shops import is_address
from bridge.reconcile import provider
from bridge.reconcile import store as reconcile_shop
from bridge.reconcile.report import Report
from bridge.registry import stores
from bridge.services import Services, StoreHandle
from bridge.storage import jobs
from bridge.storage import reconcile as comparing

log = logs.logger(__name__)

HEARTBEAT = "heartbeat"
"""The job whose `seen` is when a worker was last alive."""
OVERLAP_SECONDS = 900.0
"""Seconds that are compared once more: clocks differ, and what is under way is not in the lists yet."""
FIRST_LOOK_BACK = 7 * DAY
"""How many seconds a comparison looks back at most if there was none before."""


def job_name(store_id: str) -> str:
    return jobs.name_of("reconcile", store_id)


def reconcile(
    services: Services, store_id: str, since: float, *, with_shop: bool = True, replay: bool = True
) -> Report:
    """Compare one store's payments since then (Unix seconds); without its shop, only with the provider.

    With `replay` the provider sends its messages since then again, if it can. A store that is a different one now is
    held. One that is held is released, if everything since the database was backed up could be compared. Raises Ending.
    """
    store = services.store(store_id)
    report = Report(store.id, since)
    if replay:
        _replay(store, report)
    provider.compare(store, report, in_full=with_shop)
    if with_shop and _is_itself(store, report):
        reconcile_shop.compare(store, report)
    if with_shop and not report.problems and stores.opened(services, store_id)[0].awaits_reconcile:
        _release(store, report)
    for difference in report.differences:
        level = logging.INFO if difference.healed else logging.WARNING
        log.log(level, "store %s, order %s: %s", store.id, difference.order, difference.text)
    return report


def default_since(store: StoreHandle, name: str) -> float:
    """Since when a store has to be compared by the job of this name: since its last run, and a little more."""
    with store.database.read() as connection:
        job = jobs.one(connection, name)
    if job and job.seen is not None:
        return job.seen - OVERLAP_SECONDS
    return max(store.config.created, store.clock() - FIRST_LOOK_BACK) - OVERLAP_SECONDS


def hold_all(services: Services, made: float | None = None) -> list[str]:
    """The database was restored: no store's money moves until it has been compared since the backup was `made`.

    Unless somebody says when that was (Unix seconds), it is when something was last written. The ids of the stores that
    are held now and were not before.
    """
    now = services.clock()
    with services.database.write() as connection:
        beat = jobs.one(connection, HEARTBEAT)
        newest = max(filter(None, (beat.seen if beat else None, comparing.newest_line(connection))), default=None)
        held = comparing.hold_stores(connection, now)
        for store in held if made is None else [store.id for store in stores.every(services)]:
            jobs.begin_again(connection, job_name(store), now, newest if made is None else made)
        services.audit_act(connection, "reconcile.hold", "all stores", held=len(held), backup_made=made)
    return held


def release(services: Services, store_id: str) -> None:
    """An operator takes the responsibility for what could not be compared."""
    with services.database.write() as connection:
        comparing.release_store(connection, store_id, services.clock())
        services.audit_act(connection, "reconcile.release", store_id)
    log.warning("store %s takes money again: an operator has released it", store_id)


def chosen(services: Services, name: str | None) -> Sequence[Store]:
    """The store of that id or address, or all. Raises Refused."""
    found = [stores.get(services, name)] if name else stores.every(services)
    if not found:
        raise Refused("There is no store yet.")
    return found


def _is_itself(store: StoreHandle, report: Report) -> bool:
    """Whether the store is the one that was added. A copy has other orders under the same numbers: no money moves for
    it."""
    try:
        identity = store.order_book.identify()
    except StoreError as error:
        report.problems.append(f"The store could not be asked for its identity. {error}")
        return False
    if is_address(store, identity):
        return True
    report.problems.append(
        f"The store says that it is {identity}, but was added as {store.config.identity}: it is held. If it is a "
        f"copy, its payments are not its own; if it has moved, run `wcpay-bridge stores update {store.id}`."
    )
    with store.database.write() as connection:
        comparing.hold_stores(connection, store.clock(), store.id)
    store.key_memory.forget()
    return False


def _release(store: StoreHandle, report: Report) -> None:
    """Only if the comparison reached back to when the backup was made, and the provider lists its payments."""
    if report.since > default_since(store, job_name(store.id)):
        report.remarks.append("The store stays held: reconcile --since the time of the backup.")
    elif report.remarks:
        report.remarks.append(
            "The store stays held: payments since the backup cannot be found at this provider. Compare its own list "
            f"with the store's orders, then run `wcpay-bridge reconcile --store {store.id} --release`."
        )
    else:
        with store.database.write() as connection:
            comparing.release_store(connection, store.id, store.clock())
        store.key_memory.forget()
        report.released = True


def _replay(store: StoreHandle, report: Report) -> None:
    """Have the provider send its messages again, where it can: they arrive, and are processed, like any other."""
    replay = getattr(store.adapter, "replay", None)
    if replay is None:
        return
    try:
        replay(report.since)
    except ProviderError as error:
        report.problems.append(f"The provider could not be asked to send its messages again. {error}")
    except BridgeError as error:
        report.remarks.append(str(error))
