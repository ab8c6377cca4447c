"""Many stores at which nothing happens cost next to nothing, and none is forgotten.

A tick, a wake and a scrape ask the same few questions, however many stores and payments there are; a store is looked at
the more seldom, the quieter it is, and soon again once something begins there.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text, update

from bridge.registry import stores
from bridge.selftest.fill_database import fill
from bridge.simulators.faults import Fault
from bridge.storage import jobs
from bridge.storage.tables import jobs as jobs_table
from bridge.worker.periodic_jobs import CATCH_UP, COMMON, QUIET, run_jobs, write_heartbeat
from bridge.worker.runner import run_once
from tests.cli.processes import wait_for
from tests.forte.conftest import OpenShop, open_shop
from tests.payments.rows import WAITING
from tests.plugins.local import Local, MakeLocal
from tests.plugins.statements import sent

__all__ = ["open_shop"]
DAY = 24 * 3600.0
TOKEN = "metrics-token-of-the-test"
REPLAY = "POST /notifications/v1/webhooks/replay"
PLANS = ("bitmapscan", "indexscan", "seqscan")
"""How PostgreSQL may look for rows."""


def all_jobs(local: Local) -> int:
    done = 0
    while run_jobs(local.bridge.services):
        done += 1
    return done


def job(local: Local, kind: str = "catch_up") -> jobs.Job:
    with local.bridge.services.database.read() as connection:
        found = jobs.one(connection, jobs.name_of(kind, local.store.id))
    assert found
    return found


def until_next(local: Local) -> float:
    """Seconds until the provider's list is read again."""
    return job(local).due - local.clock.now


def pass_time(local: Local, seconds: float) -> None:
    """A worker is there all the while."""
    end = local.clock.now + seconds
    while local.clock.now < end:
        local.clock.now = min(end, max(job(local).due, local.clock.now + 60))
        all_jobs(local)
        local.work()


def idle_round(local: Local) -> list[str]:
    services = local.bridge.services
    with sent(local.bridge.services.database) as statements:
        assert not run_once(services)
        assert not write_heartbeat(services)
        assert not run_jobs(services)
    return statements


def scrape(local: Local) -> list[str]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with sent(local.bridge.services.database) as statements:
        answer = local.app.test_client().get("/bridge/v1/metrics", base_url="http://127.0.0.1", headers=headers)
    assert answer.status_code == 200
    return statements


def test_an_idle_round_and_a_scrape_ask_the_same_of_one_store_and_of_many(
    make_local: MakeLocal, database_url: str
) -> None:
    local = make_local(database_url, metrics_token=TOKEN)
    all_jobs(local)
    rounds, scrapes = idle_round(local), scrape(local)
    assert len(rounds) <= 6
    assert len(scrapes) <= 12
    fill(local.bridge.services.database, 300, 3000, local.clock.now)
    assert idle_round(local) == rounds
    assert scrape(local) == scrapes
    assert not any("stores" in statement for statement in rounds)
    of_stores = [statement for statement in scrapes if "stores" in statement]  # by indexes of those with a problem
    assert all("_problem != ''" in statement for statement in of_stores)


def test_a_store_that_is_added_has_its_jobs_and_one_that_is_removed_has_none(local: Local) -> None:
    assert until_next(local) == 0
    assert job(local, "reconcile").due == local.clock.now + DAY
    stores.remove(local.bridge.services, local.store.id)
    with local.bridge.services.database.read() as connection:
        assert [jobs.one(connection, jobs.name_of(kind, local.store.id)) for kind in jobs.PER_STORE] == [None] * len(
            jobs.PER_STORE
        )


def test_jobs_that_got_lost_are_there_again_within_an_hour(make_local: MakeLocal, database_url: str) -> None:
    """As of a store that a version before this one has added, while machines were upgraded one by one."""
    local = make_local(database_url)
    all_jobs(local)
    with local.bridge.services.database.write() as connection:
        jobs.forget_store(connection, local.store.id)
        jobs.forget(connection, "prune")
    local.clock.advance(3600)
    all_jobs(local)
    assert job(local).seen == local.clock.now
    assert job(local, "reconcile").due == local.clock.now + DAY
    with local.bridge.services.database.read() as connection:
        assert all(jobs.one(connection, name) for name in COMMON)


def test_jobs_of_many_stores_that_got_lost_are_not_due_at_once(local: Local) -> None:
    fill(local.bridge.services.database, 300, 0, local.clock.now)
    with local.bridge.services.database.write() as connection:
        connection.execute(jobs_table.delete().where(jobs_table.c.name.like("%:shop-%")))
        assert len(jobs.lost(connection, local.clock.now)) == 300 * len(jobs.PER_STORE)
        due = [row["due"] for row in jobs.lost(connection, local.clock.now) if row["name"].startswith("catch_up")]
    assert (due[0], due[-1]) == (local.clock.now, pytest.approx(local.clock.now + QUIET, rel=QUIET / 300))
    assert len(set(due)) == 300


def test_a_job_that_this_version_does_not_know_is_let_go(local: Local) -> None:
    jobs.add(local.bridge.services.database, "of_another_version:shop", 0.0)
    assert all_jobs(local) == 5
    with local.bridge.services.database.read() as connection:
        assert jobs.one(connection, "of_another_version:shop") is None


def test_the_quieter_a_store_is_the_more_seldom_it_is_looked_at(local: Local) -> None:
    all_jobs(local)
    assert until_next(local) == CATCH_UP
    pass_time(local, 3 * 3600)
    assert CATCH_UP < until_next(local) <= 0.1 * 3 * 3600
    pass_time(local, 30 * DAY)
    local.clock.now = job(local).due
    all_jobs(local)
    assert until_next(local) == QUIET


@pytest.mark.parametrize("operation", ["create", "refund"])
def test_a_quiet_store_is_looked_at_soon_once_something_begins_there(local: Local, operation: str) -> None:
    all_jobs(local)
    charge = local.create("payable_2").get_json()["charge"]["id"]
    pass_time(local, 30 * DAY)
    assert until_next(local) > CATCH_UP
    if operation == "create":
        local.create()
    else:
        local.post("/wp-json/wc/v3/payments/refund", {"charge_id": charge, "amount": 100, "reason": ""})
    assert until_next(local) == CATCH_UP


def test_what_begins_while_a_store_is_looked_at_is_looked_for_soon(make_local: MakeLocal, database_url: str) -> None:
    """The look may have been over before: it is not put off by hours when it ends."""
    local = make_local(database_url)
    all_jobs(local)
    services = local.bridge.services
    claimed = jobs.claim(services.database, job(local).name, job(local).due, 900.0)
    assert claimed
    local.clock.now = claimed.due
    local.create()
    with services.database.write() as connection:
        jobs.finish(connection, claimed, due=local.clock.now + QUIET, seen=local.clock.now)
    assert until_next(local) == CATCH_UP


@pytest.mark.parametrize("plan", PLANS)
def test_who_waits_for_one_job_of_a_store_holds_none_of_those_that_come_after_it(
    make_local: MakeLocal, postgres_url: str, plan: str
) -> None:
    """Else two requests that begin something at one store can wait for each other, and one of them gets an error: a
    plan meets rows in the order in which they lie, and a job that ends is written behind the others."""
    local = make_local(postgres_url)
    database, now = local.bridge.services.database, local.clock.now
    first, *others = [jobs.name_of(kind, local.store.id) for kind in ("catch_up", "sweep", "webhooks")]
    with database.write() as connection:
        for name in others:
            jobs.begin_again(connection, name, now + DAY, None)
    claimed = jobs.claim(database, first, now, 900.0)
    assert claimed

    def hurry() -> None:
        with database.write() as connection:
            for each in PLANS:
                connection.execute(text(f"set local enable_{each} = {'on' if each == plan else 'off'}"))
            jobs.hurry(connection, local.store.id, now)

    with ThreadPoolExecutor(1) as threads, database.read() as watching:
        with database.write() as connection:
            jobs.finish(connection, claimed, due=now + QUIET, seen=now)
            waiting = threads.submit(hurry)
            wait_for(lambda: watching.execute(text(WAITING)).scalar() == 1 or waiting.done())
            assert not waiting.done()
            of_others = select(jobs_table.c.name).where(jobs_table.c.name.in_(others))
            free = connection.execute(of_others.with_for_update(skip_locked=True)).scalars()
            assert sorted(free) == others
        waiting.result(30)
    soon = {kind: job(local, kind).due - now for kind in jobs.WHEN_IN_USE}
    assert soon == jobs.WHEN_IN_USE


def test_a_store_that_cannot_be_compared_is_tried_again_ever_more_seldom(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url)
    all_jobs(local)
    local.clock.advance(DAY)
    local.shop_faults.next(Fault.ERROR_503, times=9999)
    waits = []
    for _ in range(9):
        all_jobs(local)
        waits.append(job(local, "reconcile").due - local.clock.now)
        local.clock.now = job(local, "reconcile").due
    assert all(
        wait <= 1.1 * most for wait, most in zip(waits, (60, 120, 240, 480, 960, 1920, 3600, 3600), strict=False)
    )
    assert waits[0] >= 60
    assert waits[-1] >= 3600
    local.shop_faults.clear()
    all_jobs(local)
    assert (job(local, "reconcile").last_error, job(local, "reconcile").failures) == ("", 0)


def test_messages_are_asked_for_again_after_an_outage_and_not_because_a_store_was_quiet(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", mode="redirect")
    local, forte = shop.local, shop.forte
    assert forte
    all_jobs(local)

    def replays() -> int:
        return sum(f"{request.method} {request.path}" == REPLAY for request in forte.requests)

    with local.bridge.services.database.write() as connection:
        daily = jobs_table.c.name == jobs.name_of("reconcile", local.store.id)
        connection.execute(update(jobs_table).where(daily).values(due=local.clock.now + 365 * DAY))
    before = replays()
    pass_time(local, 10 * DAY)
    assert until_next(local) > CATCH_UP
    assert replays() == before
    local.clock.now = job(local).due + 600
    all_jobs(local)
    assert replays() == before + 1
