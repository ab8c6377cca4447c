"""Quotes: what a cart would cost at Forte, for people who are still changing it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bridge.adapters.forte_platform.lines import clean, cut, tax_line
from bridge.adapters.forte_platform.payments import Payments
from bridge.adapters.forte_platform.request import address_of
from bridge.adapters.forte_platform.settings import Options, require_currency
from bridge.adapters.forte_platform.users import quoted
from bridge.domain.errors import Refused
from bridge.domain.orders import Address
from bridge.domain.outcomes import Quote, QuoteLine
from bridge.schemas.forte_platform import LONGEST_LINE, QuoteRequestSchema

_BODY = QuoteRequestSchema()


def preview(
    options: Options,
    payments: Payments,
    currency: str,
    lines: Sequence[QuoteLine],
    address: Address | None,
    customer: str,
) -> Quote:
    """The taxes of `lines` are the shop's, and part of the quote.

    Raises CurrencyNotSupported, InvalidParameter, Refused or ProviderError.
    """
    require_currency(options, currency)
    who = quoted(options, customer, address.email if address else "")
    taxes = sum(line.tax for line in lines)
    items = [_item(line, options.tax_code) for line in lines]
    body: dict[str, Any] = {"currency": currency.lower(), "lineItems": [*items, *tax_line(taxes)]}
    place = address_of(address) if options.forte_taxes and address else None
    if place:
        body["customerAddress"] = place
    if options.forte_taxes and taxes:
        raise Refused("This cart carries the shop's own tax, and tax_mode is forte.", reason="taxed_twice")
    if problems := _BODY.problems(body):
        raise Refused(f"This cart cannot be quoted: {problems}", reason="cart_not_expressible")
    answer = payments.quote(payments.user_of(who), body)
    return Quote(
        currency=currency.upper(),
        lines=tuple(
            replace(line, tax=line.tax + told["taxAmountCents"])
            for line, told in zip(lines, answer["lineItems"], strict=False)
        ),
        subtotal=answer["subtotalCents"] - taxes,
        tax=answer["taxCents"] + taxes,
        total=answer["amountCents"],
    )


def _item(line: QuoteLine, tax_code: str) -> dict[str, Any]:
    code = line.tax_code or tax_code
    return {
        "description": cut(clean(line.description) or "Item", LONGEST_LINE),
        "unitAmountCents": line.unit_amount,
        "quantity": line.quantity,
        **({"taxCode": code} if code else {}),
    }
