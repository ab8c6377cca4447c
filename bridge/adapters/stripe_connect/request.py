"""What Stripe is sent to create a payment: `POST /v1/payment_intents`, as WooPayments fills it. Pure.

Source: Stripe, "Create a PaymentIntent"; WooPayments 8.4, `WCPay\\Core\\Server\\Request\\Create_And_Confirm_Intention`.
"""

from typing import Any

from bridge.adapters.identifiers import stripe_identifier
from bridge.adapters.stripe_connect.line_items import line_item_details
from bridge.adapters.stripe_connect.settings import Account
from bridge.domain.errors import CurrencyNotSupported
from bridge.domain.outcomes import Payment

Json = dict[str, Any]
ATTEMPT = "wcpay_bridge_attempt"
"""The metadata key by which a payment is found again."""
CHARGE = "latest_charge"
_LONGEST_METADATA = 500


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
        "allowed_payment_method_types": ["card"],
        "off_session": True,
        "confirm": True,
        "capture_method": payment.capture,
        "description": payment.description,
        "metadata": {name: _short(value) for name, value in payment.metadata.items()} | {ATTEMPT: payment.attempt_id},
        "expand": [CHARGE],
    }
    if not account.off_session:
        del params["off_session"]
    if account.statement_descriptor_suffix:
        params["statement_descriptor_suffix"] = account.statement_descriptor_suffix
    params |= _connect(account, payment)
    if account.country == "US":
        params |= line_item_details(payment.order, payment.currency, account.from_postal_code)
    return {"account": account.header, "livemode": account.live, "version": version, "params": params}


def require_currency(account: Account, currency: str) -> None:
    """Raises CurrencyNotSupported for one that the settings leave out."""
    if account.currencies and currency.upper() not in account.currencies:
        raise CurrencyNotSupported(currency)


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


def _short(value: Any) -> str:
    """Metadata values have 500 characters at most (source: Stripe, "Metadata")."""
    return str(value)[:_LONGEST_METADATA]
