"""Payers: what Stripe is told about a customer, and what it says about their saved payment methods. Pure.

Sources: Stripe, "Create a customer", "The PaymentMethod object"; WooPayments 8.4,
`WC_REST_Payments_Customer_Controller`, for what of it is shown.
"""

from collections.abc import Iterable
from typing import Any

from bridge.adapters.stripe_connect import limits
from bridge.adapters.stripe_connect.answers import read_object
from bridge.domain.outcomes import CustomerDetails

Json = dict[str, Any]
KIND = "card"
"""The one type that a create can charge (`allowed_payment_method_types`), and so the one that is listed."""
_SHOWN = ("brand", "last4", "exp_month", "exp_year")
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def build_customer(details: CustomerDetails) -> Json:
    """The parameters. What the order does not have is left out, and so stays as it is at Stripe."""
    address = limits.address(details.address)
    texts = {
        "name": details.name[: limits.NAME],
        "email": limits.email(details.email),
        "phone": limits.phone(details.phone),
    }
    params: Json = {name: text for name, text in texts.items() if text}
    if address:
        params["address"] = address
    if details.metadata:
        params["metadata"] = limits.metadata(details.metadata)
    return params


def read_methods(answers: Iterable[Any]) -> list[Json]:
    """The payment methods that can be charged, without what nobody needs. Raises ProviderConfused."""
    methods = [read_object(answer, "payment_method") for answer in answers]
    return [_shown(method) for method in methods if method.get("type") == KIND]


def _shown(method: Json) -> Json:
    billing, card = method.get("billing_details") or {}, method.get(KIND) or {}
    address = billing.get("address") or {}
    return {
        "id": method["id"],
        "type": KIND,
        "billing_details": {
            "address": {name: address.get(name) for name in _ADDRESS},
            **{name: billing.get(name) for name in ("email", "name", "phone")},
        },
        KIND: {name: card.get(name) for name in _SHOWN},
    }
