"""B1: the process dies at every commit and at every request that leaves it, and another one takes over.

A recording run finds the points of an operation; then each of them kills one run, by SIGKILL and by SIGTERM. A point
that a run does not reach fails the battery.
"""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from bridge.registry.keys import LAST_USED_RESOLUTION
from bridge.selftest.child_main import WORK, Step
from bridge.selftest.child_process import ChildProcess, ChildProcesses, Died
from bridge.selftest.failpoints import Crash
from bridge.selftest.judge import Fault, Judge
from bridge.selftest.report import BROKEN, Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import INTENTS, PAYMENTS, Answer, Call
from bridge.selftest.world import World

SIGNALS = (signal.SIGKILL, signal.SIGTERM)
SIZES: dict[Size, tuple[int, int]] = {"slice": (1, 40), "small": (1, 4), "full": (20, 1)}
"""How many seeds, and of the points of each operation every how manieth."""
LEASES = 300.0
"""Seconds after which nobody waits for what the dead process had in hand."""
ON_ITS_WAY = 700.0
"""Seconds after which a request can no longer arrive: the provider's timeout, ten minutes, and a little."""
RESTARTED = 0.2
"""How often it is a new process that takes over."""
CARDS = {"visa": "pm_card_visa", "declined": "pm_card_chargeDeclined", "challenge": "pm_card_authenticationRequired"}


@dataclass
class Case:
    """One operation on one order. `steps` are what dies; `again` says whether a client may simply repeat them.

    `done` tells from provider and shop whether all that was asked for has happened, once everything is over.
    """

    outlet: str
    order: int
    steps: Sequence[Step]
    done: Callable[[Judge], bool]
    again: bool = True
    delivered: bool = False
    """The steps are a provider's message, which is sent again until it is acknowledged."""


@dataclass
class Stage:
    """Where the runs of one seed happen."""

    world: World
    children: ChildProcesses
    seed: str
    subject: str
    random: Random = field(init=False)
    judge: Judge = field(init=False)
    _twins: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.judge = Judge(self.world)

    def start_child(self) -> ChildProcess:
        return self.children.start(self.world.place, self.seed, self.subject)

    def twin(self, child: ChildProcess) -> ChildProcess:
        self._twins += 1
        return child.fork(f"{self.seed}/twin/{self._twins}")

    def create(self, outlet: str, order: int, card: str = "visa") -> Call:
        body = {
            "order_id": order,
            "customer": self.world.place.outlets[outlet].customer,
            "payment_method": CARDS[card],
        }
        return Call("POST", INTENTS, body, outlet)

    def made(self, child: ChildProcess, outlet: str, card: str = "visa") -> tuple[int, str]:
        """A payment that is there already: its order and its intent."""
        order = self.world.new_order(outlet)
        answer = child.request(self.create(outlet, order, card))
        if answer.status != 200:
            raise RuntimeError(f"the payment that was to be there already: {answer}")
        child.work()
        return order, answer.body["id"]


def run(context: RunContext, report: Report) -> None:
    seeds, share = SIZES[context.size]
    for seed in range(context.seed, context.seed + seeds):
        for kind in context.present(report):
            folder = context.new_folder()
            with context.database(kind, folder) as url, World(folder, url, str(seed)) as world:
                _every_operation(Stage(world, context.children, str(seed), context.subject), report, share)
            report.progress(f"{kind}, seed {seed}")


def _every_operation(stage: Stage, report: Report, share: int) -> None:
    child = stage.start_child()
    for name, prepare in OPERATIONS.items():
        child = _operation(stage, child, name, prepare, report, share)
    child.close()


def _operation(
    stage: Stage, child: ChildProcess, name: str, prepare: "Prepare", report: Report, share: int
) -> ChildProcess:
    """The recording run, and then one for each of its points and signals."""
    where = f"seed {stage.seed}, {name}"
    try:
        case = prepare(stage, child)
        recorder = stage.twin(child)
        recorder.arm(None)
        recorder.play(case.steps)
        points = recorder.points()
        recorder.close()
        child = survive(stage, child, case, f"{where} without a crash", report, acknowledged=True)
    except BROKEN as error:
        report.violate(where, Fault("wrong", f"it does not even work without a crash: {error!r}"))
        return stage.start_child()
    for index in range(stage.random.randrange(share), len(points), share):
        for number in SIGNALS:
            at = f"{where}, {number.name} at point {index} ({points[index]})"
            try:
                child = _crash(stage, child, prepare, Crash(index, number), at, report)
            except BROKEN as error:
                report.violate(at, Fault("wrong", f"the run broke: {error!r}"))
                child.close()
                child = stage.start_child()
    return child


def _crash(
    stage: Stage, child: ChildProcess, prepare: "Prepare", crash: Crash, where: str, report: Report
) -> ChildProcess:
    case = prepare(stage, child)
    victim = stage.twin(child)
    victim.arm(crash)
    report.faults += 1
    acknowledged = False
    try:
        answer: Answer | None = None
        for step in case.steps:
            answer = victim.play([step]) or answer
            acknowledged = acknowledged or bool(answer and answer.status == 200)
        report.violate(where, Fault("wrong", "the point was not reached"))
    except Died as death:
        if death.point is None:
            report.violate(where, Fault("wrong", "the process died elsewhere"))
    victim.close()
    return survive(stage, child, case, where, report, acknowledged)


def survive(
    stage: Stage, child: ChildProcess, case: Case, where: str, report: Report, acknowledged: bool
) -> ChildProcess:
    """Another process takes over, one that ran all the time or one that is started: perhaps the client asks again, the
    worker has two ticks, and the judge looks."""
    report.runs += 1
    if stage.random.random() < RESTARTED:
        child.close()
        child = stage.start_child()
    clock = stage.world.clock
    clock.advance(LEASES)
    if (case.delivered and not acknowledged) or (case.again and stage.random.random() < 0.5):
        child.play([step for step in case.steps if step is not WORK])
    child.work()
    clock.advance(ON_ITS_WAY)
    child.work()
    faults = stage.judge.faults(case.outlet, case.order)
    answer = None
    if case.again:
        answer = child.play(case.steps)
        child.work()
        faults += stage.judge.faults(case.outlet, case.order)
    unsettled = answer is not None and answer.told.get("outcome") == "unknown"
    if unsettled or not case.done(stage.judge):
        faults.append(Fault("stuck", f"not settled after two ticks: {answer or 'no answer'}"))
    report.settle(not any(fault.kind in ("stuck", "lost") for fault in faults))
    report.violate(where, *dict.fromkeys(faults))
    return child


def _create(card: str, outlet: str, live: int, stage: Stage, _: ChildProcess) -> Case:
    """A client asks for a payment that leaves so many live charges. It has not been here for a while."""
    stage.world.clock.advance(LAST_USED_RESOLUTION)
    order = stage.world.new_order(outlet)
    steps = [stage.create(outlet, order, card)]
    return Case(outlet, order, steps, lambda judge: len(judge.facts(outlet, order).live) == live)


def _confirm(stage: Stage, child: ChildProcess) -> Case:
    """The buyer has passed the challenge, and the client asks how its payment stands by asking for it again."""
    order, intent = stage.made(child, "automatic", "challenge")
    stage.world.stripe.authenticate(intent)
    steps = [stage.create("automatic", order, "challenge")]
    return Case("automatic", order, steps, lambda judge: judge.facts("automatic", order).captured > 0)


def _capture(stage: Stage, child: ChildProcess) -> Case:
    order, intent = stage.made(child, "manual")
    steps = [_at_order(order, "capture_authorization", intent)]
    return Case("manual", order, steps, lambda judge: judge.facts("manual", order).captured > 0)


def _cancel(stage: Stage, child: ChildProcess) -> Case:
    order, intent = stage.made(child, "manual")

    def done(judge: Judge) -> bool:
        facts = judge.facts("manual", order)
        return not facts.live and facts.order["status"] == "cancelled"

    return Case("manual", order, [_at_order(order, "cancel_authorization", intent)], done)


def _at_order(order: int, route: str, intent: str) -> Call:
    return Call("POST", f"{PAYMENTS}/orders/{order}/{route}", {"payment_intent_id": intent}, "manual")


def _refund(whole: bool, stage: Stage, child: ChildProcess) -> Case:
    """A refund of all, which can be asked for twice, or of a part, which a client must not repeat blindly."""
    order, _ = stage.made(child, "automatic")
    amount = 1023 if whole else stage.random.randrange(1, 1023)
    call = Call("POST", f"{PAYMENTS}/refund", {"order_id": order, "amount": amount})

    def done(judge: Judge) -> bool:
        sent_back = judge.facts("automatic", order).refunded
        return sent_back == amount if whole else sent_back in (0, amount)

    return Case("automatic", order, [call], done, again=whole)


def _confirmed(stage: Stage, child: ChildProcess) -> Case:
    """The provider tells of a payment that the buyer has confirmed."""
    order, intent = stage.made(child, "automatic", "challenge")
    stage.world.stripe.authenticate(intent)
    return _told(stage, order, "payment_intent.succeeded", 0)


def _sent_back(stage: Stage, child: ChildProcess) -> Case:
    """The provider tells of a refund from its dashboard."""
    order, intent = stage.made(child, "automatic")
    amount = stage.random.randrange(1, 1024)
    stage.world.at_stripe("refunds", payment_intent=intent, amount=amount)
    return _told(stage, order, "charge.refunded", amount)


def _told(stage: Stage, order: int, kind: str, refunded: int) -> Case:
    event = next(event_id for event_id, told, _ in reversed(stage.world.events()) if told == kind)

    def done(judge: Judge) -> bool:
        facts = judge.facts("automatic", order)
        return (facts.captured, facts.refunded) == (1023, refunded)

    steps: list[Step] = [stage.world.event(event, "automatic"), WORK]
    return Case("automatic", order, steps, done, again=False, delivered=True)


def _delivery(refunded: int, stage: Stage, child: ChildProcess) -> Case:
    """The worker dies while it tells the shop, of a payment or of a refund."""
    order = stage.world.new_order("automatic")
    created = child.request(stage.create("automatic", order)).body
    if refunded:
        child.work()
        wanted = {"charge_id": created["charge"]["id"], "amount": refunded}
        child.request(Call("POST", f"{PAYMENTS}/refund", wanted))
    return Case("automatic", order, [WORK], lambda j: j.facts("automatic", order).refunded == refunded, again=False)


Prepare = Callable[[Stage, ChildProcess], Case]
OPERATIONS: dict[str, Prepare] = {
    "delivery of a payment": partial(_delivery, 0),
    "delivery of a refund": partial(_delivery, 321),
    "webhook of a payment": _confirmed,
    "webhook of a refund": _sent_back,
    "confirm": _confirm,
    "capture": _capture,
    "cancel": _cancel,
    "refund": partial(_refund, True),
    "refund of a part": partial(_refund, False),
    "create": partial(_create, "visa", "automatic", 1),
    "create declined": partial(_create, "declined", "automatic", 0),
    "create held": partial(_create, "visa", "manual", 1),
    "create challenged": partial(_create, "challenge", "automatic", 0),
}
"""Those that leave something open come last: what is open is looked at again and again."""
