"""A database that cannot be written: its disk is full, or it is read-only, before a request or half-way through it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from sqlalchemy import event

from bridge.selftest.environment import Environment
from bridge.selftest.judge import Fault
from bridge.selftest.system_under_test import PAYMENTS, BridgeSubject, Call
from bridge.selftest.world import STRIPE_HOST

FULL, READ_ONLY = "a full disk", "a read-only database"
UNAVAILABLE = 503


@contextmanager
def _crippled(environment: Environment, trouble: str) -> Iterator[None]:
    """Meanwhile nothing can be written: this process may make no file longer than nothing, or SQLite may not write."""
    if trouble == FULL:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        return
    if not isinstance(environment.subject, BridgeSubject):
        raise RuntimeError("the subject has no database")
    engine = environment.subject.bridge.services.database.engine

    def cripple(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=on").close()

    engine.dispose()
    event.listen(engine, "connect", cripple)
    try:
        yield
    finally:
        event.remove(engine, "connect", cripple)
        engine.dispose()


def unusable(environment: Environment, trouble: str) -> list[Fault]:
    """Nothing can be written: whatever is asked for is turned away, and the provider hears of nothing."""
    held = environment.world.new_order("manual")
    intent = environment.create("manual", held).body["id"]
    paid = environment.world.new_order("automatic")
    environment.create("automatic", paid)
    environment.subject.work()
    order, event_id = environment.world.new_order("automatic"), environment.world.events()[-1][0]
    path = f"{PAYMENTS}/orders/{held}"
    wanted = {"payment_intent_id": intent}
    before = len(environment.world.stripe.ledger.entries())
    with _crippled(environment, trouble):
        answers = {
            "create": environment.create("automatic", order),
            "capture": environment.request(Call("POST", f"{path}/capture_authorization", wanted, "manual")),
            "cancel": environment.request(Call("POST", f"{path}/cancel_authorization", wanted, "manual")),
            "refund": environment.request(Call("POST", f"{PAYMENTS}/refund", {"order_id": paid, "amount": 100})),
            "message": environment.request(environment.world.event(event_id, "automatic")),
        }
        shown = environment.request(Call("GET", f"{PAYMENTS}/payment_intents/{intent}", outlet="manual"))
    faults = [Fault("wrong", f"{name}: {one}") for name, one in answers.items() if one.status != UNAVAILABLE]
    if shown.status != 200:
        faults.append(Fault("wrong", f"what is there cannot be looked at: {shown}"))
    if moved := environment.world.stripe.ledger.entries(after=before):
        faults.append(Fault("double", f"money moved without being written down: {moved}"))
    return faults + _recovered(environment, "automatic", order)


def half_way(environment: Environment, trouble: str) -> list[Fault]:
    """Nothing more can be written once the provider has done it."""
    order = environment.world.new_order("automatic")
    crippled = _crippled(environment, trouble)

    def cripple(host: str, request: requests.PreparedRequest) -> None:
        if host == STRIPE_HOST and request.method == "POST":
            environment.wire.arrived = None
            crippled.__enter__()

    environment.wire.arrived = cripple
    answer = environment.create("automatic", order)
    crippled.__exit__(None, None, None)
    faults = [] if answer.status == UNAVAILABLE else [Fault("wrong", f"half-way: {answer}")]
    for _ in range(2):
        environment.tick()
    return faults + environment.judge.faults("automatic", order) + _recovered(environment, "automatic", order)


def _recovered(environment: Environment, outlet: str, order: int) -> list[Fault]:
    """With space again the order can be paid, once."""
    answer = environment.create(outlet, order)
    environment.subject.work()
    faults = environment.judge.faults(outlet, order)
    if answer.status != 200 or len(environment.judge.facts(outlet, order).live) != 1:
        faults.append(Fault("stuck", f"not paid afterwards: {answer}"))
    return faults
