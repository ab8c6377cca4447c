"""A bridge that is away for an hour, while a store's staff go on: deliveries fail, and the store switches its webhooks
off. What they did is followed by the first sweep, and the webhooks are put back within the hour after."""

from collections.abc import Iterator
from functools import partial

from bridge.selftest.beside.books import Books
from bridge.selftest.beside.buyers import Buyer
from bridge.selftest.beside.town import Town
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report

AWAY, INTERVAL, STEP = 3600.0, 60.0, 10.0
"""Seconds: of the absence, until the first sweep at the latest, and between two ticks."""
HOUR = 3960.0
"""Seconds after which the webhooks were looked at: an hour, and a tenth so that stores do not keep in step."""
ENDS = ("completed", "cancelled", "waiting")
"""What staff make of an order with held money, and (cancelled, too) one that still waits for its buyer."""


def run(town: Town, count: int, report: Report, seed: str) -> None:
    books = Books(town)
    buyers = [(end, _buyer(town, end)) for _ in range(count) for end in ENDS]
    town.work()
    town.mail = lambda _outlet: 503
    for end, buyer in buyers:
        town.clock.advance(AWAY / len(buyers))
        status = "completed" if end == "completed" else "cancelled"
        town.shops[buyer.outlet].update_order(buyer.order, status=status)
        town.shops[buyer.outlet].deliver_due()
    off = {each["status"] for each in town.shops["manual"].webhooks() if each["topic"] == "order.updated"}
    report.faults += len(buyers)
    if off != {"disabled"}:
        raise RuntimeError(f"the store should have switched its webhooks off: {off}")
    town.mail = lambda _outlet: None
    _pass(town, INTERVAL + 2 * STEP)
    for end, buyer in buyers:
        report.judge(f"seed {seed}, order {buyer.order} at {buyer.outlet}, {end}", partial(_faults, books, end, buyer))
    _pass(town, HOUR)
    for name in ("automatic", "manual"):
        report.judge(f"seed {seed}, the webhooks of {name}", partial(_webhooks, town, name))


def _buyer(town: Town, end: str) -> Buyer:
    outlet = "automatic" if end == "waiting" else "manual"
    buyer = Buyer(town, outlet, town.new_order(outlet, "10.23"), lambda _paid, _words: None)
    buyer.create(waits=end == "waiting")
    return buyer


def _pass(town: Town, seconds: float) -> None:
    end = town.clock() + seconds
    while town.clock() < end:
        town.clock.advance(STEP if seconds < HOUR else 6 * STEP)
        town.post_messages()
        town.work()


def _faults(books: Books, end: str, buyer: Buyer) -> Iterator[Fault]:
    money = books.of(buyer.outlet, buyer.order)
    if end == "waiting":
        if buyer.press():
            yield Fault("wrong", "a cancelled order can still be paid")
    elif not money:
        yield Fault("wrong", "nothing was authorised")
    elif end == "completed" and not money[0].captured:
        yield Fault("lost", f"{money[0].name} was not captured, and its order is completed")
    elif end == "cancelled" and money[0].is_live:
        yield Fault("stuck", f"{money[0].name} is still held, and its order is cancelled")


def _webhooks(town: Town, outlet: str) -> Iterator[Fault]:
    for each in town.shops[outlet].webhooks():
        if each["status"] != "active":
            yield Fault("stuck", f"the store's webhook for {each['topic']} is {each['status']}")
