"""An order of 10.23 USD and its payment, as the tests of several adapters have them."""

from collections.abc import Callable
from typing import Any

from bridge.adapters import Line, Order, Payment

ATTEMPT = "0123456789abcdef0123456789abcdef"
KEY = f"{ATTEMPT}:create"
TIMEOUT = 5.0
"""Seconds after which a stalled provider is given up: long enough for all that goes before it on a busy machine."""
SITE = "https://shop.example"
CUSTOMER = "cus_OUQoHGzJLw87Tk"
ORDER: dict[str, Any] = {
    "id": 12,
    "number": "12",
    "key": "wc_order_abc",
    "status": "pending",
    "currency": "USD",
    "total": "10.23",
    "needs_payment": True,
}


def payment_of(order: Callable[..., Order], *lines: Line, **changes: Any) -> Payment:
    """A payment of 10.23 for what `order` makes; names of the order's members go there, but for `payment_method`."""
    of_order = {name: changes.pop(name) for name in set(changes) & set(Order.__dataclass_fields__) - {"payment_method"}}
    values: dict[str, Any] = {
        "attempt_id": ATTEMPT,
        "order": order(*lines, **of_order),
        "amount": 1023,
        "currency": of_order.get("currency", "USD"),
        "customer": CUSTOMER,
        "payment_method": "pm_card_visa",
        "capture": "automatic",
        "metadata": {"site_url": SITE, "order_id": 12, "order_key": "wc_order_abc"},
        "description": "Online Payment for Order #12 for shop.example",
    }
    return Payment(**(values | changes))
