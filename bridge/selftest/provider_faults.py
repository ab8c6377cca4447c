"""B2: the provider breaks down in every way, three times in ten, while payments and refunds are made."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

import requests

from bridge.selftest.environment import Environment
from bridge.selftest.judge import Fault
from bridge.selftest.network import PROVIDER_TROUBLES, Trouble, Weather, fair
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import PAYMENTS, Answer, Call
from bridge.selftest.world import STRIPE_HOST

SIZES: dict[Size, int] = {"slice": 1, "small": 8, "full": 200}
"""How many batches."""
CREATES, REFUNDS = 50, 10
"""Of each batch."""
RATE = 0.3
HOURS = 3
"""How long it goes on after the last request."""


@dataclass
class Buyer:
    """One order, and what its client was told."""

    outlet: str
    order: int
    charge: str = ""
    answers: list[Answer] = field(default_factory=list)
    refunds: list[tuple[int, Answer]] = field(default_factory=list)

    @property
    def was_told_no(self) -> bool:
        return bool(self.answers) and self.answers[-1].told.get("outcome") == "failed"


def storm(random: Random, host: str, rate: float, kinds: tuple[Trouble, ...]) -> Weather:
    """Every request to the host gets into trouble with that probability."""

    def weather(to: str, _request: requests.PreparedRequest) -> Trouble | None:
        return random.choice(kinds) if to == host and random.random() < rate else None

    return weather


def run(context: RunContext, report: Report) -> None:
    for number in range(SIZES[context.size]):
        seed = f"{context.seed}/{number}"
        with context.lab(seed) as environment:
            _batch(environment, seed, report)
            report.faults += environment.wire.troubles
        if number % 10 == 9:
            report.progress(f"batch {number + 1}")


def _batch(environment: Environment, seed: str, report: Report) -> None:
    environment.wire.weather = storm(environment.random, STRIPE_HOST, RATE, PROVIDER_TROUBLES)
    buyers = [_buy(environment) for _ in range(CREATES)]
    paid = [buyer for buyer in buyers if buyer.charge]
    for buyer in environment.random.sample(paid, min(REFUNDS, len(paid))):
        _send_back(environment, buyer)
    for _ in range(HOURS * 4):
        environment.tick(900)
    environment.wire.weather = fair
    for _ in range(2):
        environment.tick()
    for number, buyer in enumerate(buyers):
        report.runs += len(buyer.refunds)
        report.judge(f"seed {seed}, order {number}", partial(_faults, environment, buyer))


def _create(environment: Environment, buyer: Buyer) -> None:
    answer = environment.create(buyer.outlet, buyer.order)
    buyer.answers.append(answer)
    if answer.status == 200 and answer.body.get("status") == "succeeded":
        buyer.charge = answer.body["charge"]["id"]


def _buy(environment: Environment) -> Buyer:
    """A client asks, and perhaps asks again if it got no good answer."""
    outlet = environment.random.choice(("automatic", "automatic", "manual"))
    buyer = Buyer(outlet, environment.world.new_order(outlet))
    _create(environment, buyer)
    while buyer.answers[-1].status != 200 and environment.random.random() < 0.4:
        environment.pass_time(environment.random.uniform(0, 90))
        _create(environment, buyer)
    if environment.random.random() < 0.3:
        environment.pass_time(environment.random.uniform(0, 120))
        environment.subject.work()
    return buyer


def _send_back(environment: Environment, buyer: Buyer) -> None:
    """One refund or two, which differ, and are never asked for twice."""
    for amount in environment.random.sample((100, 200, 300, 400), environment.random.choice((1, 1, 2))):
        wanted = {"charge_id": buyer.charge, "amount": amount}
        buyer.refunds.append((amount, environment.request(Call("POST", f"{PAYMENTS}/refund", wanted, buyer.outlet))))
        environment.pass_time(environment.random.uniform(0, 30))


def _faults(environment: Environment, buyer: Buyer) -> list[Fault]:
    """All that is wrong about one order, before and after its client asks for the last time."""
    faults = environment.judge.faults(buyer.outlet, buyer.order)
    before = environment.judge.facts(buyer.outlet, buyer.order)
    if buyer.was_told_no and before.live:
        faults.append(Fault("wrong", f"a false failed: {buyer.answers[-1]}"))
    if any(answer.status == 200 for answer in buyer.answers) and not before.live:
        faults.append(Fault("lost", "a success that the provider does not know"))
    faults += _refund_faults(environment, buyer)
    _create(environment, buyer)
    environment.subject.work()
    if buyer.answers[-1].status != 200:
        faults.append(Fault("stuck", f"in fair weather: {buyer.answers[-1]}"))
    elif len(environment.judge.facts(buyer.outlet, buyer.order).live) != 1:
        faults.append(Fault("lost", "no charge in the end"))
    return faults + environment.judge.faults(buyer.outlet, buyer.order)


def _refund_faults(environment: Environment, buyer: Buyer) -> list[Fault]:
    if not buyer.refunds:
        return []
    facts, faults = environment.judge.facts(buyer.outlet, buyer.order), []
    amounts = list(facts.sent_back.values())
    for amount, answer in buyer.refunds:
        known = amounts.count(amount)
        outcome = "done" if answer.status == 200 else answer.told.get("outcome")
        if known > 1:
            faults.append(Fault("double", f"{known} refunds of {amount}"))
        if outcome == "done" and not known:
            faults.append(Fault("lost", f"a refund of {amount} that the provider does not know"))
        if outcome not in ("done", "unknown") and known:
            faults.append(Fault("wrong", f"a false failed: {answer}"))
    shown = environment.request(Call("GET", f"{PAYMENTS}/charges/{buyer.charge}", outlet=buyer.outlet)).body or {}
    if shown.get("amount_refunded") != facts.refunded:
        faults.append(Fault("stuck", f"{shown.get('amount_refunded')} refunded, the provider says {facts.refunded}"))
    return faults
