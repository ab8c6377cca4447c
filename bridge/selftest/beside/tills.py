"""Orders that somebody pays at a card reader. Their app makes the payment itself, in Stripe's Terminal SDK, and only
asks the bridge to capture it: at once, hours later or never. Meanwhile a checkout asks for the same order, and staff
act on it.

Source: both WooCommerce apps, which set the metadata `order_id`, `order_key`, `site_url` and `payment_type`.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from bridge.selftest.beside.acts import STAFF
from bridge.selftest.beside.lives import AFTER, Life, Plan
from bridge.selftest.beside.stage import Stage, shows
from bridge.selftest.beside.verdicts import Finding, holds, too_much
from bridge.selftest.system_under_test import PAYMENTS, Call
from bridge.selftest.world import ACCOUNT

READER = "a card reader"
OUTLETS = ("automatic", "manual")
CARD, INTERAC = ("card_present",), ("card_present", "interac_present")
SOON, LATE, NEVER = "at once", "hours later", "never"
"""When the app asks for the capture."""
LOOK = 60.0
"""Seconds between two looks at the provider's list, as long as readers were used that day."""
HEARING = 2 * 30.0
"""Seconds until a worker has done what it hears of or looks at, at the most."""
UNCAPTURABLE = "wcpay_payment_uncapturable"
"""What Android's app takes for "captured already"."""
PAID_LOOK = 31 * 3600.0
"""Seconds after which a paid order was read again, at the most, of whose change no message has come."""
HANDS = tuple(act for act in STAFF if "by hand" not in act.name)


@dataclass
class Till:
    """`captures` is when the app does so, `is_taken`: the reader takes the money by itself, `tip`: minor units that
    the payer adds. `is_heard`: the provider's messages arrive."""

    stage: Stage
    life: Life
    is_taken: bool
    captures: str
    tip: int
    is_heard: bool
    intent: str = ""
    known_at: float = field(default=float("inf"))
    was_shown: bool = False

    def open(self) -> None:
        """The app connects to its reader."""
        self.stage.town.request(Call("POST", f"{PAYMENTS}/connection_tokens", {}, self.life.outlet))

    def make(self) -> None:
        """The app makes the payment over what it has read just before."""
        town, life = self.stage.town, self.life
        order = town.shops[life.outlet].order(life.order)
        said = {
            "order_id": life.order,
            "order_key": order["order_key"],
            "site_url": town.place.outlets[life.outlet].shop_url,
            "payment_type": "single",
        }
        made = town.stripe.create_at_reader(
            life.owed.sum,
            str(order["currency"]).lower(),
            account=ACCOUNT,
            kinds=INTERAC if order["currency"] == "CAD" else CARD,
            capture_method="automatic" if self.is_taken else "manual",
            metadata=said,
        )
        self.intent = str(made["id"])
        life.names.add(self.intent)
        if not self.is_heard:
            town.unheard.add(self.intent)

    def decline(self) -> None:
        self.stage.town.stripe.present_card(self.intent, "pm_card_visa_chargeDeclined")

    def present(self) -> None:
        """The card is held to the reader: from here on the provider has the money."""
        town, life = self.stage.town, self.life
        card = "pm_card_interac" if self.is_interac else "pm_card_visa"
        town.stripe.present_card(self.intent, card, self.tip)
        life.owed = replace(life.owed, tip=self.tip)
        life.money_at = town.clock()
        self.known_at = town.clock() + LOOK + HEARING
        self.stage.at(self.known_at + HEARING, self.check)

    @property
    def is_interac(self) -> bool:
        return bool(self.life.plan.currency == "CAD")

    def checkout(self) -> None:
        """The shop's own checkout asks for the order."""
        life, books = self.life, self.stage.books
        live = books.live(life.outlet, life.order)
        before, is_known = books.sum(life.outlet, life.order), self.stage.town.clock() >= self.known_at
        life.create()
        if live and is_known and self._still_fits and (grown := books.sum(life.outlet, life.order) - before) > 0:
            life.found.append(Finding("again", f"{grown} charged, and the reader's {live[0].name} was known"))

    def capture(self) -> None:
        """The app asks for it, and believes what it is told."""
        life, books = self.life, self.stage.books
        taken, owed = self._captured(), life.owed_at_capture
        path = f"{PAYMENTS}/orders/{life.order}/capture_terminal_payment"
        answer = self.stage.town.request(Call("POST", path, {"payment_intent_id": self.intent}, life.outlet))
        if (grown := self._captured() - taken) > 0:
            life.found += too_much(grown, owed, "captured")
        is_canceled = any(each.is_canceled for each in books.of(life.outlet, life.order))
        code = (answer.body or {}).get("code")
        is_called_captured = code == UNCAPTURABLE and not is_canceled  # else it is WooPayments' own answer
        if (answer.status == 200 or is_called_captured) and not books.live(life.outlet, life.order):
            life.found.append(Finding("told", f"the app was answered {answer}, and there is no money"))

    @property
    def _still_fits(self) -> bool:
        """Whether its order was as the app had read it, until the payment could be known of at the latest. What does
        not fit blocks nothing."""
        return self.life.acted_at is None or self.life.acted_at >= self.known_at

    def _captured(self) -> int:
        return sum(each.captured for each in self.stage.books.of(self.life.outlet, self.life.order))

    def act(self) -> None:
        life, now = self.life, self.stage.town.clock()
        self.was_shown = shows(self.stage.order(life), self.intent)
        life.act(AFTER)
        self.stage.at(max(now, min(self.known_at, now + LOOK + HEARING)) + LOOK + HEARING, self.check)

    def check(self) -> None:
        """The message or the look has come: the shop shows the payment, or somebody was told. Of one that did not fit
        any more when it could be known of first, it is enough that a comparison names it. What staff do to an order
        that has shown it may be told of when paid orders are read again."""
        stage, life = self.stage, self.life
        money = stage.books.of(life.outlet, life.order)
        if not any(each.is_live for each in money) or stage.town.clock() < self.known_at:
            return
        is_told = stage.is_told(life)
        found = list(holds(money, life.owed, is_told))
        if not is_told and not shows(stage.order(life), self.intent):
            if self.was_shown:
                self.was_shown = False
                stage.at(stage.town.clock() + PAID_LOOK, self.check)
                return
            found.append(Finding("forgotten", f"{self.intent} is not to be seen in the shop, and nobody was told"))
        if self._still_fits:
            life.found += found
        else:
            stage.doubt(life, found)


def begin(stage: Stage, count: int, hour: float) -> None:
    """Let so many orders be paid at readers, in some six hours of so many seconds each."""
    now = stage.town.clock()
    for _ in range(count):
        stage.at(now + 60 + stage.random.uniform(0, 240), partial(_live, stage, Random(stage.random.random()), hour))


def _live(stage: Stage, random: Random, hour: float) -> None:
    is_interac = random.random() < 0.25
    till = _till(stage, random, "CAD" if is_interac else "USD", is_taken=is_interac or random.random() < 0.3)
    stage.lives.append(till.life)
    stage.shares["card readers: told of by a message" if till.is_heard else "card readers: found in the list"] += 1
    stage.shares[f"card readers: {'taken by the reader' if till.is_taken else f'captured {till.captures}'}"] += 1
    now = stage.town.clock()
    till.open()
    if random.random() < 0.2:
        stage.at(now + random.uniform(0, 300), till.checkout)
    made = now + random.uniform(1, 60)
    stage.at(made, till.make)
    presented = made + random.uniform(3, hour / 4)
    if random.random() < 0.2:
        stage.at(presented - 2, till.decline)
    stage.at(presented, till.present)
    _afterwards(stage, random, till, presented, hour)


def _afterwards(stage: Stage, random: Random, till: Till, presented: float, hour: float) -> None:
    for _ in range(2):
        stage.at(presented + random.choice((random.uniform(0, 120), random.uniform(120, hour))), till.checkout)
    if till.captures != NEVER:
        wait = random.uniform(1, 60) if till.captures == SOON else random.uniform(hour / 6, 6 * hour)
        stage.at(presented + wait, till.capture)
    if till.life.plan.act:
        stage.at(presented + random.choice((random.uniform(-2, 60), random.uniform(60, hour))), till.act)


def _till(stage: Stage, random: Random, currency: str, *, is_taken: bool) -> Till:
    act = random.choice(HANDS) if random.random() < 0.4 else None
    plan = Plan(random.choice(OUTLETS), False, AFTER, READER, act, currency=currency)
    order = stage.town.new_order(plan.outlet, plan.total, currency)
    return Till(
        stage,
        Life(stage.town, stage.books, plan, order),
        is_taken=is_taken,
        captures=random.choice((SOON, SOON, LATE, NEVER)),
        tip=150 if random.random() < 0.2 and currency == "USD" else 0,
        is_heard=random.random() < 0.5,
    )
