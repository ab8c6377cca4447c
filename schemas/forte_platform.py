"""What Forte Platforms is sent and what it answers: quotes, payments, lists, users, triggers and errors.

Requests are strict: the limits of Forte's SDK types, and no member that is not among them. Answers are tolerant: any
further member, null for absent; strict where money depends on it. Sources: Forte's guide "Creating Payments", and the
types of Forte's public SDK.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, pre_load, validate

MOST_LINES = 50
LONGEST_LINE, LONGEST_DESCRIPTION = 250, 500
EVENTS = ("PAYMENT_COMPLETED", "PAYMENT_REFUNDED", "PAYMENT_FAILED")
"""What a trigger can wait for. PAYMENT_FAILED came after the guide."""


class RequestSchema(Schema):
    class Meta:
        unknown = RAISE

    def problems(self, body: Mapping[str, Any]) -> str:
        """What is wrong with a body, as one sentence; empty if it is right."""
        found = self.validate(dict(body))
        return "; ".join(f"{name}: {sentence}" for name, sentence in _flat("", found))


class AnswerSchema(Schema):
    class Meta:
        unknown = EXCLUDE

    def read(self, answer: Any) -> dict[str, Any]:
        """Raises ValueError, which names the wrong fields and not their values."""
        try:
            values: dict[str, Any] = self.load(answer)
        except ValidationError as error:
            raise ValueError(", ".join(name for name, _ in _flat("", error.messages))) from None
        return values

    @pre_load
    def _without_nothings(self, value: Any, **_: Any) -> Any:
        """Null is absent."""
        if isinstance(value, Mapping):
            return {name: item for name, item in value.items() if item is not None}
        return value


def _flat(path: str, found: Any) -> list[tuple[str, str]]:
    if isinstance(found, Mapping):
        return [pair for name, inner in found.items() for pair in _flat(f"{path}.{name}" if path else f"{name}", inner)]
    return [(path, " ".join(map(str, found)) if isinstance(found, list) else str(found))]


def read_time(text: Any) -> float:
    """An ISO 8601 time in UTC as Unix seconds. Raises ValueError."""
    if not isinstance(text, str):
        raise ValueError("not a time")
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() != timedelta(0):
        raise ValueError("not a time in UTC")
    return moment.timestamp()


def _time(value: Any) -> float:
    try:
        return read_time(value)
    except (ValueError, OverflowError):
        raise ValidationError("Not a time.") from None


def _like(pattern: str) -> validate.Regexp:
    """Of which the whole text has to be."""
    return validate.Regexp(rf"{pattern}\Z")


def _any_text(value: Any) -> str:
    """A string, or nothing where there is none."""
    return value if isinstance(value, str) else ""


def _text(*, required: bool = False) -> fields.String:
    if required:
        return fields.String(required=True, validate=validate.Length(min=1))
    return fields.String(load_default="")


def _cents(*, required: bool = True) -> fields.Integer:
    """Minor units, 0 where it may be absent and is."""
    whole = validate.Range(min=0)
    if required:
        return fields.Integer(required=True, strict=True, validate=whole)
    return fields.Integer(load_default=0, strict=True, validate=whole)


class AddressSchema(RequestSchema):
    line1 = fields.String(required=True, validate=validate.Length(min=1))
    line2 = fields.String()
    city = fields.String(required=True, validate=validate.Length(min=1))
    state = fields.String()
    postalCode = fields.String(required=True, validate=validate.Length(min=1))
    country = fields.String(required=True, validate=_like("[A-Z]{2}"))


class LineSchema(RequestSchema):
    description = fields.String(required=True, validate=validate.Length(1, LONGEST_LINE))
    unitAmountCents = _cents()
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    taxCode = fields.String(validate=_like("txcd_[0-9]{8}"))


class QuoteRequestSchema(RequestSchema):
    currency = fields.String(required=True, validate=_like("[a-z]{3}"))
    lineItems = fields.List(fields.Nested(LineSchema), required=True, validate=validate.Length(1, MOST_LINES))
    customerAddress = fields.Nested(AddressSchema)
    shippingAddress = fields.Nested(AddressSchema)


class PaymentRequestSchema(QuoteRequestSchema):
    """`metadata` has Stripe's limits: it becomes the payment intent's."""

    description = fields.String(validate=validate.Length(max=LONGEST_DESCRIPTION))
    metadata = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        values=fields.String(validate=validate.Length(max=500)),
        validate=validate.Length(max=50),
    )


class TriggerRequestSchema(RequestSchema):
    """Of creating and of replacing one: `PUT` takes the whole object too."""

    displayName = fields.String(required=True, validate=validate.Length(1, 120))
    targetServiceId = fields.String(required=True, validate=validate.Length(min=1))
    targetPath = fields.String(
        required=True,
        validate=[validate.Length(max=500), validate.Regexp("^/", error="It has to start with /.")],
    )
    events = fields.List(
        fields.String(validate=validate.OneOf(EVENTS)), required=True, validate=validate.Length(1, len(EVENTS))
    )
    enabled = fields.Boolean()


class QuotedLineSchema(AnswerSchema):
    taxAmountCents = _cents(required=False)


class QuoteSchema(AnswerSchema):
    subtotalCents = _cents()
    taxCents = _cents(required=False)
    amountCents = _cents()
    currency = _text(required=True)
    lineItems = fields.List(fields.Nested(QuotedLineSchema), required=True)


class RefundRecordSchema(AnswerSchema):
    amountCents = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    timestamp = fields.Function(deserialize=_time, load_default=0.0)
    stripeRefundId = _text()


class StateRecordSchema(AnswerSchema):
    state = _text(required=True)
    timestamp = fields.Function(deserialize=_time, load_default=0.0)


class BilledAddressSchema(AnswerSchema):
    line1, line2, city, state, postalCode, country = (_text() for _ in range(6))


class PaymentSchema(AnswerSchema):
    """The PaymentObject. What only later versions have may be absent."""

    id = fields.String(required=True, validate=_like("[A-Za-z0-9_-]{1,128}"))
    projectId = _text()
    userId = fields.String(required=True, validate=_like("[A-Za-z0-9_-]{1,128}"))
    state = _text(required=True)
    subtotalCents = _cents()
    taxCents = _cents(required=False)
    amountCents = _cents()
    currency = fields.String(required=True, validate=_like("[A-Za-z]{3}"))
    metadata = fields.Dict(keys=fields.String(), load_default=dict)
    customerAddress = fields.Nested(BilledAddressSchema, load_default=None)
    stripePaymentIntentId = fields.String(required=True, validate=_like("pi_[A-Za-z0-9_]{1,250}"))
    stripeStatus = _text()
    stateHistory = fields.List(fields.Nested(StateRecordSchema), load_default=list)
    refundHistory = fields.List(fields.Nested(RefundRecordSchema), load_default=list)
    refundedAmountCents = _cents(required=False)
    createdAt = fields.Function(deserialize=_time, load_default=None)
    updatedAt = fields.Function(deserialize=_time, load_default=None)


class CreatedSchema(AnswerSchema):
    """What a browser needs besides the payment is passed on as it is."""

    payment = fields.Nested(PaymentSchema, required=True)
    stripeClientSecret = _text(required=True)
    stripePublishableKey = _text(required=True)
    stripeConnectedAccountId = _text(required=True)


class PageSchema(AnswerSchema):
    """A page of a list; its members are read where they are needed."""

    items = fields.List(fields.Raw(), required=True)
    hasNextPage = fields.Boolean(required=True)
    nextPageToken = _text()


class MethodSchema(AnswerSchema):
    """The PaymentMethodObject of August 2026."""

    id = fields.String(required=True, validate=_like("pm_[A-Za-z0-9]+"))
    type = _text(required=True)
    brand = fields.String(load_default=None)
    last4 = fields.String(load_default=None)
    expMonth = fields.Integer(load_default=None)
    expYear = fields.Integer(load_default=None)


class MethodsSchema(AnswerSchema):
    """The list of a user's saved methods, which is not paged."""

    methods = fields.List(fields.Nested(MethodSchema), required=True)


class ContactSchema(AnswerSchema):
    email = _text()
    verified = fields.Boolean(load_default=False)


class UserSchema(AnswerSchema):
    userId = _text(required=True)
    state = _text(required=True)
    contactMethods = fields.List(fields.Nested(ContactSchema), load_default=list)


class TriggerSchema(AnswerSchema):
    """`enabled` is absent where nobody has said it, and then it is."""

    triggerId = _text(required=True)
    displayName = _text()
    targetServiceId = _text()
    targetPath = _text()
    events = fields.List(fields.String(), load_default=list)
    enabled = fields.Boolean(load_default=True)


class TriggersSchema(AnswerSchema):
    """The list of all triggers, which is not paged."""

    triggers = fields.List(fields.Nested(TriggerSchema), required=True)


class FiredSchema(AnswerSchema):
    """What a trigger sends."""

    userId = fields.String(required=True, validate=_like("[A-Za-z0-9_-]{1,128}"))
    paymentId = fields.String(required=True, validate=_like("[A-Za-z0-9_-]{1,128}"))
    paymentTime = fields.Function(deserialize=_time, required=True)
    state = fields.String(required=True, validate=_like("[A-Z_]{1,64}"))


class ErrorSchema(AnswerSchema):
    """Forte's error; every member may be absent."""

    code = fields.Function(deserialize=_any_text, data_key="errorCode", load_default="")
    message = fields.Function(deserialize=_any_text, load_default="")
