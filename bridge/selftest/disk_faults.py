"""A database that cannot be written: its disk is full, or it is read-only, before a request or half-way through it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from sqlalchemy import event

from bridge.selftest.environment import Lab
from bridge.selftest.judge import Fault
from bridge.selftest.system_under_test import PAYMENTS, BridgeSubject, Call
from bridge.selftest.world import STRIPE_HOST

FULL, READ_ONLY = "a full disk", "a read-only database"
UNAVAILABLE = 503


@contextmanager
def _crippled(lab: Lab, trouble: str) -> Iterator[None]:
    """Meanwhile nothing can be written: this process may make no file longer than nothing, or SQLite may not write."""
    if trouble == FULL:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    if not isinstance(lab.subject, BridgeSubject):
        raise RuntimeError("the subject has no database")
    engine = lab.subject.bridge.services.database.engine

    def cripple(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=on").close()

    engine.dispose()
    event.listen(engine, "connect", cripple)
    try:
        yield
    finally:
        event.remove(engine, "connect", cripple)
        engine.dispose()


def unusable(lab: Lab, trouble: str) -> list[Fault]:
    """Nothing can be written: whatever is asked for is turned away, and the provider hears of nothing."""
    held = lab.world.new_order("manual")
    intent = lab.create("manual", held).body["id"]
    paid = lab.world.new_order("automatic")
    lab.create("automatic", paid)
    lab.subject.work()
    order, event_id = lab.world.new_order("automatic"), lab.world.events()[-1][0]
    path = f"{PAYMENTS}/orders/{held}"
    wanted = {"payment_intent_id": intent}
    before = len(lab.world.stripe.ledger.entries())
    with _crippled(lab, trouble):
        answers = {
            "create": lab.create("automatic", order),
            "capture": lab.request(Call("POST", f"{path}/capture_authorization", wanted, "manual")),
            "cancel": lab.request(Call("POST", f"{path}/cancel_authorization", wanted, "manual")),
            "refund": lab.request(Call("POST", f"{PAYMENTS}/refund", {"order_id": paid, "amount": 100})),
            "message": lab.request(lab.world.event(event_id, "automatic")),
        }
        shown = lab.request(Call("GET", f"{PAYMENTS}/payment_intents/{intent}", outlet="manual"))
    faults = [Fault("wrong", f"{name}: {one}") for name, one in answers.items() if one.status != UNAVAILABLE]
    if shown.status != 200:
        faults.append(Fault("wrong", f"what is there cannot be looked at: {shown}"))
    if moved := lab.world.stripe.ledger.entries(after=before):
        faults.append(Fault("double", f"money moved without being written down: {moved}"))
    return faults + _recovered(lab, "automatic", order)


def half_way(lab: Lab, trouble: str) -> list[Fault]:
    """Nothing more can be written once the provider has done it."""
    order = lab.world.new_order("automatic")
    crippled = _crippled(lab, trouble)

    def cripple(host: str, request: requests.PreparedRequest) -> None:
        if host == STRIPE_HOST and request.method == "POST":
            lab.wire.arrived = None
            crippled.__enter__()

    lab.wire.arrived = cripple
    answer = lab.create("automatic", order)
    crippled.__exit__(None, None, None)
    faults = [] if answer.status == UNAVAILABLE else [Fault("wrong", f"half-way: {answer}")]
    for _ in range(2):
        lab.tick()
    return faults + lab.judge.faults("automatic", order) + _recovered(lab, "automatic", order)


def _recovered(lab: Lab, outlet: str, order: int) -> list[Fault]:
    """With space again the order can be paid, once."""
    answer = lab.create(outlet, order)
    lab.subject.work()
    faults = lab.judge.faults(outlet, order)
    if answer.status != 200 or len(lab.judge.facts(outlet, order).live) != 1:
        faults.append(Fault("stuck", f"not paid afterwards: {answer}"))
    return faults
