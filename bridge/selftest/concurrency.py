"""B3, B3b, B6 and B7: many at once, over several processes on one database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random

from bridge.selftest.child_main import WORK, Step
from bridge.selftest.child_process import ChildProcess, together
from bridge.selftest.judge import Fault, Judge
from bridge.selftest.report import Report
from bridge.selftest.run_context import Kind, RunContext, Size
from bridge.selftest.system_under_test import INTENTS, PAYMENTS, Answer, Call, prying
from bridge.selftest.world import World

CREATES: dict[Size, tuple[int, int]] = {"slice": (2, 12), "small": (8, 50), "full": (500, 50)}
"""Rounds on each kind of database, and how many identical creates in each."""
REFUNDS: dict[Size, int] = {"slice": 2, "small": 12, "full": 1000}
DUELS: dict[Size, int] = {"slice": 1, "small": 5, "full": 1000}
"""Rounds on each kind of database, of every duel."""
PROCESSES = 4
NOW = 1.0
LATER = 700.0
DOCUMENTED = frozenset({"in_progress", "outcome_unknown", "order_paid", "idempotency_key_in_use"})
"""Why one of many may be turned away."""


@dataclass
class Ring:
    """Some processes on one database."""

    world: World
    children: Sequence[ChildProcess]
    random: Random
    judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        self.judge = Judge(self.world)

    def together(self, steps: Sequence[Step]) -> list[Answer]:
        return together(self.children, steps)

    def create(self, outlet: str, order: int, card: str = "visa", key: str = "") -> Call:
        customer = self.world.place.outlets[outlet].customer
        wanted = {"order_id": order, "customer": customer, "payment_method": f"pm_card_{card}"}
        return Call("POST", INTENTS, wanted, outlet, {"Idempotency-Key": key} if key else {})

    def paid(self, outlet: str = "automatic", card: str = "visa") -> tuple[int, str, str]:
        """A payment that is there: order, intent and charge."""
        order = self.world.new_order(outlet)
        answer = self.children[0].request(self.create(outlet, order, card))
        if answer.status != 200:
            raise RuntimeError(f"the payment that was to be there already: {answer}")
        self.children[0].work()
        return order, answer.body["id"], (answer.body.get("charge") or {}).get("id", "")

    def settle(self) -> None:
        for seconds in (NOW, LATER):
            self.world.clock.advance(seconds)
            self.children[0].work()


Round = Callable[[Ring], tuple[str, int, list[Fault]]]
"""One race: the outlet and order that it was about, and what was wrong with the answers."""


def identical_with_a_key(context: RunContext, report: Report) -> None:
    rounds, count = CREATES[context.size]
    _every(context, report, rounds, lambda ring: _identical(ring, count, f"key-{ring.random.getrandbits(64)}"))


def identical_without_a_key(context: RunContext, report: Report) -> None:
    rounds, count = CREATES[context.size]
    _every(context, report, rounds, lambda ring: _identical(ring, count, ""))


def refunds(context: RunContext, report: Report) -> None:
    _every(context, report, REFUNDS[context.size], _refunds)


def duels(context: RunContext, report: Report) -> None:
    for duel in (_capture_and_cancel, _confirm_and_webhook, _refund_and_webhook):
        _every(context, report, DUELS[context.size], duel)


def _every(context: RunContext, report: Report, rounds: int, play: Round) -> None:
    for kind in context.present(report):
        with open_ring(context, kind) as ring:
            for number in range(rounds):
                report.judge(f"seed {context.seed}, {kind}, round {number}", partial(_round, ring, play))
                if number % 50 == 49:
                    report.progress(f"{kind}, round {number + 1}")


def _round(ring: Ring, play: Round) -> list[Fault]:
    outlet, order, faults = play(ring)
    ring.settle()
    return faults + ring.judge.faults(outlet, order)


@contextmanager
def open_ring(context: RunContext, kind: Kind, processes: int = PROCESSES) -> Iterator[Ring]:
    """So many processes on a new database."""
    folder, seed = context.new_folder(), f"{context.seed}/{kind}"
    with context.database(kind, folder) as url, World(folder, url, seed) as world:
        children = [context.children.start(world.place, seed, context.subject) for _ in range(processes)]
        try:
            yield Ring(world, children, Random(seed))
            for call in prying(world.place):
                children[0].request(call)
        finally:
            for child in children:
                child.close()


def _identical(ring: Ring, count: int, key: str) -> tuple[str, int, list[Fault]]:
    outlet = ring.random.choice(("automatic", "manual"))
    order = ring.world.new_order(outlet)
    answers = ring.together([ring.create(outlet, order, key=key)] * count)
    faults = []
    good = {answer.body["id"] for answer in answers if answer.status == 200}
    if len(good) != 1:
        faults.append(Fault("wrong", f"{len(good)} different payments were answered"))
    strange = [one for one in answers if one.status != 200 and one.told.get("reason") not in DOCUMENTED]
    faults += [Fault("wrong", f"an answer that is not documented: {answer}") for answer in strange]
    if len(ring.judge.facts(outlet, order).charges) > 1:
        faults.append(Fault("double", "more than one charge"))
    return outlet, order, faults


def _refunds(ring: Ring) -> tuple[str, int, list[Fault]]:
    """Two to twenty at once, together more than was taken; equal sums for different reasons are different refunds."""
    order, _, charge = ring.paid()
    amounts = [ring.random.choice((100, 250, 333, 500, 1023)) for _ in range(ring.random.randrange(2, 21))]
    calls = [
        Call("POST", f"{PAYMENTS}/refund", {"charge_id": charge, "amount": amount, "reason": f"reason {number}"})
        for number, amount in enumerate(amounts)
    ]
    answers = ring.together(calls)
    done = {answer.body["id"]: answer.body["amount"] for answer in answers if answer.status == 200}
    sent_back = ring.judge.facts("automatic", order).sent_back
    faults = []
    if done != sent_back:
        faults.append(Fault("wrong", f"answered {done}, sent back {sent_back}"))
    if not done:
        faults.append(Fault("wrong", f"none of {amounts} was sent back: {answers[0]}"))
    left = 1023 - sum(sent_back.values())
    refused = [amount for amount, answer in zip(amounts, answers, strict=True) if answer.status != 200]
    if fitting := [amount for amount in refused if amount <= left]:
        faults.append(Fault("wrong", f"{fitting} were refused and would have fitted: {amounts}"))
    return "automatic", order, faults


def _capture_and_cancel(ring: Ring) -> tuple[str, int, list[Fault]]:
    order, intent, _ = ring.paid("manual")
    path = f"{PAYMENTS}/orders/{order}"
    wanted = {"payment_intent_id": intent}
    calls = [Call("POST", f"{path}/{verb}_authorization", wanted, "manual") for verb in ("capture", "cancel")]
    capture, cancel = ring.together([*calls, *calls])[:2]
    facts, faults = ring.judge.facts("manual", order), []
    if cancel.status == 200 and facts.captured:
        faults.append(Fault("wrong", f"cancelled, it was said, and it is captured: {cancel}"))
    if capture.status == 200 and not facts.captured:
        faults.append(Fault("wrong", f"captured, it was said, and it is not: {capture}"))
    return "manual", order, faults + _agree(ring, "manual", intent)


def _confirm_and_webhook(ring: Ring) -> tuple[str, int, list[Fault]]:
    """The buyer has confirmed: the client asks, the provider tells, and two workers work, all at once."""
    order, intent, _ = ring.paid("automatic", "authenticationRequired")
    before = len(ring.world.events())
    ring.world.stripe.authenticate(intent)
    events = [ring.world.event(event, "automatic") for event, _, _ in ring.world.events(before)]
    ring.together([ring.create("automatic", order, "authenticationRequired"), *events, WORK, WORK])
    return "automatic", order, _agree(ring, "automatic", intent)


def _refund_and_webhook(ring: Ring) -> tuple[str, int, list[Fault]]:
    """A refund at the provider's dashboard is told of while another one is asked for."""
    order, intent, charge = ring.paid()
    before = len(ring.world.events())
    ring.world.at_stripe("refunds", payment_intent=intent, amount=ring.random.randrange(1, 500))
    events = [ring.world.event(event, "automatic") for event, _, _ in ring.world.events(before)]
    wanted = Call("POST", f"{PAYMENTS}/refund", {"charge_id": charge, "amount": 501})
    answer = ring.together([wanted, *events, WORK, WORK])[0]
    sent_back = 501 in ring.judge.facts("automatic", order).sent_back.values()
    faults = [] if sent_back == (answer.status == 200) else [Fault("wrong", f"sent back: {sent_back}, but {answer}")]
    return "automatic", order, faults


def _agree(ring: Ring, outlet: str, intent: str) -> list[Fault]:
    """After a tick the bridge shows what the provider has."""
    ring.settle()
    shown = ring.children[-1].request(Call("GET", f"{INTENTS}/{intent}", outlet=outlet))
    status = ring.world.stripe.find(intent)["status"]
    if shown.status != 200 or shown.body["status"] != status or shown.body.get("outcome") == "unknown":
        return [Fault("stuck", f"{status} at the provider, and the bridge shows {shown}")]
    return []
