"""What Forte is sent to create a payment: `POST .../users/{userId}/payments`. Pure.

Source: Forte's guide "Creating Payments"; the SDK's type CreatePaymentRequest for limits.
"""

import re
from typing import Any

from bridge.adapters.forte_platform.customers import payer
from bridge.adapters.forte_platform.line_items import SHIPPING_CODE, carries_tax, clean, cut, order_lines
from bridge.adapters.forte_platform.settings import Options, require_currency
from bridge.adapters.identifiers import stripe_identifier
from bridge.domain.errors import Refused, Unsupported
from bridge.domain.orders import Address, Order
from bridge.domain.outcomes import Payment
from bridge.schemas.forte_platform import LONGEST_DESCRIPTION, AddressSchema, PaymentRequestSchema

Json = dict[str, Any]
ATTEMPT = "bridge_attempt"
"""The metadata key by which a payment is found again."""
OFF_SESSION = "bridge_off_session"
"""The metadata key by which a payment says that it is charged without its buyer: nobody else can confirm it."""
TAX, ON_TOP = "bridge_tax", "on_top"
"""The metadata by which a payment says that Forte's tax came on top of the order's total."""
NAMES = {"order_id": "wc_order_id", "order_key": "wc_order_key", "site_url": "store"}
"""What Forte's metadata call what WooPayments has in its own."""
_LONGEST_METADATA = 500
_METHOD = re.compile("pm_[A-Za-z0-9]+", re.ASCII)
_BODY = PaymentRequestSchema()
_ADDRESS = AddressSchema()


def build_create(options: Options, payment: Payment) -> Json:
    """The request for `payment`, complete: it is sent the same way even if the settings have changed since.

    `user` or `email` say who is charged. Raises CurrencyNotSupported, Unsupported, InvalidParameter or Refused.
    """
    require_currency(options, payment.currency)
    if payment.capture == "manual":
        raise Unsupported("Manual capture", "forte_platform")
    order = payment.order
    who = payer(options, payment.customer, order.billing.email)
    method = stripe_identifier("payment_method", payment.payment_method)
    body: Json = {
        **order_cart(options, order, payment.amount, payment.currency),
        "description": cut(clean(payment.description), LONGEST_DESCRIPTION),
        "metadata": _metadata(payment, tax_on_top=options.allow_tax_difference),
    }
    if problems := _BODY.problems(body):
        raise Refused(f"Order {order.number} cannot be paid at Forte: {problems}", reason="order_not_expressible")
    return {
        "project": options.project,
        "live": options.live,
        **who,
        **({"payment_method": method} if options.saved_methods and _METHOD.fullmatch(method) else {}),
        "amount": payment.amount,
        "tax_on_top": options.allow_tax_difference,
        "body": body,
    }


def order_cart(options: Options, order: Order, amount: int, currency: str) -> Json:
    """What of the request can be quoted. Raises Refused for an order that Forte would tax wrong."""
    cart: Json = {
        "currency": currency.lower(),
        "lineItems": order_lines(order, amount, currency, options.tax_code),
    }
    return cart | (_taxed(order, cart["lineItems"]) if options.forte_taxes else {})


def address_of(address: Address) -> Json | None:
    """An address as Forte takes it, None if it is not whole."""
    parts: Json = {
        "line1": address.line1,
        "line2": address.line2,
        "city": address.city,
        "state": address.state,
        "postalCode": address.postal_code,
        "country": address.country.upper(),
    }
    parts = {name: value for name, value in parts.items() if value}
    return None if _ADDRESS.problems(parts) else parts


def _taxed(order: Order, lines: list[Json]) -> Json:
    """What Forte needs to compute the tax. Raises Refused for an order whose tax the store has computed."""
    if carries_tax(order):
        raise Refused(
            f"Order {order.number} carries the store's own tax, or its prices include it: with tax_mode=forte it would "
            "be taxed twice. Switch off the store's tax, or set tax_mode=woocommerce.",
            reason="taxed_twice",
        )
    billing = address_of(order.billing)
    if billing is None:
        raise Refused(
            f"Order {order.number} does not have a complete billing address, so Forte cannot compute its tax.",
            reason="address_required",
        )
    if order.shipping_total > 0 and not any(line.get("taxCode") == SHIPPING_CODE for line in lines):
        raise Refused(
            f"The discounts of order {order.number} reduce its shipping, so Forte cannot tell what to tax.",
            reason="order_not_expressible",
        )
    shipping = address_of(order.shipping)
    return {"customerAddress": billing, **({"shippingAddress": shipping} if shipping else {})}


def _metadata(payment: Payment, *, tax_on_top: bool) -> dict[str, str]:
    values = {
        ATTEMPT: payment.attempt_id,
        **{name: payment.metadata.get(ours, "") for ours, name in NAMES.items()},
        TAX: ON_TOP if tax_on_top else "",
    }
    return {name: str(value)[:_LONGEST_METADATA] for name, value in values.items() if value != ""}


def off_session(body: Json, method: str) -> Json:
    """The body that charges a saved method at once, as WooPayments' create does (source: the SDK's type
    CreatePaymentRequest; the plugin's page "Payment methods & off-session charges")."""
    return {**body, "paymentMethodId": method, "offSession": True, "metadata": {**body["metadata"], OFF_SESSION: "yes"}}
