"""What we read from a WooCommerce store: its index, orders, notes, refunds, webhooks and system status.

Strict where money depends on it: ids, keys, currencies, totals, what was refunded, when it was paid are fields of the
schemas. Everything else is their `information`, and what cannot be read of it is left out: it never makes an order
unpayable. Tolerant throughout where WordPress is loose: null, or PHP's empty array or `false`, for an absent object;
numbers for strings; an object for a list, as plugins leave it (`{"0": ..., "2": ...}`); any further field. JSON numbers
with a fraction are expected as Decimal, so that no sum passes through a float. Source: WooCommerce REST API
documentation, wc/v3.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BOOLEAN = fields.Boolean()
_NO_DATE = re.compile(r"0000-00-00[T ].*")
MOST = Decimal(10) ** 12
"""Quantities and amounts of lines that reach it are no information."""
PLACES = Decimal("0.000001")
"""To what they are rounded: PHP's floats have more (`0.30000000000000004`)."""


def listed(value: Any) -> list[Any]:
    """A list as PHP may write it: an object with the positions as names, or nothing at all.

    Raises ValueError for what is neither.
    """
    if isinstance(value, Mapping) and all(str(name).isdecimal() for name in value):
        return list(value.values())
    if value is None or value is False or value == "":
        return []
    if not isinstance(value, list):
        raise ValueError("Not a list.")
    return value


def _text(value: Any) -> str:
    """A string that every database takes: no NUL, no lone surrogates. Numbers become their digits, `false` nothing."""
    if value is False:
        return ""
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value
    if not isinstance(value, str | int | Decimal) or value is True:
        raise ValidationError("Not a string.")
    return str(value).replace("\0", "").encode(errors="replace").decode()


def _amount(value: Any) -> str:
    """A sum in major units as plain decimal digits, exactly as the store wrote it."""
    text = _text(value)
    if not _DECIMAL.fullmatch(text):
        raise ValidationError("Not a decimal number.")
    return text


def _number(value: Any) -> Decimal:
    """A sum as a Decimal; an empty string is zero."""
    return Decimal(_amount(_text(value) or "0"))


def _size(value: Any) -> Decimal:
    """A quantity, or an amount of a line, however a plugin writes it."""
    try:
        number = Decimal(_text(value).strip() or "0")
    except InvalidOperation:
        raise ValidationError("Not a number.") from None
    if not number.is_finite() or abs(number) >= MOST:
        raise ValidationError("Not a number of this world.")
    return number if number == round(number, 6) else number.quantize(PLACES)


def _whole(value: Any) -> int:
    text = _text(value)
    if not _INTEGER.fullmatch(text):
        raise ValidationError("Not an integer.")
    return int(text)


def _natural(value: Any) -> int:
    return max(_whole(value), 0)


def _moment(value: Any) -> datetime | None:
    """WordPress' `_gmt` dates: ISO 8601 without a time zone. None for none, which may be `0000-00-00T00:00:00`."""
    if value is False or value == "" or (isinstance(value, str) and _NO_DATE.fullmatch(value)):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValidationError("Not a date.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _boolean(value: Any) -> bool:
    try:
        return bool(_BOOLEAN.deserialize(value))
    except TypeError:
        raise ValidationError("Not a boolean.") from None


Text = partial(fields.Function, deserialize=_text)
Amount = partial(fields.Function, deserialize=_amount)
Number = partial(fields.Function, deserialize=_number)
Whole = partial(fields.Function, deserialize=_whole)
Moment = partial(fields.Function, deserialize=_moment)


Read = Callable[[Any], Any]
"""Makes something of a value, or of None where there is none. Never raises."""
Information = Mapping[str, Read]
"""What an object says, by name."""


def information(read: Callable[[Any], Any], otherwise: Any) -> Read:
    """What `read` makes of a value, and `otherwise` of one that is absent or makes no sense."""

    def tolerant(value: Any) -> Any:
        if value is None:
            return otherwise
        try:
            return read(value)
        except ValidationError:
            return otherwise

    return tolerant


def about(members: Information) -> Read:
    """An object of information: empty where it is not one. What is in it is read by itself."""

    def read(value: Any) -> dict[str, Any]:
        return _told(members, value if isinstance(value, Mapping) else {})

    return read


def several(members: Information) -> Read:
    """A list of information. A row that is not an object is left out."""

    def rows(value: Any) -> list[dict[str, Any]]:
        try:
            found = listed(value)
        except ValueError:
            return []
        return [_told(members, row) for row in found if isinstance(row, Mapping)]

    return rows


def _told(members: Information, value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: read(value.get(name)) for name, read in members.items()}


TEXT = information(_text, "")
SIZE = information(_size, Decimal(0))
NATURAL = information(_natural, 0)
MOMENT = information(_moment, None)


class AnswerSchema(Schema):
    """Its fields are what has to make sense; `information` is what may be left out."""

    information: ClassVar[Information] = {}

    class Meta:
        unknown = EXCLUDE

    @property
    def names(self) -> str:
        """What to ask for with `_fields`."""
        return ",".join((*self.fields, *self.information))

    def read(self, answer: Any) -> Any:
        """Raises ValueError, which names the wrong fields and not their values."""
        try:
            values = self.load(answer)
        except ValidationError as error:
            wrong = error.messages if isinstance(error.messages, dict) else {}
            raise ValueError(", ".join(sorted(map(str, wrong)))) from None
        tell = about(self.information)
        if self.many:
            return [known | tell(row) for known, row in zip(values, answer, strict=True)]
        return values | tell(answer)

    @pre_load
    def _without_nothings(self, value: Any, **_: Any) -> Any:
        """Null is absent, PHP has `[]`, `""` or `false` for an object that is not there, and objects for lists."""
        if isinstance(value, Mapping):
            known = {name: value.get(name) for name in self.fields}
            return {name: self._as_list(name, item) for name, item in known.items() if item is not None}
        return value or {}

    def _as_list(self, name: str, item: Any) -> Any:
        if not isinstance(self.fields[name], fields.List):
            return item
        try:
            return listed(item)
        except ValueError:
            return item  # which is refused, with its name


ADDRESS = dict.fromkeys(
    (
        *("first_name", "last_name", "address_1", "address_2", "city", "state", "postcode", "country"),
        *("email", "phone"),
    ),
    TEXT,
)
FEE_LINE = {"name": TEXT, "total": SIZE, "total_tax": SIZE}
LINE_ITEM = {
    **FEE_LINE,
    "quantity": information(_size, Decimal(1)),
    "subtotal": SIZE,
    "product_id": NATURAL,
    "variation_id": NATURAL,
    "sku": TEXT,
    "image": about({"src": TEXT}),
}
SHIPPING_LINE = {"method_id": TEXT}
META: Information = {"key": TEXT, "value": lambda value: value}


class RefundSumSchema(AnswerSchema):
    """A refund in an order's own list: `total` is negative, and `-` for a refund without an amount."""

    total = fields.Function(deserialize=lambda value: _number("" if value == "-" else value), required=True)


class _OrderCore(AnswerSchema):
    """`needs_payment` is None where the store is too old to say."""

    id = Whole(required=True)
    order_key = Text(required=True)
    status = Text(required=True, validate=validate.Length(min=1))
    currency = Text(required=True, validate=validate.Length(min=1))
    total = Amount(required=True)
    transaction_id = Text(load_default="")
    needs_payment = fields.Boolean(load_default=None)
    payment_method = Text(load_default="")
    date_paid_gmt = Moment(load_default=None)
    refunds = fields.List(fields.Nested(RefundSumSchema), load_default=list)
    information: ClassVar[Information] = {"meta_data": several(META)}


class RefundSumsSchema(AnswerSchema):
    """The refunds of an order alone."""

    refunds = fields.List(fields.Nested(RefundSumSchema), required=True)


class OrderSchema(_OrderCore):
    """An order as it is read before a payment.

    `needs_processing` is None where the store is too old to say.
    """

    information: ClassVar[Information] = {
        **_OrderCore.information,
        "number": TEXT,
        "needs_processing": information(_boolean, None),
        "created_via": TEXT,
        "customer_id": NATURAL,
        "prices_include_tax": information(_boolean, False),
        "billing": about(ADDRESS),
        "shipping": about(ADDRESS),
        "line_items": several(LINE_ITEM),
        "fee_lines": several(FEE_LINE),
        "shipping_lines": several(SHIPPING_LINE),
        "shipping_total": SIZE,
        "shipping_tax": SIZE,
        "date_created_gmt": MOMENT,
    }


class OrderStateSchema(_OrderCore):
    """An order as it is read around a delivery."""

    information: ClassVar[Information] = {**_OrderCore.information, "date_modified_gmt": MOMENT}


class RefundSchema(AnswerSchema):
    """A refund of the store's own. `amount` is empty where it was made without one."""

    id = Whole(required=True)
    amount = fields.Function(deserialize=lambda value: _text(value) and _amount(value), load_default="")
    refunded_payment = fields.Boolean(load_default=False)
    information: ClassVar[Information] = {"reason": TEXT, "date_created_gmt": MOMENT, "meta_data": several(META)}


class NoteSchema(AnswerSchema):
    information: ClassVar[Information] = {"note": TEXT}


class WebhookSchema(AnswerSchema):
    """One of the store's subscriptions. Its secret is never shown."""

    id = Whole(required=True)
    topic = Text(load_default="")
    status = Text(load_default="")
    delivery_url = Text(load_default="")


class DeliveredOrderSchema(AnswerSchema):
    """What we need of the body of a webhook about an order. Where the order is gone by then, it is an error."""

    id = Whole(load_default=0)


class IndexSchema(AnswerSchema):
    """WordPress' anonymous index, `/wp-json/`."""

    home = Text(load_default="")
    url = Text(load_default="")
    namespaces = fields.List(Text(), load_default=list)


class PluginSchema(AnswerSchema):
    plugin = Text(load_default="")


class SettingsSchema(AnswerSchema):
    currency = Text(required=True)
    number_of_decimals = Whole(required=True)


class SettingSchema(AnswerSchema):
    """One of the store's settings."""

    value = Text(load_default="")


class SystemStatusSchema(AnswerSchema):
    settings = fields.Nested(SettingsSchema, required=True)
    active_plugins = fields.List(fields.Nested(PluginSchema), required=True)
