"""What card readers took is found within a minute while they are used, and nobody is asked when they are not."""

import pytest

from bridge.registry import stores
from bridge.simulators.faults import Fault
from bridge.storage import jobs
from bridge.worker.periodic_jobs import run_jobs
from tests.payments.orders import PAYMENTS, at, taken
from tests.payments.tills import DESTINATION, direct, made, opened, till
from tests.plugins.local import Local, MakeLocal

__all__ = ["direct", "till"]
DAY = 24 * 3600


def job(local: Local) -> jobs.Job | None:
    with local.bridge.services.database.read() as connection:
        return jobs.one(connection, jobs.name_of(jobs.READERS, local.store.id))


def lists(local: Local) -> int:
    """How often Stripe's list was read."""
    assert local.stripe
    return sum(one.method == "GET" and one.path == "/v1/payment_intents" for one in local.stripe.requests)


def pass_minutes(local: Local, minutes: int) -> None:
    """All jobs are done meanwhile but those that ask the provider for other reasons."""
    services = local.bridge.services
    for _ in range(minutes):
        local.clock.advance(60)
        with services.database.write() as connection:
            for kind in ("access", "catch_up", "reconcile"):
                jobs.begin_again(connection, jobs.name_of(kind, local.store.id), services.clock() + DAY, None)
        while run_jobs(services):
            pass
        local.work()


def connect(local: Local) -> None:
    assert local.post(f"{PAYMENTS}/connection_tokens", {}).status_code == 200


@pytest.mark.parametrize("used", ["a token", "an intent", "a payment that was named"])
def test_what_a_reader_took_is_found_within_a_minute(till: Local, used: str) -> None:
    if used == "a token":
        connect(till)
    elif used == "an intent":
        assert at(till, "create_terminal_intent", "payable_2").status_code == 200
    else:
        named = made(till, "payable_2")
        assert at(till, "capture_terminal_payment", "payable_2", named).status_code == 200
    before = taken(till)
    made(till, capture_method="automatic")
    pass_minutes(till, 1)
    assert till.order()["status"] == "completed"
    assert till.create().status_code == 500
    assert taken(till) == [*before, 1023]


def test_a_payment_that_was_made_long_before_its_card_was_presented_is_found(till: Local) -> None:
    assert till.stripe
    connect(till)
    intent = made(till, card="", capture_method="automatic")
    pass_minutes(till, 40)
    till.stripe.present_card(intent)
    pass_minutes(till, 1)
    assert till.order()["status"] == "completed"


def test_a_store_without_readers_has_no_such_job(till: Local) -> None:
    assert till.create().status_code == 200
    assert job(till) is None


def test_after_a_day_without_readers_nobody_is_asked(direct: Local) -> None:
    connect(direct)
    pass_minutes(direct, 3)
    assert lists(direct) == 3
    direct.clock.advance(DAY)
    pass_minutes(direct, 3)
    before = lists(direct)
    assert before == 3
    found = job(direct)
    assert found
    assert found.due > direct.clock.now + DAY - 300
    connect(direct)
    pass_minutes(direct, 1)
    assert lists(direct) == before + 1


def test_a_provider_that_cannot_be_asked_is_asked_again_from_where_it_was(direct: Local) -> None:
    assert direct.provider_faults
    connect(direct)
    made(direct, capture_method="automatic")
    direct.provider_faults.next(Fault.ERROR_503, times=99, match="GET /v1/payment_intents")
    pass_minutes(direct, 2)
    assert direct.order()["status"] == "pending"
    direct.provider_faults.clear()
    pass_minutes(direct, 3)
    assert direct.order()["status"] == "completed"


def test_a_store_that_is_removed_has_no_job_any_more(direct: Local) -> None:
    connect(direct)
    assert job(direct)
    stores.remove(direct.bridge.services, direct.store.id)
    assert job(direct) is None


def test_the_tokens_of_a_destination_store_are_for_its_location(make_local: MakeLocal, sqlite_url: str) -> None:
    place = {"display_name": "Till", "address[line1]": "1 Road", "address[city]": "Berlin"}
    place |= {"address[country]": "DE", "address[postal_code]": "10115"}
    first = opened(make_local, sqlite_url, DESTINATION)
    location = first.at_stripe("terminal/locations", **place)["id"]
    first.store.settings["terminal_location"] = location
    stores.update(first.bridge.services, first.store, {"secret_key", "webhook_secret"}, {})
    first.clock.advance(60)
    connect(first)
    assert first.stripe
    [asked] = [one for one in first.stripe.requests if one.path == "/v1/terminal/connection_tokens"]
    assert asked.params == {"location": location}
