"""Payers: what Stripe is told about a customer, and what it says about their saved payment methods. Pure.

Sources: Stripe, "Create a customer", "The PaymentMethod object"; WooPayments 8.4,
`WC_REST_Payments_Customer_Controller`, for what of it is shown.
"""

from collections.abc import Iterable
from typing import Any

from bridge.adapters.stripe_connect.answers import read_object
from bridge.domain.outcomes import CustomerDetails

Json = dict[str, Any]
SHOWN: dict[str, tuple[str, ...]] = {
    "card": ("brand", "last4", "exp_month", "exp_year"),
    "link": ("email",),
    "sepa_debit": ("last4",),
}
"""The types that are shown, in this order, and what is shown of each."""
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_LONGEST_METADATA = 500


def build_customer(details: CustomerDetails) -> Json:
    """The parameters. What the order does not have is left out, and so stays as it is at Stripe."""
    address = {name: getattr(details.address, name) for name in _ADDRESS if getattr(details.address, name)}
    texts = {"name": details.name, "email": details.email, "phone": details.phone}
    params: Json = {name: text for name, text in texts.items() if text}
    if address:
        params["address"] = address
    if details.metadata:
        params["metadata"] = {name: value[:_LONGEST_METADATA] for name, value in details.metadata.items()}
    return params


def read_methods(answers: Iterable[Any]) -> list[Json]:
    """The payment methods that are shown, without what nobody needs. Raises ProviderConfused."""
    methods = [read_object(answer, "payment_method") for answer in answers]
    return [_shown(method, kind) for kind in SHOWN for method in methods if method.get("type") == kind]


def _shown(method: Json, kind: str) -> Json:
    billing, own = method.get("billing_details") or {}, method.get(kind) or {}
    address = billing.get("address") or {}
    return {
        "id": method["id"],
        "type": kind,
        "billing_details": {
            "address": {name: address.get(name) for name in _ADDRESS},
            **{name: billing.get(name) for name in ("email", "name", "phone")},
        },
        kind: {name: own.get(name) for name in SHOWN[kind]},
    }
