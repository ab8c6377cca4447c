"""What a cart or an order would cost, on the wire: an extension, strict about what it takes. Amounts are minor units.

Stripe's names where Stripe has one: unit_amount, quantity, tax_code, line1, postal_code.
"""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing, validate

from .wordpress import Integer, Text

LARGEST, MOST_PIECES, MOST_LINES = 999_999_999_999, 1_000_000, 100
LONGEST = 250
MINOR = {"description": "Minor units."}
END = r"$(?!\n)"
"""The end of a text, in the regular expressions of Python and of JSON Schema alike."""
_DIGITS = re.compile(r"\d{1,12}", re.ASCII)


class Whole(fields.Integer):
    """A whole number, or the text of one where everything is text. 12.0 is none: it may be meant in major units."""

    def __init__(self, described: str, least: int, most: int, **options: Any) -> None:
        super().__init__(validate=validate.Range(least, most), metadata={"description": described}, **options)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole and not (isinstance(value, str) and _DIGITS.fullmatch(value)):
            raise ValidationError("Not a whole number.")
        return int(value)


class _Told:
    """A field whose first problem is told with its place, as WordPress tells it. Null is absent."""

    def deserialize(self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kw: Any) -> Any:
        try:
            return super().deserialize(missing if value is None else value, attr, data, **kw)  # type: ignore[misc]
        except ValidationError as problem:
            place, sentence = _first(problem.messages)
            told = f"{self.name}{place}: {sentence}"  # type: ignore[attr-defined]
            raise ValidationError({"rest_invalid_param": told}) from None


class ToldList(_Told, fields.List[Any]):
    pass


class ToldNested(_Told, fields.Nested):
    pass


class CartLine(Schema):
    """One line of a cart, its discounts taken off already."""

    description = fields.String(required=True, validate=validate.Length(1, LONGEST))
    unit_amount = Whole("Minor units, after discounts, without tax.", 0, LARGEST, required=True)
    quantity = Whole("1 if it is left out.", 1, MOST_PIECES, load_default=1)
    tax = Whole("Minor units: the shop's own tax on the whole line. 0 if it is left out.", 0, LARGEST, load_default=0)
    tax_code = fields.String(
        load_default="",
        validate=validate.Regexp(rf"^(txcd_[0-9]{{8}})?{END}", error="Not like txcd_10000000."),
        metadata={"description": "Stripe's tax code of it, where the provider computes tax."},
    )


class CartAddress(Schema):
    """Where the buyer is; a provider that computes tax needs it."""

    first_name = fields.String(validate=validate.Length(max=LONGEST))
    last_name = fields.String(validate=validate.Length(max=LONGEST))
    line1 = fields.String(validate=validate.Length(max=LONGEST))
    line2 = fields.String(validate=validate.Length(max=LONGEST))
    city = fields.String(validate=validate.Length(max=LONGEST))
    state = fields.String(validate=validate.Length(max=LONGEST))
    postal_code = fields.String(validate=validate.Length(max=LONGEST))
    country = fields.String(
        validate=validate.Regexp(rf"^([A-Za-z]{{2}})?{END}", error="Not two letters."),
        metadata={"description": "ISO 3166-1 alpha-2."},
    )
    email = fields.String(validate=validate.Length(max=LONGEST))
    phone = fields.String(validate=validate.Length(max=LONGEST))


class Preview(Schema):
    """What is to be quoted: an order of the shop, or a cart that is none yet."""

    order_id = Integer("The order, as it is now. Or a cart: currency, line_items, address.", least=1)
    customer = Text("The payer at the provider, such as cus_...; some providers quote for a payer only.")
    currency = Text("Of the cart: ISO 4217.")
    line_items = ToldList(
        fields.Nested(CartLine),
        validate=validate.Length(1, MOST_LINES),
        metadata={"type": "array", "description": "The lines of the cart, 1 to 100."},
    )
    address = ToldNested(CartAddress, metadata={"type": "object", "description": "Of the cart's buyer."})


class PreviewedLine(Schema):
    """A line with its sums; `total` is `subtotal` and `tax`."""

    description = fields.String()
    unit_amount = fields.Integer(metadata=MINOR)
    quantity = fields.Integer()
    subtotal = fields.Integer(metadata=MINOR)
    tax = fields.Integer(metadata=MINOR)
    total = fields.Integer(metadata=MINOR)


class Previewed(Schema):
    """What it would cost now; `total` is `subtotal` and `tax`."""

    subtotal = fields.Integer(metadata={"description": "Minor units, after discounts, without tax."})
    tax = fields.Integer(metadata=MINOR)
    total = fields.Integer(metadata=MINOR)
    currency = fields.String(metadata={"description": "ISO 4217, upper case."})
    line_items = fields.List(fields.Nested(PreviewedLine))
    provider = fields.String(metadata={"description": "The adapter that would move the money."})


def _first(problems: Any, place: str = "") -> tuple[str, str]:
    """Where the first problem is, and what it is."""
    if isinstance(problems, dict):
        name, inner = next(iter(problems.items()))
        step = "" if name == "_schema" else f"[{name}]" if isinstance(name, int) else f".{name}"
        return _first(inner, place + step)
    return place, str(problems[0])
