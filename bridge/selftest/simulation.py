"""B12: thirty days of everything at once, in one process under a virtual clock, decided by a seed alone.

Clients pay, repeat, compete, capture, cancel and refund; buyers pass challenges; staff at the provider refund, staff at
the shop and another gateway act on orders; messages come doubled, shuffled or not at all; provider and shop break down;
the bridge is killed at commits and calls.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from bridge.selftest.beside.acts import EXPIRY, GATEWAY, STAFF, Owed, perform, stands_paid
from bridge.selftest.environment import DAY, Environment
from bridge.selftest.judge import FLAGGED, Facts, Fault, beyond_limits
from bridge.selftest.network import PROVIDER_TROUBLES, Trouble, fair
from bridge.selftest.parallel import spread
from bridge.selftest.provider_faults import storm
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import INTENTS, PAYMENTS, Answer, Call
from bridge.selftest.world import SHOP_HOST, STRIPE_HOST

SIZES: dict[Size, int] = {"slice": 4, "small": 60, "full": 10_000}
"""How many seeds."""
STEPS = 40
DAYS = 30.0
LOST = 0.02
TOTAL = 1023
"""Of every order, in minor units."""
ACTS = tuple(act for act in (*STAFF, EXPIRY, GATEWAY) if act.name not in ("delete", "refund a part", "refund it whole"))
"""What is done beside, without what the shop could not be asked about in the end, and without refunds of its own."""
SHARE = 50
"""So many seeds are played by one process in one go."""
REPLAYED = 50
"""Every so manieth seed is played twice, and must come out the same."""
SHOP_TROUBLES = (Trouble.ERROR_500, Trouble.ERROR_503, Trouble.DROPPED, Trouble.STALLED, Trouble.UNREACHED)
CARDS = ("visa", "visa", "visa", "mastercard", "authenticationRequired", "chargeDeclined")


@dataclass
class Deal:
    """One order and what its clients know of it. Refunds by API have even amounts, and each another one. `touched`:
    somebody at the shop, or another gateway, has acted on it; it then owes what is `owed`."""

    outlet: str
    order: int
    card: str
    intent: str = ""
    charge: str = ""
    created: Answer | None = None
    refunds: dict[int, str] = field(default_factory=dict)
    owed: Owed = field(default_factory=lambda: Owed(TOTAL))
    touched: bool = False


class Story:
    """The thirty days of one seed."""

    def __init__(self, environment: Environment, troubles: tuple[Trouble, ...] = PROVIDER_TROUBLES) -> None:
        self.lab = environment
        self.troubles = troubles
        self.deals: list[Deal] = []
        self._seen = 0
        self._post: list[tuple[str, str]] = []

    def run(self) -> None:
        chances = [self.pay, self.pay, self.again, self.compete, self.capture, self.cancel, self.refund, self.refund]
        chances += [self.challenge, self.dashboard, self.deliver, self.deliver, self.work, self.work]
        chances += [self.restart, self.worsen, self.improve, self.kill, self.act, *self.more]
        random = self.lab.random
        for _ in range(STEPS):
            long = random.random() < 0.3
            self.lab.pass_time(random.expovariate(1 / (DAYS * DAY / STEPS / 0.3)) if long else random.uniform(0, 120))
            action: Callable[[], None] = random.choice(chances)
            action()

    @property
    def more(self) -> list[Callable[[], None]]:
        """What else may happen."""
        return []

    def faults(self) -> list[Fault]:
        """All that is wrong with any deal."""
        return [fault for deal in self.deals for fault in _faults(self.lab, deal)]

    def end(self) -> None:
        """Fair weather: the provider repeats its messages, and the worker has two days.

        Where all messages about something were lost, the daily comparison with the provider finds it.
        """
        self.improve()
        self.deliver(everything=True)
        for _ in range(2):
            self.lab.day()

    def pay(self) -> None:
        outlet = self.lab.random.choice(("automatic", "automatic", "manual"))
        deal = Deal(outlet, self.lab.world.new_order(outlet), self.lab.random.choice(CARDS))
        self.deals.append(deal)
        self._create(deal)

    def again(self) -> None:
        if deal := self._any():
            self._create(deal)

    def compete(self) -> None:
        if deal := self._any():
            deal.card = self.lab.random.choice(CARDS)
            self._create(deal)

    def kill(self) -> None:
        """The next thing that it does does not end well."""
        self.lab.kill_next(self.lab.random.randrange(10))
        self.lab.random.choice((self.pay, self.again, self.refund, self.capture, self.work))()
        self.lab.spare()

    def capture(self) -> None:
        self._at_order("capture")

    def cancel(self) -> None:
        self._at_order("cancel")

    def refund(self) -> None:
        deal = self._any(lambda deal: bool(deal.charge))
        if deal is None:
            return
        amount = 2 * self.lab.random.randrange(1, 300)
        if amount in deal.refunds:
            return
        wanted = {"charge_id": deal.charge, "amount": amount}
        answer = self.lab.survive(Call("POST", f"{PAYMENTS}/refund", wanted, deal.outlet))
        if answer is None:
            deal.refunds[amount] = "unknown"
        else:
            deal.refunds[amount] = "done" if answer.status == 200 else answer.told.get("outcome", "refused")

    def dashboard(self) -> None:
        """Somebody sends money back at the provider."""
        deal = self._any(lambda deal: bool(deal.charge))
        if deal is None:
            return
        left = 1023 - self.lab.judge.facts(deal.outlet, deal.order).refunded
        amount = 2 * self.lab.random.randrange(1, 100) + 1
        if amount <= left and self.lab.judge.facts(deal.outlet, deal.order).captured:
            self.lab.world.at_stripe("refunds", payment_intent=deal.intent, amount=amount)

    def act(self) -> None:
        """Staff at the shop, the shop itself or another gateway; once for an order."""
        if deal := self._any(lambda deal: not deal.touched):
            deal.touched = True
            facts = self.lab.judge.facts(deal.outlet, deal.order)
            is_ours = stands_paid(facts.order, {charge.intent for charge in facts.live})
            owed, has_begun = replace(deal.owed, is_ours=is_ours), bool(facts.charges or deal.intent)
            act = self.lab.random.choice(ACTS)
            deal.owed = perform(act, self.lab.world, deal.outlet, deal.order, owed, has_begun=has_begun)

    def challenge(self) -> None:
        stripe = self.lab.world.stripe
        waiting = [
            deal for deal in self.deals if deal.intent and stripe.find(deal.intent)["status"] == "requires_action"
        ]
        if waiting:
            deal = self.lab.random.choice(waiting)
            stripe.authenticate(deal.intent, success=self.lab.random.random() < 0.8)

    def deliver(self, everything: bool = False) -> None:
        """Some of the provider's messages, in any order; those that are not taken come again."""
        events = self.lab.world.events(self._seen)
        for event_id, _, outlet in events:
            if self.lab.random.random() >= LOST:
                self._post += [(event_id, outlet)] * self.lab.random.choice((1, 1, 2))
        self._seen += len(events)
        self.lab.random.shuffle(self._post)
        count = len(self._post) if everything else self.lab.random.randrange(len(self._post) + 1)
        now, self._post = self._post[:count], self._post[count:]
        for event_id, outlet in now:
            answer = self.lab.survive(self.lab.world.event(event_id, outlet))
            if answer is None or answer.status != 200:
                self._post.append((event_id, outlet))

    def work(self) -> None:
        self.lab.survive(None)

    def restart(self) -> None:
        if self.lab.random.random() < 0.2:
            self.lab.restart()
        else:
            self.lab.subject.forget()

    def worsen(self) -> None:
        """Provider or shop in trouble, a little or altogether, until it improves."""
        random = self.lab.random
        host, kinds = random.choice(((STRIPE_HOST, self.troubles), (SHOP_HOST, SHOP_TROUBLES)))
        self.lab.wire.weather = storm(random, host, random.choice((0.3, 0.3, 1.0)), kinds)

    def improve(self) -> None:
        self.lab.wire.weather = fair

    def _create(self, deal: Deal) -> None:
        customer = self.lab.world.place.outlets[deal.outlet].customer
        wanted = {"order_id": deal.order, "customer": customer, "payment_method": f"pm_card_{deal.card}"}
        answer = self.lab.survive(Call("POST", INTENTS, wanted, deal.outlet))
        deal.created = answer
        if answer and answer.status == 200:
            deal.intent = answer.body["id"]
            deal.charge = (answer.body.get("charge") or {}).get("id") or deal.charge

    def _at_order(self, verb: str) -> None:
        deal = self._any(lambda deal: deal.outlet == "manual" and bool(deal.intent))
        if deal is not None:
            path = f"{PAYMENTS}/orders/{deal.order}/{verb}_authorization"
            self.lab.survive(Call("POST", path, {"payment_intent_id": deal.intent}, "manual"))

    def _any(self, wanted: Callable[[Deal], bool] = lambda _: True) -> Deal | None:
        deals = [deal for deal in self.deals if wanted(deal)]
        return self.lab.random.choice(deals) if deals else None


def run(context: RunContext, report: Report) -> None:
    """The seeds do not depend on each other: every CPU plays its share of them."""
    count = SIZES[context.size]
    shares = [range(first, min(first + SHARE, count)) for first in range(0, count, SHARE)]
    for done, part in spread(partial(_share, context.seed, context.subject, context.memory), shares):
        report.add(part)
        report.progress(f"seed {done.stop}")


def _share(seed: int, subject: str, folder: Path, numbers: range) -> Report:
    report = Report("B12", "", seed)
    with RunContext(seed, subject=subject, within=folder) as context, context.listening(report):
        for number in numbers:
            name = f"{seed}/{number}"
            report.judge(f"seed {name}", partial(_story, context, name, report, twice=number % REPLAYED == 0))
    return report


def _story(context: RunContext, seed: str, report: Report, *, twice: bool) -> list[Fault]:
    digest, faults = _play(context, seed, report)
    if twice and _play(context, seed, Report("", "", 0))[0] != digest:
        faults.append(Fault("wrong", "the seed does not replay"))
    return faults


def _play(context: RunContext, seed: str, report: Report) -> tuple[str, list[Fault]]:
    """One seed: a digest of how ledger and shops came out, and what is wrong."""
    with context.lab(seed) as environment:
        story = Story(environment)
        story.run()
        story.end()
        digest = _digest(environment)
        report.flagged += sum(_is_flagged(environment, deal) for deal in story.deals)
        report.faults += environment.wire.troubles + environment.kills
        return digest, story.faults()


def _faults(environment: Environment, deal: Deal) -> list[Fault]:
    facts = environment.judge.facts(deal.outlet, deal.order)
    faults = (
        list(_beside(environment, deal, facts)) if deal.touched else environment.judge.faults(deal.outlet, deal.order)
    )
    amounts = list(facts.sent_back.values())
    for amount, told in deal.refunds.items():
        known = amounts.count(amount)
        if known > 1:
            faults.append(Fault("double", f"order {deal.order}: {known} refunds of {amount}"))
        if told == "done" and not known:
            faults.append(Fault("lost", f"order {deal.order}: the provider knows no refund of {amount}"))
        if told in ("failed", "refused") and known:
            faults.append(Fault("wrong", f"order {deal.order}: a refund of {amount} was said to have failed"))
    last = deal.created.told.get("outcome") if deal.created else None
    if last == "failed" and facts.live:
        faults.append(Fault("wrong", f"order {deal.order}: its payment was said to have failed"))
    if deal.intent:
        faults += _shown(environment, deal)
    return [Fault(fault.kind, f"order {deal.order}: {fault.text}") for fault in faults]


def _beside(environment: Environment, deal: Deal, facts: Facts) -> Iterator[Fault]:
    """What is wrong with an order on which others have acted: all that concerns the money alone, and money that is not
    owed without anybody having been told."""
    is_told = (environment.world.place.outlets[deal.outlet].store_id, deal.order) in environment.subject.flagged()
    is_told = is_told or any(FLAGGED in note for note in facts.notes)
    yield from beyond_limits(facts)
    if len(facts.live) > 1 and not is_told:
        yield Fault("double", f"{len(facts.live)} charges hold or took money")
    kept = facts.captured - facts.refunded
    if kept > deal.owed.sum and not is_told:
        yield Fault("lost", f"{kept} was taken, {deal.owed.sum} is owed, and nobody was told")
    held = [charge for charge in facts.live if not charge.captured]
    if held and deal.owed.ended == "cancelled":
        yield Fault("stuck", f"{held[0].id} is still held, and the order was cancelled")
    elif held and not is_told and (not deal.owed.sum or deal.owed.sum > held[0].authorised or deal.owed.handed_out):
        yield Fault("lost", f"{held[0].id} is held, {deal.owed.sum} is owed, and nobody was told")


def _is_flagged(environment: Environment, deal: Deal) -> bool:
    facts = environment.judge.facts(deal.outlet, deal.order)
    return any(facts.is_flagged(charge) for charge in facts.live)


def _shown(environment: Environment, deal: Deal) -> list[Fault]:
    """What the API shows in the end, to its own client and to another store's."""
    path = f"{INTENTS}/{deal.intent}"
    own = environment.request(Call("GET", path, outlet=deal.outlet))
    other = environment.request(Call("GET", path, outlet="manual" if deal.outlet == "automatic" else "automatic"))
    faults = []
    at_stripe = environment.world.stripe.find(deal.intent)["status"]
    if own.status != 200 or own.body.get("outcome") == "unknown" or own.body["status"] != at_stripe:
        faults.append(Fault("stuck", f"{at_stripe} at the provider, and the bridge shows {own}"))
    if other.status == 200:
        faults.append(Fault("wrong", "another store sees it"))
    return faults


def _digest(environment: Environment) -> str:
    ledger = [entry.to_json() for entry in environment.world.stripe.ledger.entries()]
    orders = [str(facts) for facts in (environment.judge.facts(*order) for order in environment.judge.orders())]
    return hashlib.sha256("\n".join([*ledger, *orders]).encode()).hexdigest()
