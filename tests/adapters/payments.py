"""Orders and payments for the tests of the Stripe Connect adapter."""

from decimal import Decimal
from typing import Any

import responses

from bridge.adapters import Adapter, AdapterContext, Address, Line, LineKind, Order, Payment, make
from tests.adapters.orders import ATTEMPT, ORDER

SECRET_KEY = "sk_test_CanaryCanaryCanary"
ACCOUNT = "acct_1Connected"
API = "https://api.stripe.com/v1"


def stripe_adapter(context: AdapterContext | None = None, *, live: bool = False, **settings: str) -> Adapter:
    return make("stripe_connect", {"secret_key": SECRET_KEY, "account": ACCOUNT} | settings, live=live, context=context)


def line(name: str = "Beanie", quantity: str = "1", subtotal: str = "10.23", **changes: Any) -> Line:
    values = {"kind": LineKind.PRODUCT, "total": subtotal, "tax": "0", "product_id": 30} | changes
    for sum_ in ("total", "tax"):
        values[sum_] = Decimal(values[sum_])
    return Line(name=name, quantity=Decimal(quantity), subtotal=Decimal(subtotal), **values)


def order(*lines: Line, **changes: Any) -> Order:
    values = ORDER | {
        "shipping": Address(postal_code="94110"),
        "lines": lines,
    }
    return Order(**(values | changes))


def payment(**changes: Any) -> Payment:
    values: dict[str, Any] = {
        "attempt_id": ATTEMPT,
        "order": order(line()),
        "amount": 1023,
        "currency": "USD",
        "customer": "cus_NffrFeUfNV2Hib",
        "payment_method": "pm_card_visa",
        "capture": "automatic",
        "metadata": {
            "customer_name": "Ann Example",
            "customer_email": "ann+shop@example.com",
            "site_url": "https://shop.example",
            "order_id": 12,
            "order_number": "12",
            "order_key": "wc_order_abc",
            "payment_type": "single",
            "checkout_type": "rest-api",
            "client_version": "0.1.0",
            "subscription_payment": "no",
        },
        "description": "Online Payment for Order #12 for shop.example",
    }
    return Payment(**(values | changes))


def intent(**changes: Any) -> dict[str, Any]:
    """Stripe's answer to `payment()`, as far as the adapter reads it."""
    return {
        "id": "pi_3Made",
        "object": "payment_intent",
        "amount": 1023,
        "client_secret": "pi_3Made_secret_Canary",
        "created": 1700000000,
        "currency": "usd",
        "customer": "cus_NffrFeUfNV2Hib",
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {"order_id": "12", "wcpay_bridge_attempt": ATTEMPT},
        "next_action": None,
        "payment_method": "pm_1Used",
        "status": "succeeded",
    } | changes


def listed(*members: Any, more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(members), "has_more": more}


def error(code: str = "", message: str = "No.", kind: str = "invalid_request_error", **changes: Any) -> dict[str, Any]:
    """What Stripe answers with a status from 400 on."""
    return {"error": {"type": kind, "code": code, "message": message} | changes}


def sent(mock: responses.RequestsMock) -> list[tuple[str, str]]:
    """Method and path of every request so far."""
    return [
        (str(call.request.method), str(call.request.url).removeprefix(API).partition("?")[0]) for call in mock.calls
    ]


CHARGE = {
    "id": "ch_3Made",
    "object": "charge",
    "amount": 1023,
    "amount_captured": 1023,
    "amount_refunded": 0,
    "application_fee_amount": 60,
    "balance_transaction": "txn_1",
    "billing_details": {"address": {"city": "Springfield"}, "email": None, "name": "Ann Example", "phone": None},
    "captured": True,
    "created": 1700000001,
    "currency": "usd",
    "disputed": False,
    "livemode": False,
    "outcome": {"risk_level": "normal", "type": "authorized"},
    "payment_intent": "pi_3Made",
    "payment_method_details": {
        "type": "card",
        "card": {
            "amount_authorized": 1023,
            "brand": "visa",
            "capture_before": None,
            "country": "US",
            "exp_month": 8,
            "exp_year": 2030,
            "fingerprint": "AOB934RVNwzk6xtn",
            "last4": "4242",
            "three_d_secure": None,
        },
    },
    "status": "succeeded",
}
