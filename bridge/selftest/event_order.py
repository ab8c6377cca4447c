"""B5: the provider's messages come doubled, shuffled, not at all, and before the answer that they are about."""

from functools import partial
from random import Random

import requests

from bridge.selftest.environment import Environment
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import PAYMENTS, Call
from bridge.selftest.world import STRIPE_HOST

SIZES: dict[Size, int] = {"slice": 1, "small": 5, "full": 500}
"""How many worlds."""
STREAMS = 20
"""Of each world."""
LOST = 0.02
DAY = 24 * 3600.0


def run(context: RunContext, report: Report) -> None:
    for number in range(SIZES[context.size]):
        seed = f"{context.seed}/{number}"
        with context.lab(seed) as environment:
            for index in range(STREAMS):
                report.judge(f"seed {seed}, stream {index}", partial(_stream, environment, report))
        if number % 25 == 24:
            report.progress(f"world {number + 1}")


def _stream(environment: Environment, report: Report) -> list[Fault]:
    before = len(environment.world.events())
    outlet, order = _story(environment)
    events = [event_id for event_id, _, _ in environment.world.events(before)]
    sent = _disturbed(environment.random, events)
    report.faults += abs(len(sent) - len(events)) + 1
    faults = []
    for event in sent:
        answer = environment.request(environment.world.event(event, outlet))
        if answer.status != 200:
            faults.append(Fault("wrong", f"a message was not taken: {answer}"))
        if environment.random.random() < 0.2:
            environment.tick(environment.random.uniform(0, 60))
    for _ in range(2):
        environment.tick(DAY)
    faults += environment.judge.faults(outlet, order)
    facts = environment.judge.facts(outlet, order)
    paid = [note for note in facts.notes if "Payment via" in note or "successfully c" in note]
    if facts.live and facts.captured and len(paid) != 1:
        faults.append(Fault("double" if paid else "lost", f"{len(paid)} notes of one payment"))
    return faults


def _story(environment: Environment) -> tuple[str, int]:
    """A payment and what became of it at the provider; half of the time its first message overtakes our answer."""
    random, world = environment.random, environment.world
    outlet = random.choice(("automatic", "manual"))
    order = world.new_order(outlet)
    card = random.choice(("visa", "visa", "authenticationRequired", "chargeDeclined"))
    if random.random() < 0.5:
        _overtake(environment, outlet)
    body = environment.create(outlet, order, f"pm_card_{card}").body
    environment.wire.arrived = None
    if random.random() < 0.5:
        environment.subject.work()
    if card == "authenticationRequired":
        world.stripe.authenticate(body["id"], success=random.random() < 0.8)
    intents = [charge.intent for charge in environment.judge.facts(outlet, order).live]
    if intents and outlet == "manual":
        _after_the_hold(environment, order, intents[0])
    elif intents:
        _refund(environment, outlet, order, intents[0])
    return outlet, order


def _after_the_hold(environment: Environment, order: int, intent: str) -> None:
    """Captured or cancelled, by the API or at the provider's dashboard."""
    verb = environment.random.choice(("capture", "cancel", "nothing"))
    if verb == "nothing":
        return
    if environment.random.random() < 0.5:
        environment.world.at_stripe(f"payment_intents/{intent}/{verb}")
    else:
        path = f"{PAYMENTS}/orders/{order}/{verb}_authorization"
        environment.request(Call("POST", path, {"payment_intent_id": intent}, "manual"))
    if environment.judge.facts("manual", order).captured:
        _refund(environment, "manual", order, intent)


def _refund(environment: Environment, outlet: str, order: int, intent: str) -> None:
    for amount in environment.random.sample((100, 200, 300, 1023), environment.random.randrange(3)):
        left = 1023 - environment.judge.facts(outlet, order).refunded
        if amount > left:
            continue
        if environment.random.random() < 0.5:
            environment.world.at_stripe("refunds", payment_intent=intent, amount=amount)
        else:
            environment.request(Call("POST", f"{PAYMENTS}/refund", {"order_id": order, "amount": amount}, outlet))


def _overtake(environment: Environment, outlet: str) -> None:
    """The next payment's messages come while its create still waits for the answer."""
    before = len(environment.world.events())

    def deliver(host: str, request: requests.PreparedRequest) -> None:
        if host != STRIPE_HOST or request.method != "POST" or not (request.url or "").endswith("/v1/payment_intents"):
            return
        environment.wire.arrived = None
        for event_id, _, _ in environment.world.events(before):
            environment.request(environment.world.event(event_id, outlet))
        if environment.random.random() < 0.5:
            environment.subject.work()

    environment.wire.arrived = deliver


def _disturbed(random: Random, events: list[str]) -> list[str]:
    kept = [event for event in events if random.random() >= LOST]
    repeated = [event for event in kept for _ in range(random.choice((1, 1, 1, 2, 3, 5)))]
    random.shuffle(repeated)
    return repeated
