"""What Forte is asked for: one body, the same for the widget and for the hosted page. Pure.

Source: docs.fortepayments.io, create payment intent, `createRedirectV2`.
"""

from typing import Any

from bridge.adapters.forte_payments.customers import build_buyer, known_by
from bridge.adapters.forte_payments.line_items import build_item
from bridge.adapters.forte_payments.settings import Account
from bridge.adapters.identifiers import stripe_identifier
from bridge.domain.errors import CurrencyNotSupported, InvalidAmount, Refused, Unsupported
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.outcomes import Payment
from bridge.schemas.forte_payments import CURRENCIES, PaymentSchema

Json = dict[str, Any]
KEY = "idempotency_key"
BODY = PaymentSchema()


def build_request(account: Account, payment: Payment, adapter: str) -> Json:
    """The request for `payment`, complete but for the key. Raises Refused for what Forte does not sell or accept.

    It names whose account it is for, so that it is never sent to another one.
    """
    require_currency(payment.currency)
    if payment.capture == "manual":
        raise Unsupported("manual capture", adapter)
    stripe_identifier("customer", payment.customer)
    stripe_identifier("payment_method", payment.payment_method)
    if payment.amount <= 0:
        raise InvalidAmount(f"Forte cannot charge {Money(payment.amount, payment.currency)}.")
    require_virtual(account, payment.order)
    body = {
        "transaction_type": "BUY_VDA",
        "buyer": build_buyer(account, payment),
        "currency": payment.currency.upper(),
        "reference": reference_of(payment),
        "items": [build_item(account, payment)],
    }
    if faults := BODY.faults(body, without=KEY):
        raise Refused(f"Forte would not accept this payment's {', '.join(faults)}.", reason="not_accepted")
    return {"account": account.identity, "livemode": account.live, "body": body}


def require_sellable(account: Account, order: Order) -> None:
    """Raises Refused for an order that Forte would not accept because of its contents or its buyer."""
    require_virtual(account, order)
    known_by(account, order)


def require_virtual(account: Account, order: Order) -> None:
    """Raises Refused for an order that is shipped, unless the owner allows it."""
    if not account.physical_goods and needs_shipping(order):
        raise Refused(
            f"Order {order.number} is shipped, and Forte is for virtual goods "
            "(setting physical_goods=allow, if your contract with Forte permits it).",
            reason="physical_goods",
        )


def require_currency(currency: str) -> None:
    """Raises CurrencyNotSupported for one that Forte does not accept."""
    if currency.upper() not in CURRENCIES:
        raise CurrencyNotSupported(currency)


def needs_shipping(order: Order) -> bool:
    """Whether something has to be shipped: the order book's word, else whether there is postage or an address."""
    if order.needs_shipping is not None:
        return order.needs_shipping
    return bool(order.shipping_total or order.shipping.line1 or order.shipping.postal_code)


def reference_of(payment: Payment) -> str:
    """What Forte echoes in every message: the order, for people, and our attempt, for us."""
    return f"{payment.order.id}:{payment.attempt_id}"
