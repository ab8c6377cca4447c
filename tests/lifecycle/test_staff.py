"""Staff complete, cancel, trash, delete or refund an order by hand, at any moment of its payment's life.

Money is never taken twice, never lost from sight, and moves only as WooPayments moves it: an authorisation follows its
order. What cannot fulfil its order by itself is flagged for a person.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from bridge.operations import webhook_registration
from bridge.simulators.faults import Fault
from bridge.simulators.server import serve
from tests.lifecycle.conftest import LiveIn
from tests.lifecycle.lives import Json, Life
from tests.lifecycle.sizes import FULL

Place = tuple[int, str]
"""An order, and what names its payment: the intent, or the attempt while nobody knows that."""
HOUR = 3600.0


# --- moments


def untold(life: Life) -> Place:
    """Paid or authorised, and the shop has still to hear of it."""
    order = life.order()
    return order, life.create(order).get_json()["id"]


def told(life: Life) -> Place:
    order = life.order()
    return order, life.pay(order)["id"]


def captured_untold(life: Life) -> Place:
    order, intent = told(life)
    assert life.at("capture_authorization", order, intent).status_code == 200
    return order, intent


def captured(life: Life) -> Place:
    place = captured_untold(life)
    life.work()
    return place


def partly_refunded(life: Life) -> Place:
    order, intent = captured(life)
    assert life.refund(order_id=order, amount=300).status_code == 200
    return order, intent


def disputed(life: Life) -> Place:
    order, intent = captured(life)
    life.dispute(intent)
    life.tell(intent)
    return order, intent


def captured_in_part(life: Life) -> Place:
    order, intent = told(life)
    assert life.capture(order, intent, amount=600).status_code == 200
    return order, intent


def refunded(life: Life) -> Place:
    order, intent = captured(life)
    assert life.refund(order_id=order, amount=1023).status_code == 200
    return order, intent


def lost(life: Life) -> Place:
    order, intent = disputed(life)
    life.decide(intent, "lost")
    life.tell(intent)
    return order, intent


def voided(life: Life) -> Place:
    order, intent = told(life)
    assert life.at("cancel_authorization", order, intent).status_code == 200
    life.work()
    return order, intent


def waiting(life: Life) -> Place:
    """For the payer, who has a challenge to answer."""
    order = life.order()
    return order, life.pay(order, payment_method="pm_card_authenticationRequired")["id"]


def unknown(life: Life) -> Place:
    """The provider's answer was lost; the money is taken."""
    order = life.order()
    if life.kind == "sandbox":
        answer = life.create(order, payment_method="pm_sandbox_lost_answer")
    else:
        assert life.local.provider_faults
        life.local.provider_faults.next(Fault.DROPPED, times=2, match="POST /v1/payment_intents")
        answer = life.create(order)
        life.local.provider_faults.clear()
    assert answer.get_json()["data"]["outcome"] == "unknown"
    return order, answer.get_json()["data"]["attempt_id"]


# --- what staff do


def complete(life: Life, order: int) -> None:
    life.local.shop.update_order(order, status="completed")


def cancel(life: Life, order: int) -> None:
    life.local.shop.update_order(order, status="cancelled")


def trash(life: Life, order: int) -> None:
    life.local.shop.trash(order)


def delete(life: Life, order: int) -> None:
    """For good, out of the trash; the shop sends word of the trash alone."""
    life.local.shop.trash(order)
    life.local.shop.deliver_due()
    life.local.shop.delete(order)


def refund(life: Life, order: int) -> None:
    life.local.shop.refund(order, "2.00")


MOMENTS: dict[str, tuple[str, Callable[[Life], Place]]] = {
    "paid, untold": ("automatic", untold),
    "paid": ("automatic", told),
    "unknown": ("automatic", unknown),
    "waiting": ("automatic", waiting),
    "authorised, untold": ("manual", untold),
    "authorised": ("manual", told),
    "captured, untold": ("manual", captured_untold),
    "captured": ("manual", captured),
    "captured in part": ("manual", captured_in_part),
    "partly refunded": ("manual", partly_refunded),
    "refunded": ("manual", refunded),
    "disputed": ("manual", disputed),
    "lost": ("manual", lost),
    "voided": ("manual", voided),
}
"""When, in a store that captures how."""
ACTIONS = {one.__name__: one for one in (complete, cancel, trash, delete, refund)}
LEFT = {"complete": "completed", "cancel": "cancelled", "trash": "trash"}
"""What the order is after that, and stays."""
BACK = {"refunded", "disputed", "lost"}
"""When what was taken is not the merchant's any more."""
NOTHING = dict.fromkeys(["waiting", "authorised, untold", "authorised", "voided", *BACK], 0)
MONEY = NOTHING | {"captured in part": 600, "partly refunded": 723}
"""What is the merchant's in the end; 1023 where nothing is said."""
FOLLOWS = {("authorised, untold", "complete"): 1023, ("authorised", "complete"): 1023}
"""Where it is not what it was before: what was authorised is captured with its order."""
ALL = frozenset(ACTIONS)
FLAGGED: dict[str, frozenset[str]] = {
    "paid, untold": ALL,
    "paid": frozenset({"delete", "refund"}),
    "unknown": ALL,
    "waiting": frozenset(),
    "authorised, untold": ALL - {"cancel"},
    "authorised": frozenset({"trash", "delete", "refund"}),
    "captured, untold": ALL - {"complete"},
    "captured": frozenset({"delete", "refund"}),
    "captured in part": frozenset({"delete", "refund"}),
    "partly refunded": frozenset({"delete", "refund"}),
    "refunded": frozenset({"delete"}),
    "disputed": ALL,
    "lost": frozenset({"delete"}),
    "voided": frozenset(),
}
"""Money that came for an order that could not take it, a payment whose order is gone, an authorisation that hangs in
the air, a refund without money. What was authorised for an order that is cancelled is voided, and that is all.

"Captured, untold" can be completed: the order shows our authorisation. A refund of an order that was never paid, as far
as the shop knows, has lowered what it owes: whoever has paid all of it by then has paid too much. What waits for a
buyer is voided, and nobody has to look at it.
"""
LOWERED = {"paid, untold": "on-hold", "unknown": "pending", "captured, untold": "on-hold"}
"""Where the order is that such a refund has made another one: money for it fulfils nothing by itself."""
AT_STRIPE = [*MOMENTS] if FULL else ["unknown", "authorised", "captured, untold"]


@pytest.fixture(scope="module")
def lives(live: LiveIn) -> Iterator[Callable[..., Life]]:
    """By provider and how they capture, their shops tell the bridge about their orders."""
    made: dict[tuple[str, ...], Life] = {}
    with ExitStack() as stack:

        def lives(kind: str, capture: str, refunds: str = "report") -> Life:
            name = (kind, capture, refunds)
            if name not in made:
                settings = {} if kind == "sandbox" else {"off_session": "no"}
                life = made[name] = live(kind, settings=settings, capture=capture, options={"store_refunds": refunds})
                server = stack.enter_context(serve(life.local.app))
                webhook_registration.register_webhooks(life.local.bridge.services.at(life.local.store), server.url)
            return made[name]

        yield lives


def time_passes(life: Life) -> None:
    """The shop tells what happened, the worker works, and hours pass."""
    for pause in (5.0, 700.0, HOUR):
        life.local.clock.advance(pause)
        life.local.shop.deliver_due()
        life.work()


def nothing_is_owed(life: Life, order: int) -> Json:
    """Everybody knows everything; the story."""
    story = life.story(order)
    assert story["outcome"] == "known"
    assert {update["state"] for update in story["store_updates"]} <= {"delivered"}
    return story


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("kind", "moment"), [*(("sandbox", moment) for moment in MOMENTS), *(("direct", moment) for moment in AT_STRIPE)]
)
def test_whatever_staff_do_the_money_is_where_it_belongs(
    lives: Callable[..., Life], kind: str, moment: str, action: str
) -> None:
    capture, begin = MOMENTS[moment]
    life = lives(kind, capture)
    order, _ = begin(life)
    before = life.status(order)
    if (before, action) == ("refunded", "refund"):
        pytest.skip("the shop refuses it")
    ACTIONS[action](life, order)
    time_passes(life)
    story = nothing_is_owed(life, order)
    intent = story["payment_intent"]
    money = FOLLOWS.get((moment, action), MONEY.get(moment, 1023))
    assert life.net(intent) == money
    taken = bool(money or moment in BACK)
    assert life.taken_for(order) == taken
    assert bool(story["flag"]) == (action in FLAGGED[moment]), story["flag"]
    if action == "cancel" and moment.startswith("authorised"):
        assert (story["status"], story["holds_order"]) == ("canceled", False)
    if action != "delete":
        paid = "on-hold" if moment.startswith("authorised") else "processing"
        left = {"paid, untold": paid, "unknown": paid, "authorised, untold": paid, "captured, untold": "processing"}
        left |= LOWERED if action == "refund" else {}
        assert life.status(order) == LEFT.get(action, left.get(moment, before))
        if life.status(order) != "pending":
            life.create(order)
            life.work()
    assert (life.net(intent), life.taken_for(order)) == (money, taken)


@pytest.mark.parametrize("action", ["complete", "cancel", "trash"])
@pytest.mark.parametrize("kind", ["sandbox", "direct"])
def test_money_that_comes_after_staff_have_decided_fulfils_nothing(
    lives: Callable[..., Life], kind: str, action: str
) -> None:
    """The payer, who had been asked, answers when the order is closed."""
    life = lives(kind, "automatic")
    order, intent = waiting(life)
    ACTIONS[action](life, order)
    time_passes(life)
    if life.net(intent) == 0 and nothing_is_owed(life, order)["status"] == "requires_action":
        life.authenticate(intent)
        life.tell(intent)
        time_passes(life)
        assert life.net(intent) == 1023
        assert intent in life.flag(order)
        assert life.said(order, "It was not fulfilled automatically") == 1
    assert life.status(order) == LEFT[action]


@pytest.mark.parametrize("moment", ["paid, untold", "paid", "authorised", "captured, untold", "disputed"])
@pytest.mark.parametrize("kind", ["sandbox", "direct"])
def test_where_the_store_says_so_a_refund_by_hand_moves_money_once(
    lives: Callable[..., Life], kind: str, moment: str
) -> None:
    capture, begin = MOMENTS[moment]
    life = lives(kind, capture, "execute")
    order, _ = begin(life)
    refund(life, order)
    for _ in range(2):
        time_passes(life)
    story = nothing_is_owed(life, order)
    money = {"authorised": 0, "disputed": 0}.get(moment, 823)
    assert life.net(story["payment_intent"]) == money
    assert life.refunds(order) == ["2.00"]
    assert life.book(story["payment_intent"]).get("refunded", 0) == (200 if money else 0)
    assert bool(story["flag"]) == (moment != "paid"), story["flag"]
    life.local.shop.update_order(order, customer_note="Changed once more.")
    time_passes(life)
    assert life.net(story["payment_intent"]) == money
