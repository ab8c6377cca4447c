"""What Stripe is sent to create a payment, as WooPayments fills it, and to capture it. Pure.

Source: Stripe, "Create a PaymentIntent", "Capture a PaymentIntent", "Collect in-person payments"; WooPayments 8.4,
`WCPay\\Core\\Server\\Request\\Create_And_Confirm_Intention`, `WC_REST_Payments_Orders_Controller`.
"""

from collections.abc import Mapping
from typing import Any

from bridge.adapters.identifiers import stripe_identifier
from bridge.adapters.stripe_connect import limits
from bridge.adapters.stripe_connect.customers import KIND
from bridge.adapters.stripe_connect.line_items import line_item_details
from bridge.adapters.stripe_connect.settings import Account
from bridge.domain.errors import CurrencyNotSupported, InvalidParameter
from bridge.domain.money import step
from bridge.domain.orders import Order
from bridge.domain.outcomes import Payment

Json = dict[str, Any]
ATTEMPT = "wcpay_bridge_attempt"
"""The metadata key by which a payment, or a refund, is found again."""
CHARGE = "latest_charge"
EXPANDED = ["latest_charge.refunds"]
"""Expands the charge, too (source: Stripe, "Expanding responses")."""
WHOLE = [*EXPANDED, "latest_charge.balance_transaction"]
"""Only to look at a payment: a restricted key may lack the right, and what moves money must not fail for that."""
READERS = frozenset({"card_present", "interac_present"})


def build_create(account: Account, payment: Payment, version: str) -> Json:
    """The request for `payment`, complete: it is sent the same way even if the settings have changed since.

    Raises CurrencyNotSupported or InvalidParameter, in WooPayments' order.
    """
    require_currency(account, payment.currency)
    params: Json = {
        "amount": payment.amount,
        "currency": payment.currency.lower(),
        "customer": stripe_identifier("customer", payment.customer),
        "payment_method": stripe_identifier("payment_method", payment.payment_method),
        "allowed_payment_method_types": [KIND],
        **({"off_session": True} if account.off_session else {}),
        "confirm": True,
        **_rest(account, payment, payment.metadata),
    }
    if account.country == "US":
        params |= line_item_details(payment.order, payment.currency, account.from_postal_code)
    return {"account": account.header, "livemode": account.live, "version": version, "params": params}


def build_terminal(
    account: Account, payment: Payment, methods: list[str], metadata: Mapping[str, Any], version: str
) -> Json:
    """The request for a payment that a card reader confirms. The payment's own metadata win over `metadata`.

    Raises CurrencyNotSupported or InvalidParameter.
    """
    require_currency(account, payment.currency)
    if not methods or not READERS.issuperset(methods):
        raise InvalidParameter("payment_methods", "payment_methods must be a list of card_present and interac_present.")
    params: Json = {
        "amount": payment.amount,
        "currency": payment.currency.lower(),
        **({"customer": stripe_identifier("customer", payment.customer)} if payment.customer else {}),
        "allowed_payment_method_types": list(methods),
        **_rest(account, payment, {**metadata, **payment.metadata}),
    }
    return {"account": account.header, "livemode": account.live, "version": version, "params": params}


def build_capture(account: Account, intent: Json, amount: int) -> Json:
    """The parameters to take `amount` of `intent`. A part bears the fee of a part, and never more than was agreed: by
    itself Stripe would keep the fee of the whole."""
    params: Json = {"amount_to_capture": amount, "expand": EXPANDED}
    agreed, currency = intent.get("application_fee_amount") or 0, intent["currency"]
    if agreed and amount < intent["amount"]:
        fee = max(account.fee.of(amount, currency), step(currency))
        params["application_fee_amount"] = min(fee, agreed, amount)
    return params


def require_currency(account: Account, currency: str) -> None:
    """Raises CurrencyNotSupported for one that the settings leave out."""
    if account.currencies and currency.upper() not in account.currencies:
        raise CurrencyNotSupported(currency)


def _rest(account: Account, payment: Payment, metadata: Mapping[str, Any]) -> Json:
    """What payments online and in person have in common, but for who pays how much how."""
    params: Json = {
        "capture_method": payment.capture,
        "description": payment.description[: limits.DESCRIPTION],
        "metadata": limits.metadata({**metadata, ATTEMPT: payment.attempt_id}),
        **_shipping(payment.order),
        "expand": [CHARGE],
    }
    if account.statement_descriptor_suffix:
        params["statement_descriptor_suffix"] = account.statement_descriptor_suffix
    return params | _connect(account, payment)


def _connect(account: Account, payment: Payment) -> Json:
    """Who gets what. Source: Stripe, "Create direct charges" and "Create destination charges"."""
    params: Json = {}
    if fee := account.fee.of(payment.amount, payment.currency):
        params["application_fee_amount"] = fee
    if account.destination:
        params["transfer_data"] = {"destination": account.id}
    if account.on_behalf_of:
        params["on_behalf_of"] = account.id
    return params


def _shipping(order: Order) -> Json:
    """Where the goods go, if an order says it: accounts in India take no export without (source: Stripe, "Accept
    international payments from India")."""
    name, place = order.shipping.name or order.billing.name, limits.address(order.shipping)
    if not name or "line1" not in place:
        return {}
    number = order.shipping.phone or order.billing.phone
    recipient = {"name": name[: limits.TEXT], "address": place}
    return {"shipping": {**recipient, **({"phone": number[: limits.TEXT]} if number else {})}}
