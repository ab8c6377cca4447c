"""B2: the provider breaks down in every way, three times in ten, while payments and refunds are made."""

from dataclasses import dataclass, field
from functools import partial
from random import Random

import requests

from bridge.selftest.environment import Lab
from bridge.selftest.judge import Fault
from bridge.selftest.network import PROVIDER_TROUBLES, Trouble, Weather, fair
from bridge.selftest.report import Tally
from bridge.selftest.run_context import Bench, Size
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


def run(bench: Bench, tally: Tally) -> None:
    for number in range(SIZES[bench.size]):
        seed = f"{bench.seed}/{number}"
        with bench.lab(seed) as lab:
            _batch(lab, seed, tally)
            tally.faults += lab.wire.troubles
        if number % 10 == 9:
            tally.progress(f"batch {number + 1}")


def _batch(lab: Lab, seed: str, tally: Tally) -> None:
    lab.wire.weather = storm(lab.random, STRIPE_HOST, RATE, PROVIDER_TROUBLES)
    buyers = [_buy(lab) for _ in range(CREATES)]
    paid = [buyer for buyer in buyers if buyer.charge]
    for buyer in lab.random.sample(paid, min(REFUNDS, len(paid))):
        _send_back(lab, buyer)
    for _ in range(HOURS * 4):
        lab.tick(900)
    lab.wire.weather = fair
    for _ in range(2):
        lab.tick()
    for number, buyer in enumerate(buyers):
        tally.runs += len(buyer.refunds)
        tally.judge(f"seed {seed}, order {number}", partial(_faults, lab, buyer))


def _create(lab: Lab, buyer: Buyer) -> None:
    answer = lab.create(buyer.outlet, buyer.order)
    buyer.answers.append(answer)
    if answer.status == 200 and answer.body.get("status") == "succeeded":
        buyer.charge = answer.body["charge"]["id"]


def _buy(lab: Lab) -> Buyer:
    """A client asks, and perhaps asks again if it got no good answer."""
    outlet = lab.random.choice(("automatic", "automatic", "manual"))
    buyer = Buyer(outlet, lab.world.new_order(outlet))
    _create(lab, buyer)
    while buyer.answers[-1].status != 200 and lab.random.random() < 0.4:
        lab.pass_time(lab.random.uniform(0, 90))
        _create(lab, buyer)
    if lab.random.random() < 0.3:
        lab.pass_time(lab.random.uniform(0, 120))
        lab.subject.work()
    return buyer


def _send_back(lab: Lab, buyer: Buyer) -> None:
    """One refund or two, which differ, and are never asked for twice."""
    for amount in lab.random.sample((100, 200, 300, 400), lab.random.choice((1, 1, 2))):
        wanted = {"charge_id": buyer.charge, "amount": amount}
        buyer.refunds.append((amount, lab.request(Call("POST", f"{PAYMENTS}/refund", wanted, buyer.outlet))))
        lab.pass_time(lab.random.uniform(0, 30))


def _faults(lab: Lab, buyer: Buyer) -> list[Fault]:
    """All that is wrong about one order, before and after its client asks for the last time."""
    faults = lab.judge.faults(buyer.outlet, buyer.order)
    before = lab.judge.facts(buyer.outlet, buyer.order)
    if buyer.was_told_no and before.live:
        faults.append(Fault("wrong", f"a false failed: {buyer.answers[-1]}"))
    if any(answer.status == 200 for answer in buyer.answers) and not before.live:
        faults.append(Fault("lost", "a success that the provider does not know"))
    faults += _refund_faults(lab, buyer)
    _create(lab, buyer)
    lab.subject.work()
    if buyer.answers[-1].status != 200:
        faults.append(Fault("stuck", f"in fair weather: {buyer.answers[-1]}"))
    elif len(lab.judge.facts(buyer.outlet, buyer.order).live) != 1:
        faults.append(Fault("lost", "no charge in the end"))
    return faults + lab.judge.faults(buyer.outlet, buyer.order)


def _refund_faults(lab: Lab, buyer: Buyer) -> list[Fault]:
    if not buyer.refunds:
        return []
    facts, faults = lab.judge.facts(buyer.outlet, buyer.order), []
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
    shown = lab.request(Call("GET", f"{PAYMENTS}/charges/{buyer.charge}", outlet=buyer.outlet)).body or {}
    if shown.get("amount_refunded") != facts.refunded:
        faults.append(Fault("stuck", f"{shown.get('amount_refunded')} refunded, the provider says {facts.refunded}"))
    return faults
