"""Quotes: what a cart would cost at Forte, for people who are still changing it."""

from dataclasses import replace
from typing import Any

from bridge.adapters.forte_platform.customers import quoted
from bridge.adapters.forte_platform.line_items import clean, cut, tax_line
from bridge.adapters.forte_platform.payments import Payments, require_sum
from bridge.adapters.forte_platform.request import address_of, order_cart
from bridge.adapters.forte_platform.settings import Options, require_currency
from bridge.domain.errors import Refused
from bridge.domain.outcomes import Cart, Quote, QuoteLine
from bridge.schemas.forte_platform import LONGEST_LINE, QuoteRequestSchema

Json = dict[str, Any]
_BODY = QuoteRequestSchema()


def preview(options: Options, payments: Payments, cart: Cart, customer: str) -> Quote:
    """The taxes of the cart's lines are the store's, and part of the quote. Whose tax Forte computes is an order as it
    would be charged, and refused as it would be.

    Raises CurrencyNotSupported, InvalidParameter, Refused or ProviderError.
    """
    require_currency(options, cart.currency)
    who = quoted(options, customer, cart.address.email if cart.address else "")
    if cart.order and options.forte_taxes:
        body = order_cart(options, cart.order, cart.total, cart.currency)
        lines = tuple(map(_line, body["lineItems"]))
    else:
        body, lines = _body(options, cart), cart.lines
    if problems := _BODY.problems(body):
        raise Refused(f"This cart cannot be quoted: {problems}", reason="cart_not_expressible")
    answer = payments.quote(payments.user_of(who), body)
    if cart.order:
        require_sum(answer, cart.total, body["currency"], tax_on_top=options.allow_tax_difference)
    taxes = sum(line.tax for line in lines)
    return Quote(
        currency=cart.currency.upper(),
        lines=tuple(
            replace(line, tax=line.tax + told["taxAmountCents"])
            for line, told in zip(lines, answer["lineItems"], strict=False)
        ),
        subtotal=answer["subtotalCents"] - taxes,
        tax=answer["taxCents"] + taxes,
        total=answer["amountCents"],
    )


def _body(options: Options, cart: Cart) -> Json:
    """A cart whose tax is the store's, or that is not an order yet."""
    taxes = sum(line.tax for line in cart.lines)
    if options.forte_taxes and taxes:
        raise Refused("This cart carries the store's own tax, and tax_mode is forte.", reason="taxed_twice")
    body: Json = {
        "currency": cart.currency.lower(),
        "lineItems": [*(_item(line, options.tax_code) for line in cart.lines), *tax_line(taxes)],
    }
    if options.forte_taxes and cart.address and (place := address_of(cart.address)):
        body["customerAddress"] = place
    return body


def _item(line: QuoteLine, tax_code: str) -> Json:
    code = line.tax_code or tax_code
    return {
        "description": cut(clean(line.description) or "Item", LONGEST_LINE),
        "unitAmountCents": line.unit_amount,
        "quantity": line.quantity,
        **({"taxCode": code} if code else {}),
    }


def _line(item: Json) -> QuoteLine:
    return QuoteLine(item["description"], item["unitAmountCents"], item["quantity"], tax_code=item.get("taxCode", ""))
