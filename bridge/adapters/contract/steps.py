"""What the parts of the suite share: how the bridge works, and when a test does not apply."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bridge.adapters.provider import Provider
from bridge.domain.errors import Refused
from bridge.domain.ids import RandomIds
from bridge.domain.orders import Address
from bridge.domain.outcomes import Cart, CustomerDetails, Outcome, Payment, RefundRequest
from bridge.domain.ports import Adapter

ANN = CustomerDetails(
    "Ann Example",
    "ann@example.com",
    "+1 555 0100",
    Address("Ann", "Example", "1 Main St", "", "Springfield", "IL", "62701", "US", "ann@example.com"),
    {"wc_customer_id": "7"},
)
NOBODY = "pi_Nobody00000000000000000000"

VERBS: Mapping[str, tuple[str, Callable[[Adapter, Payment], Any]]] = {
    "find": ("find", lambda adapter, payment: adapter.find({}, key_of(payment), 0.0)),
    "cancel": ("cancel", lambda adapter, payment: adapter.cancel(NOBODY, key_of(payment))),
    "capture": ("capture", lambda adapter, payment: adapter.capture(NOBODY, payment.amount, key_of(payment))),
    "refund": ("refund", lambda adapter, payment: adapter.refund(refund_of(NOBODY, "", 1), key_of(payment))),
    "save_customer": ("customers", lambda adapter, payment: adapter.save_customer(ANN, None, key_of(payment))),
    "payment_methods": ("payment_methods", lambda adapter, payment: adapter.payment_methods(payment.customer)),
    "prepare_terminal": (
        "terminal",
        lambda adapter, payment: adapter.prepare_terminal(payment, ["card_present"], {}),
    ),
    "connection_token": ("terminal", lambda adapter, _: adapter.connection_token()),
    "open": ("open", lambda adapter, payment: adapter.open({}, key_of(payment))),
    "preview": ("preview", lambda adapter, payment: adapter.preview(Cart(payment.currency, ()), payment.customer)),
    "listed": ("listed", lambda adapter, _: list(adapter.listed(0.0))),
    "receive": ("events", lambda adapter, _: adapter.receive({}, b"{}")),
}
"""Every verb that an adapter may lack: the operation that it belongs to, and a call."""


def key_of(payment: Payment, operation: str = "create") -> str:
    """The idempotency key as the bridge makes it."""
    return f"{payment.attempt_id}:{operation}"


def create(adapter: Adapter, payment: Payment) -> tuple[dict[str, Any], Outcome]:
    """Prepare, store and send, as the bridge does; the request as it was stored, and the answer."""
    request = json.loads(json.dumps(adapter.prepare(payment)))
    return request, adapter.create(request, key_of(payment))


def pay(adapter: Adapter, payment: Payment) -> tuple[str, str]:
    """Create a payment that works; its reference and its charge's id."""
    _, outcome = create(adapter, payment)
    assert outcome.reference
    assert outcome.charge
    return outcome.reference, outcome.charge.id


def refund_of(reference: str, charge_id: str, amount: int, currency: str = "USD") -> RefundRequest:
    """A request for a refund with an operation id of its own."""
    return RefundRequest(reference, charge_id, amount, currency, "requested_by_customer", RandomIds().attempt())


def again(adapter: Adapter, request: dict[str, Any], payment: Payment) -> Outcome:
    """What became of a create whose answer was lost, found out as the bridge does: the same request goes out again
    while the provider knows its key; else it is looked for."""
    if adapter.replay_window:
        return adapter.create(request, key_of(payment))
    require(adapter, "find")
    found = adapter.find(request, key_of(payment), 0.0)
    assert found is not None, "the payment is there"
    return found


def require_replay(adapter: Adapter) -> None:
    """Skip a test of what is never sent twice."""
    if not adapter.replay_window:
        pytest.skip("it has no replay window: the bridge sends nothing twice")


def secrets(provider: Provider) -> list[str]:
    """The values of the settings that are secret, and each word of them."""
    given = [provider.settings.get(item.name) or "" for item in provider.adapter.settings if item.secret]
    return sorted({word for value in given for word in (value, *re.split(r"[,\s]+", value)) if word})


def require(adapter: Adapter, *operations: str) -> None:
    """Skip a test of what the adapter does not claim to do."""
    for operation in operations:
        if operation not in adapter.operations:
            pytest.skip(f"{adapter.name} does not declare {operation}")


def arranged(hook: str, payment: Payment | None) -> Payment:
    """Skip a test for which the provider has no hook."""
    happened(hook, payment is not None)
    assert payment is not None
    return payment


def happened(hook: str, done: bool) -> None:
    """Skip a test for which the provider has no hook."""
    if not done:
        pytest.skip(f"the Provider has no {hook}")


def refusal_of(call: Callable[[], Any]) -> Refused | None:
    """The refusal that `call` raised; None if there was none."""
    try:
        json.dumps(call())
    except Refused as error:
        return error
    return None
