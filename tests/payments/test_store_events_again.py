"""A delivery of the shop that comes again, as the shop or somebody who has captured it sends it: it makes no new row,
and one read of its order in 30 seconds, but it is never ignored."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bridge.inbound.provider_inbox import claim_message
from bridge.operations import webhook_registration
from bridge.operations.inbox_admin import messages
from bridge.operations.why import why
from bridge.payments import leases
from bridge.services import Work
from bridge.simulators.faults import Fault
from bridge.simulators.server import serve
from bridge.simulators.woocommerce.deliveries import Delivery
from bridge.storage import inbox
from tests.plugins.local import Local, MakeLocal

REPLAYS = 40
PAUSE = 30
DAY = 24 * 3600


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str) -> Iterator[Local]:
    with told(make_local, sqlite_url) as made:
        yield made


@pytest.fixture
def on_both(make_local: MakeLocal, database_url: str) -> Iterator[Local]:
    """Like `local`, on each kind of database."""
    with told(make_local, database_url) as made:
        yield made


@contextmanager
def told(make_local: MakeLocal, database_url: str) -> Iterator[Local]:
    """A store whose shop has just told of an order that is authorised."""
    made = make_local(database_url, capture="manual")
    with serve(made.app) as server:
        webhook_registration.register_webhooks(made.bridge.services.at(made.store), server.url)
        assert made.create().status_code == 200
        happens(made)
        yield made


def happens(local: Local) -> None:
    for _ in range(3):
        local.shop.deliver_due()
        local.work()


def captured(local: Local, topic: str = "order.updated") -> Delivery:
    return next(each for each in reversed(local.shop.deliveries) if each.topic == topic)


def replay(local: Local, delivery: Delivery, number: object) -> bool:
    """As it came, but for the id that nobody has signed; whether it was known."""
    headers = dict(delivery.headers) | {"X-WC-Webhook-Delivery-ID": f"{number}"}
    path = f"/bridge/v1/webhooks/{local.store.id}"
    answer = local.app.test_client().post(path, data=delivery.body, headers=headers)
    assert answer.status_code == 200
    known: bool = answer.get_json()["duplicate"]
    return known


def rows(local: Local) -> int:
    return len(messages(local.bridge.services, limit=1000))


def reads(local: Local) -> int:
    """Of the order, at the shop."""
    order = f"/orders/{local.orders['payable']}"
    return sum(each.method == "GET" and each.path.endswith(order) for each in local.shop.requests)


def flag(local: Local) -> str:
    return str(why(local.bridge.services, str(local.orders["payable"]))[0]["flag"])


def test_replays_add_no_row_and_one_read_in_30_seconds(local: Local) -> None:
    delivery, known, before = captured(local), rows(local), reads(local)
    local.clock.advance(PAUSE)
    for round_ in range(3):
        for number in range(REPLAYS):
            assert replay(local, delivery, f"{round_}-{number}")
            local.work()
        assert reads(local) - before == round_ + 1
        local.clock.advance(PAUSE - 1)
        local.work()
        assert reads(local) - before == round_ + 1
        local.clock.advance(1)
    assert rows(local) == known


def test_a_replay_of_what_was_just_read_is_read_30_seconds_later(local: Local) -> None:
    delivery, before = captured(local), reads(local)
    assert replay(local, delivery, "soon")
    local.work()
    assert reads(local) == before
    local.clock.advance(PAUSE)
    local.work()
    assert reads(local) == before + 1


def test_an_order_that_is_trashed_twice_is_followed_twice(local: Local) -> None:
    """`order.deleted` has the same body each time."""
    local.shop.trash(local.orders["payable"])
    happens(local)
    assert "trash" in flag(local)
    local.shop.restore(local.orders["payable"])
    local.clock.advance(60)
    happens(local)
    assert "trash" not in flag(local)
    local.shop.trash(local.orders["payable"])
    happens(local)
    first, second = [each.body for each in local.shop.deliveries if each.topic == "order.deleted"]
    assert first == second
    local.clock.advance(PAUSE)
    local.work()
    assert "trash" in flag(local)


def test_what_comes_again_while_its_order_is_being_read_is_read_again(local: Local) -> None:
    delivery, before = captured(local), reads(local)
    local.clock.advance(PAUSE)
    met = []

    def arrives(request: object) -> bool:
        """The shop is asked for the order; it is changed and tells of it before it answers."""
        if not met:
            met.append(request)
            assert replay(local, delivery, "meanwhile")
        return False

    assert replay(local, delivery, "first")
    local.shop_faults.next(Fault.STALLED, match=arrives)
    local.work()
    assert (len(met), reads(local)) == (1, before + 1)
    local.clock.advance(PAUSE)
    local.work()
    assert reads(local) == before + 2


def test_what_could_not_be_read_is_tried_again_however_often_it_comes(local: Local) -> None:
    delivery, before, known = captured(local), reads(local), rows(local)
    local.clock.advance(PAUSE)
    assert replay(local, delivery, "first")
    local.shop_faults.next(Fault.ERROR_503)
    local.work()
    for number in range(REPLAYS):
        assert replay(local, delivery, number)
    local.clock.advance(PAUSE)
    local.work()
    assert (reads(local), rows(local)) == (before + 1, known)
    assert {each["state"] for each in messages(local.bridge.services, limit=1000)} == {"done"}


@pytest.mark.parametrize(("tries", "age"), [(6, 0), (25, 4 * DAY)])
def test_what_comes_again_during_a_try_that_fails_is_not_put_off_by_its_count(
    on_both: Local, tries: int, age: int
) -> None:
    """It is new, however long the old one could not be worked on."""
    local, delivery, before = on_both, captured(on_both), reads(on_both)
    local.clock.advance(PAUSE)
    assert replay(local, delivery, "first")
    [message] = messages(local.bridge.services, "new")
    with local.bridge.services.database.write() as connection:
        inbox.change(connection, message["id"], tries=tries, received=local.clock.now - age)

    def arrives(_: object) -> bool:
        assert replay(local, delivery, "meanwhile")
        return True

    local.shop_faults.next(Fault.ERROR_503, match=arrives)
    local.work()
    assert reads(local) == before
    local.clock.advance(PAUSE)
    local.work()
    assert reads(local) == before + 1
    assert messages(local.bridge.services, "new") == []


@pytest.mark.parametrize("comes_again", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_one_whose_lease_is_over_does_not_take_the_message_from_the_one_who_has_it_now(
    on_both: Local, fails: bool, comes_again: bool
) -> None:
    local, services, delivery = on_both, on_both.bridge.services, captured(on_both)
    lease = leases.lease_seconds(services, leases.DELIVERY_TIMEOUTS)
    local.clock.advance(PAUSE)
    assert replay(local, delivery, "first")
    claimed: list[Work | None] = []

    def is_taken_over(_: object) -> bool:
        if not claimed:
            local.clock.advance(lease + 1)
            if comes_again:
                assert replay(local, delivery, "meanwhile")
            claimed.append(claim_message(services))
        return fails

    local.shop_faults.next(Fault.ERROR_503, match=is_taken_over)
    slow = claim_message(services)
    assert slow
    slow.run()
    [other] = claimed
    assert other
    local.shop_faults.clear()
    local.clock.advance(PAUSE + 1)
    assert claim_message(services) is None
    assert len(messages(services, "new")) == 1
    before = reads(local)
    other.run()
    assert reads(local) == before + 1
    assert messages(services, "new") == []
