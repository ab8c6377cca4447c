"""B8: the shop is away for a day, in every way in which shops are away, while thousands of updates are owed to it; then
the bridge is away for an hour, until the shop has switched its webhooks off."""

from functools import partial

from bridge.selftest.beside import away
from bridge.selftest.beside.towns import Towns
from bridge.selftest.environment import Lab
from bridge.selftest.judge import REFUND_ID, Fault
from bridge.selftest.network import Trouble, fair
from bridge.selftest.provider_faults import storm
from bridge.selftest.report import Tally
from bridge.selftest.run_context import Bench, Size
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


def run(bench: Bench, tally: Tally) -> None:
    seed = str(bench.seed)
    with bench.lab(seed) as lab:
        charges = _pay(lab, SIZES[bench.size])
        tally.progress(f"{len(charges)} payments")
        _outage(lab, charges, tally)
        tally.progress("the outage is over")
        lab.wire.weather = fair
        for _ in range(2):
            lab.tick()
        tally.faults += lab.wire.troubles
        for order in charges:
            tally.runs += len(REFUNDS)
            tally.judge(f"seed {seed}, order {order}", partial(_faults, lab, order))
    for kind in bench.present(tally):
        with Towns(bench, kind).open(seed) as town:
            away.run(town, max(SIZES[bench.size] // 10, 2), tally, seed)
        tally.progress(f"the bridge is back, {kind}")


def _pay(lab: Lab, count: int) -> dict[int, str]:
    """Orders with their charges. The shop answers when it is asked, and goes away before it is told."""
    charges = {}
    for _ in range(count):
        order = lab.world.new_order("automatic")
        charges[order] = lab.create("automatic", order).body["charge"]["id"]
    return charges


def _outage(lab: Lab, charges: dict[int, str], tally: Tally) -> None:
    """Twenty-four hours. Money is sent back meanwhile, which needs no shop; the worker works every ten minutes."""
    begun = lab.clock()
    wanted = [(order, amount) for amount in REFUNDS for order in charges]
    lab.wire.weather = storm(lab.random, SHOP_HOST, 1.0, KINDS)
    ticks = 144
    for tick in range(ticks):
        for order, amount in wanted[tick * len(wanted) // ticks : (tick + 1) * len(wanted) // ticks]:
            body = {"charge_id": charges[order], "amount": amount}
            answer = lab.request(Call("POST", f"{PAYMENTS}/refund", body))
            if answer.status != 200:
                tally.violate(f"order {order}", Fault("wrong", f"a refund during the outage: {answer}"))
        lab.clock.set(max(lab.clock(), begun + tick * 600))
        lab.subject.work(until=begun + (tick + 1) * 600)
    lab.clock.set(max(lab.clock(), begun + 24 * HOUR))


def _faults(lab: Lab, order: int) -> list[Fault]:
    """Delivered once each, and in the order in which it happened."""
    faults = lab.judge.faults("automatic", order)
    facts = lab.judge.facts("automatic", order)
    sent_back = list(facts.sent_back)
    told = [meta["value"] for refund in facts.shop_refunds for meta in refund["meta_data"] if meta["key"] == REFUND_ID]
    if told != sent_back:
        faults.append(Fault("wrong", f"the shop heard of {told}, and it happened as {sent_back}"))
    paid = [index for index, note in enumerate(facts.notes) if "Payment via" in note or "successfully charged" in note]
    refunds = [index for index, note in enumerate(facts.notes) if "was successfully processed" in note]
    if len(paid) != 1 or len(refunds) != len(sent_back) or paid[0] > min(refunds):
        faults.append(Fault("wrong", f"notes: {list(facts.notes)}"))
    return faults
