"""What is measured: the controls, and every route that moves money or shows it. Each makes its own steps ready."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.calls import DELIVER, INTENTS, PAYMENTS, Call, Step, get, post
from benchmarks.controls import BARE, BY_HAND, BY_HAND_AND_UPDATE, B
from benchmarks.lab import BRIDGE, EXPENSIVE, Lab, create
from benchmarks.outside import PLANS, Outside

BY_CLERK = "stripe_connect, manual"
PAID_ORDER = "paid order, stripe_connect"
CREATE = f"create, {EXPENSIVE}"
ROWS = 25
"""Lines of a list."""

Make = Callable[[Lab, Outside, int], list[Step]]


@dataclass(frozen=True)
class Subject:
    """`make` gives what does it so many times, `steps` each; whatever that takes is not measured. With `app` a control,
    or the bridge. `is_served`: also asked of a server, where nothing but requests can be."""

    name: str
    make: Make
    app: str = BRIDGE
    steps: int = 1
    is_served: bool = False


def _creates(store: str, lab: Lab, outside: Outside, times: int) -> list[Step]:
    return [create(lab, store, order) for order in outside.new_orders(store, times)]


def _keyed(lab: Lab, outside: Outside, times: int) -> list[Step]:
    orders = outside.new_orders(EXPENSIVE, times)
    return [create(lab, EXPENSIVE, order, Idempotency_Key=f"key-{order}") for order in orders]


def _made(lab: Lab, outside: Outside, times: int, store: str = EXPENSIVE) -> list[dict[str, Any]]:
    return lab.ask(_creates(store, lab, outside, times))


def _replays(lab: Lab, outside: Outside, times: int) -> list[Step]:
    (first,) = _keyed(lab, outside, 1)
    lab.ask([first])
    return [first] * times


def _repeats(lab: Lab, outside: Outside, times: int) -> list[Step]:
    (first,) = _creates(EXPENSIVE, lab, outside, 1)
    lab.ask([first])
    return [first] * times


def _looks(path: str, lab: Lab, outside: Outside, times: int) -> list[Step]:
    (made,) = _made(lab, outside, 1)
    return [get(path.format(made["id"]), lab.site.clients[EXPENSIVE].pair)] * times


def _lists(path: str, lab: Lab, outside: Outside, times: int) -> list[Step]:
    """Of a store that has a page of them."""
    client = lab.site.clients[BY_CLERK]
    (listed,) = lab.ask([get(f"{PAYMENTS}/authorizations", client.pair)])
    if (lacking := ROWS - len(listed["data"])) > 0:
        _made(lab, outside, lacking, BY_CLERK)
    return [get(path, client.pair)] * times


def _captures(lab: Lab, outside: Outside, times: int) -> list[Step]:
    orders = outside.new_orders(BY_CLERK, times)
    made = lab.ask([create(lab, BY_CLERK, order) for order in orders])
    pair = lab.site.clients[BY_CLERK].pair
    return [
        post(f"{PAYMENTS}/orders/{order}/capture_authorization", {"payment_intent_id": intent["id"]}, pair)
        for order, intent in zip(orders, made, strict=True)
    ]


def _refunds(lab: Lab, outside: Outside, times: int) -> list[Step]:
    pair = lab.site.clients[EXPENSIVE].pair
    charges = [intent["charge"]["id"] for intent in _made(lab, outside, times)]
    return [post(f"{PAYMENTS}/refund", {"charge_id": charge, "amount": 100}, pair) for charge in charges]


def _messages(lab: Lab, outside: Outside, times: int) -> list[Step]:
    """Of payments that were just made: each is taken, and waits to be worked on."""
    _made(lab, outside, times)
    path = f"/bridge/v1/webhooks/{lab.site.clients[EXPENSIVE].store_id}"
    return [Call("POST", path, body.decode(), headers=headers) for body, headers in outside.messages(times)]


def _deliveries(lab: Lab, outside: Outside, times: int) -> list[Step]:
    lab.work()
    _made(lab, outside, times)
    return [DELIVER] * times


def _paid(lab: Lab, outside: Outside, times: int) -> list[Step]:
    """A create, and what the worker then does."""
    lab.work()
    return [step for each in _creates(EXPENSIVE, lab, outside, times) for step in (each, DELIVER)]


SUBJECTS: Sequence[Subject] = (
    Subject(B, partial(_creates, EXPENSIVE), B, is_served=True),
    Subject(BARE, partial(_creates, EXPENSIVE), BARE, is_served=True),
    Subject(BY_HAND, partial(_creates, EXPENSIVE), BY_HAND, is_served=True),
    Subject(BY_HAND_AND_UPDATE, partial(_creates, EXPENSIVE), BY_HAND_AND_UPDATE, is_served=True),
    Subject(PAID_ORDER, _paid, steps=2),
    Subject("delivery", _deliveries),  # behind who empties the outbox while being made
    *(
        Subject(f"create, {name}", partial(_creates, name), is_served=True)
        for name, plan in PLANS.items()
        if plan.capture == "automatic"
    ),
    Subject("create with an Idempotency-Key", _keyed),
    Subject("replay", _replays, is_served=True),
    Subject("repeat without a key", _repeats),
    Subject("show", partial(_looks, f"{INTENTS}/{{}}"), is_served=True),
    Subject("timeline", partial(_looks, f"{PAYMENTS}/timeline/{{}}")),
    Subject("transactions", partial(_lists, f"{PAYMENTS}/transactions")),
    Subject("transactions, summary", partial(_lists, f"{PAYMENTS}/transactions/summary")),
    Subject("authorizations", partial(_lists, f"{PAYMENTS}/authorizations")),
    Subject("capture", _captures),
    Subject("refund", _refunds),
    Subject("webhook", _messages, is_served=True),
)


def encode(step: Step) -> Any:
    return step if isinstance(step, str) else [step.method, step.path, step.body, step.pair, dict(step.headers)]


def decode(told: Any) -> Step:
    """What was encoded, possibly by way of JSON."""
    if isinstance(told, str):
        return told
    method, path, body, pair, headers = told
    return Call(method, path, body, tuple(pair), headers)
