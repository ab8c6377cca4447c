"""B8: the shop is away for a day, in every way in which shops are away, while thousands of updates are owed to it; then
the bridge is away for an hour, until the shop has switched its webhooks off."""

from functools import partial

from bridge.selftest.beside import away
from bridge.selftest.beside.towns import Towns
from bridge.selftest.environment import Environment
from bridge.selftest.judge import REFUND_ID, Fault
from bridge.selftest.network import Trouble, fair
from bridge.selftest.provider_faults import storm
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import PAYMENTS, Call
from bridge.selftest.world import SHOP_HOST

SIZES: dict[Size, int] = {"slice": 4, "small": 40, "full": 1000}
"""How many orders; each is told of five times."""
REFUNDS = (101, 103, 107, 109)
HOUR = 3600.0
KINDS = (
    Trouble.ERROR_500,
    Trouble.ERROR_503,
    Trouble.STALLED,
    Trouble.DROPPED,
    Trouble.RATE_LIMITED,
    Trouble.REDIRECT,
    Trouble.GONE,
    Trouble.TLS,
    Trouble.UNREACHED,
    Trouble.HTML,
)


def run(context: RunContext, report: Report) -> None:
    seed = str(context.seed)
    with context.lab(seed) as environment:
        charges = _pay(environment, SIZES[context.size])
        report.progress(f"{len(charges)} payments")
        _outage(environment, charges, report)
        report.progress("the outage is over")
        environment.wire.weather = fair
        for _ in range(2):
            environment.tick()
        report.faults += environment.wire.troubles
        for order in charges:
            report.runs += len(REFUNDS)
            report.judge(f"seed {seed}, order {order}", partial(_faults, environment, order))
    for kind in context.present(report):
        with Towns(context, kind).open(seed) as town:
            away.run(town, max(SIZES[context.size] // 10, 2), report, seed)
        report.progress(f"the bridge is back, {kind}")


def _pay(environment: Environment, count: int) -> dict[int, str]:
    """Orders with their charges. The shop answers when it is asked, and goes away before it is told."""
    charges = {}
    for _ in range(count):
        order = environment.world.new_order("automatic")
        charges[order] = environment.create("automatic", order).body["charge"]["id"]
    return charges


def _outage(environment: Environment, charges: dict[int, str], report: Report) -> None:
    """Twenty-four hours. Money is sent back meanwhile, which needs no shop; the worker works every ten minutes."""
    begun = environment.clock()
    wanted = [(order, amount) for amount in REFUNDS for order in charges]
    environment.wire.weather = storm(environment.random, SHOP_HOST, 1.0, KINDS)
    ticks = 144
    for tick in range(ticks):
        for order, amount in wanted[tick * len(wanted) // ticks : (tick + 1) * len(wanted) // ticks]:
            body = {"charge_id": charges[order], "amount": amount}
            answer = environment.request(Call("POST", f"{PAYMENTS}/refund", body))
            if answer.status != 200:
                report.violate(f"order {order}", Fault("wrong", f"a refund during the outage: {answer}"))
        environment.clock.set(max(environment.clock(), begun + tick * 600))
        environment.subject.work(until=begun + (tick + 1) * 600)
    environment.clock.set(max(environment.clock(), begun + 24 * HOUR))


def _faults(environment: Environment, order: int) -> list[Fault]:
    """Delivered once each, and in the order in which it happened."""
    faults = environment.judge.faults("automatic", order)
    facts = environment.judge.facts("automatic", order)
    sent_back = list(facts.sent_back)
    told = [meta["value"] for refund in facts.shop_refunds for meta in refund["meta_data"] if meta["key"] == REFUND_ID]
    if told != sent_back:
        faults.append(Fault("wrong", f"the shop heard of {told}, and it happened as {sent_back}"))
    paid = [index for index, note in enumerate(facts.notes) if "Payment via" in note or "successfully charged" in note]
    refunds = [index for index, note in enumerate(facts.notes) if "was successfully processed" in note]
    if len(paid) != 1 or len(refunds) != len(sent_back) or paid[0] > min(refunds):
        faults.append(Fault("wrong", f"notes: {list(facts.notes)}"))
    return faults
