"""Six events of one payment, in every order, doubled and lost: the end is that of the ordered stream.

What happens at the provider happens in its order; the news of it come in any. Before an event can be sent, it and what
was before it has happened, so that the bridge, which asks the provider, sees every state in between.

Every run plays a sample of the 720 orders; BATTERY=full plays all.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.lifecycle.conftest import LiveIn
from tests.lifecycle.lives import SECRET, Json, Life
from tests.lifecycle.sizes import sized

STEPS = 6
ORDERS = list(itertools.permutations(range(STEPS)))
PLAYED = random.Random(6).sample(ORDERS, sized(30, len(ORDERS)))


@dataclass
class Story:
    """A payment that lives at Stripe's dashboard after it was authorised through the bridge: captured, refunded twice,
    once in vain, disputed, lost. `happen(n)` lets step n and all before it happen; `events` are their news."""

    life: Life
    order: int
    intent: str
    events: list[str] = field(default_factory=list)
    refund: str = ""

    def happen(self, step: int) -> None:
        while len(self.events) <= step:
            self.life.local.clock.advance(1)
            kind, act = self._steps[len(self.events)]
            act()
            self.events.append(self._newest(kind))

    @property
    def _steps(self) -> list[tuple[str, Callable[[], object]]]:
        return [
            ("payment_intent.succeeded", self._capture),
            ("charge.refunded", lambda: self._refund(100)),
            ("refund.created", lambda: self._refund(200)),
            ("refund.failed", lambda: self.life.stripe.fail_refund(self.refund)),
            ("charge.dispute.created", lambda: self.life.dispute(self.intent)),
            ("charge.dispute.closed", self._lose),
        ]

    def _newest(self, kind: str) -> str:
        return next(str(e["id"]) for e in reversed(self.life.events_about(self.intent)) if e["type"] == kind)

    def _capture(self) -> None:
        self.life.local.at_stripe(f"payment_intents/{self.intent}/capture")

    def _refund(self, amount: int) -> None:
        charge = self.life.stripe.find(self.intent)["latest_charge"]
        self.refund = self.life.refund_elsewhere(charge, amount)

    def _lose(self) -> None:
        event = self.life.stripe.find(self.events[4])
        self.life.stripe.close_dispute(event["data"]["object"]["id"], won=False)

    def hear(self, step: int) -> None:
        self.happen(step)
        self.life.send(self.life.signed(self.events[step]))

    def end(self) -> Json:
        """Where everything stands; without the notes about the refund that failed, see `vain`."""
        charge = self.life.get(f"charges/{self.life.stripe.find(self.intent)['latest_charge']}")
        story = self.life.story(self.order)
        assert {update["state"] for update in story["store_updates"]} == {"delivered"}
        assert self.vain in (["unsuccessful"], ["failed to complete"], ["processed", "unsuccessful"])
        return {
            "status": (story["status"], story["outcome"], self.life.status(self.order)),
            "refunds": sorted(self.life.refunds(self.order)),
            "meta": {
                key: value.replace(self.intent, "the intent")
                for key, value in self.life.meta(self.order).items()
                if key in ("_intent_id", "_intention_status", "_wcpay_refund_status")
            },
            "charge": (charge["amount_captured"], charge["amount_refunded"], charge["dispute"]["status"]),
            "net": self.life.net(self.intent),
            "said": sorted(note.partition(" using ")[0].partition(" (")[0] for note in self._notes()),
        }

    def _notes(self) -> list[str]:
        """Without what the shop itself writes when a status changes, which comes in the order of the news."""
        mine = [
            note for note in self.life.notes(self.order) if self.refund not in note and "2.00 USD failed" not in note
        ]
        return [note for note in mine if not note.startswith("Order status changed")]

    @property
    def vain(self) -> list[str]:
        """What the shop was told of the refund that failed: that it was made and then failed, or only that."""
        words = ("processed", "unsuccessful", "failed to complete")
        notes = [note for note in self.life.notes(self.order) if self.refund in note or "2.00 USD failed" in note]
        return [word for note in notes for word in words if word in note]


@pytest.fixture(scope="module")
def tell(live: LiveIn) -> Callable[[], Story]:
    life = live("direct", settings={"webhook_secret": SECRET}, capture="manual")

    def tell() -> Story:
        order = life.order()
        return Story(life, order, str(life.pay(order)["id"]))

    return tell


@pytest.fixture(scope="module")
def ordered(tell: Callable[[], Story]) -> Json:
    """The end of the stream in its order, each event worked on before the next happens."""
    story = tell()
    for step in range(STEPS):
        story.hear(step)
        story.life.work()
    return story.end()


def test_the_ordered_stream_ends_as_it_should(ordered: Json) -> None:
    assert ordered["status"] == ("succeeded", "known", "refunded")
    assert ordered["refunds"] == ["1.00", "9.23"]
    assert (ordered["charge"], ordered["net"]) == ((1023, 100, "lost"), 0)


@pytest.mark.parametrize("order", PLAYED, ids=lambda order: "".join(map(str, order)))
def test_every_order_of_six_events_ends_as_the_ordered_stream(
    tell: Callable[[], Story], ordered: Json, order: tuple[int, ...]
) -> None:
    """Some are sent twice, and work is done now and then."""
    dice, story = random.Random(repr(order)), tell()
    for position, step in enumerate(order):
        story.hear(step)
        if dice.random() < 0.3:
            story.hear(dice.choice(order[: position + 1]))
        if dice.random() < 0.6:
            story.life.work()
    story.life.work()
    assert story.end() == ordered


@pytest.mark.parametrize("seed", range(sized(8, 200)))
def test_lost_events_are_made_up_for_by_the_last_one(tell: Callable[[], Story], ordered: Json, seed: int) -> None:
    dice, story = random.Random(seed), tell()
    heard = dice.sample(range(STEPS - 1), dice.randrange(STEPS - 1))
    for step in heard:
        story.hear(step)
        if dice.random() < 0.6:
            story.life.work()
    story.hear(STEPS - 1)
    for _ in range(dice.randrange(3)):
        story.hear(dice.choice([*heard, STEPS - 1]))
    story.life.work()
    assert story.end() == ordered
