"""What we read from a WooCommerce store: its index, orders, notes, refunds, webhooks and system status.

Tolerant where WordPress is loose (null, or PHP's empty array or `false`, for an absent object; numbers for strings;
any further field), strict where money depends on it (ids, keys, currencies, sums). JSON numbers with a fraction are
expected as Decimal, so that no sum passes through a float. Source: WooCommerce REST API documentation, wc/v3.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

_DECIMAL = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")


def _text(value: Any) -> str:
    """A string that every database takes: no NUL, no lone surrogates. Numbers become their digits, `false` nothing."""
    if value is False:
        return ""
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
    """A sum or a quantity as a Decimal; an empty string is zero."""
    return Decimal(_amount(_text(value) or "0"))


def _whole(value: Any) -> int:
    text = _text(value)
    if not _INTEGER.fullmatch(text):
        raise ValidationError("Not an integer.")
    return int(text)


def _moment(value: Any) -> datetime | None:
    """WordPress' `_gmt` dates: ISO 8601 without a time zone. None for what is no date, as `0000-00-00T00:00:00`."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Text = partial(fields.Function, deserialize=_text)
Amount = partial(fields.Function, deserialize=_amount)
Number = partial(fields.Function, deserialize=_number)
Whole = partial(fields.Function, deserialize=_whole)
Moment = partial(fields.Function, deserialize=_moment)


class AnswerSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    @property
    def names(self) -> str:
        """What to ask for with `_fields`."""
        return ",".join(self.fields)

    def read(self, answer: Any) -> Any:
        """Raises ValueError, which names the wrong fields and not their values."""
        try:
            return self.load(answer)
        except ValidationError as error:
            wrong = error.messages if isinstance(error.messages, dict) else {}
            raise ValueError(", ".join(sorted(map(str, wrong)))) from None

    @pre_load
    def _without_nothings(self, value: Any, **_: Any) -> Any:
        """Null is absent, and PHP has `[]`, `""` or `false` for an object that is not there."""
        if isinstance(value, Mapping):
            return {name: item for name, item in value.items() if item is not None}
        return value or {}


class AddressSchema(AnswerSchema):
    first_name = Text(load_default="")
    last_name = Text(load_default="")
    address_1 = Text(load_default="")
    address_2 = Text(load_default="")
    city = Text(load_default="")
    state = Text(load_default="")
    postcode = Text(load_default="")
    country = Text(load_default="")
    email = Text(load_default="")
    phone = Text(load_default="")


class ImageSchema(AnswerSchema):
    src = Text(load_default="")


class FeeLineSchema(AnswerSchema):
    name = Text(load_default="")
    total = Number(required=True)
    total_tax = Number(load_default=Decimal(0))


class LineItemSchema(FeeLineSchema):
    quantity = Number(load_default=Decimal(1))
    subtotal = Number(required=True)
    product_id = Whole(load_default=0)
    variation_id = Whole(load_default=0)
    sku = Text(load_default="")
    image = fields.Nested(ImageSchema, load_default=dict)


class ShippingLineSchema(AnswerSchema):
    method_id = Text(load_default="")


class MetaSchema(AnswerSchema):
    key = Text(load_default="")
    value = fields.Raw(load_default=None)


class _OrderCore(AnswerSchema):
    id = Whole(required=True)
    order_key = Text(required=True)
    status = Text(required=True, validate=validate.Length(min=1))
    currency = Text(required=True, validate=validate.Length(min=1))
    total = Amount(required=True)
    transaction_id = Text(load_default="")


class RefundSumSchema(AnswerSchema):
    """A refund in an order's own list: `total` is negative, and `-` for a refund without an amount."""

    total = fields.Function(deserialize=lambda value: _number("" if value == "-" else value), required=True)


class OrderSchema(_OrderCore):
    """An order as it is read before a payment.

    `needs_payment` and `needs_processing` are None where the store is too old to say.
    """

    number = Text(load_default="")
    needs_payment = fields.Boolean(load_default=None)
    needs_processing = fields.Boolean(load_default=None)
    created_via = Text(load_default="")
    customer_id = Whole(load_default=0)
    payment_method = Text(load_default="")
    date_paid_gmt = Moment(load_default=None)
    prices_include_tax = fields.Boolean(load_default=False)
    billing = fields.Nested(AddressSchema, load_default=dict)
    shipping = fields.Nested(AddressSchema, load_default=dict)
    line_items = fields.List(fields.Nested(LineItemSchema), load_default=list)
    fee_lines = fields.List(fields.Nested(FeeLineSchema), load_default=list)
    shipping_lines = fields.List(fields.Nested(ShippingLineSchema), load_default=list)
    shipping_total = Number(load_default=Decimal(0))
    shipping_tax = Number(load_default=Decimal(0))
    meta_data = fields.List(fields.Nested(MetaSchema), load_default=list)
    date_created_gmt = Moment(load_default=None)
    refunds = fields.List(fields.Nested(RefundSumSchema), load_default=list)


class OrderStateSchema(_OrderCore):
    """An order as it is read around a delivery."""

    date_paid_gmt = Moment(load_default=None)
    date_modified_gmt = Moment(load_default=None)
    meta_data = fields.List(fields.Nested(MetaSchema), load_default=list)
    refunds = fields.List(fields.Nested(RefundSumSchema), load_default=list)


class RefundSchema(AnswerSchema):
    """A refund of the store's own. `amount` is empty where it was made without one."""

    id = Whole(required=True)
    amount = fields.Function(deserialize=lambda value: _text(value) and _amount(value), load_default="")
    reason = Text(load_default="")
    refunded_payment = fields.Boolean(load_default=False)
    date_created_gmt = Moment(load_default=None)
    meta_data = fields.List(fields.Nested(MetaSchema), load_default=list)


class NoteSchema(AnswerSchema):
    note = Text(load_default="")


class WebhookSchema(AnswerSchema):
    """One of the store's subscriptions. Its secret is never shown."""

    id = Whole(required=True)
    topic = Text(load_default="")
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


class SystemStatusSchema(AnswerSchema):
    settings = fields.Nested(SettingsSchema, required=True)
    active_plugins = fields.List(fields.Nested(PluginSchema), required=True)
