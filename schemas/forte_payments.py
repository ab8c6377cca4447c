"""Forte Payments on the wire: what a payment intent is asked for with, and what Forte answers.

Strict in what we send, with the limits of Forte's OpenAPI document (lengths are characters); tolerant in what we read:
fields that we do not need may be missing, new ones may come. Source: docs.fortepayments.io, `createRedirectV2`, webhook
subscriptions, access token.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates_schema

CURRENCIES = ("USD", "EUR")
LONGEST_TEXT = 255
"""Characters of an item's id, title, description and image address, and of an e-mail address."""
LONGEST_BUYER_ID = 1000
LONGEST_KEY = 1000
LONGEST_REFERENCE = 100
LONGEST_AMOUNT = 100
BLOCKCHAINS = (
    *("ethereum", "sepolia", "polygon", "amoy", "solana", "solana_devnet", "base", "base_sepolia"),
    *("avalanche_c", "avalanche_fuji", "binance_smart_chain", "binance_smart_chain_testnet"),
    *("arbitrum_one", "arbitrum_sepolia", "apechain", "curtis", "etherlink", "etherlink_testnet"),
    *("soneium", "soneium_minato", "aleo", "aleo_testnet"),
)
_EMAIL = validate.Email()


def is_email(text: str) -> bool:
    """Whether Forte would take it for an e-mail address."""
    try:
        _EMAIL(text)
    except ValidationError:
        return False
    return len(text) <= LONGEST_TEXT


def _text(longest: int | None = None, *, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=validate.Length(min=1, max=longest))


class WalletSchema(Schema):
    address = _text(required=True)
    blockchain = fields.String(required=True, validate=validate.OneOf(BLOCKCHAINS))


class BuyerSchema(Schema):
    id = _text(LONGEST_BUYER_ID, required=True)
    email = fields.Email(validate=validate.Length(max=LONGEST_TEXT))
    wallet = fields.Nested(WalletSchema)

    @validates_schema
    def _somebody(self, buyer: Mapping[str, Any], **_: Any) -> None:
        if "email" not in buyer and "wallet" not in buyer:
            raise ValidationError("Neither email nor wallet.")


class ItemSchema(Schema):
    id = _text(LONGEST_TEXT, required=True)
    title = _text(LONGEST_TEXT, required=True)
    description = _text(LONGEST_TEXT)
    amount = fields.String(
        required=True,
        validate=[validate.Length(max=LONGEST_AMOUNT), validate.Regexp(r"(0|[1-9][0-9]*)\.[0-9]{2}\Z")],
    )
    image_url = _text(LONGEST_TEXT, required=True)


class PaymentSchema(Schema):
    """The body of `POST /payments/v2/intent` and of `POST /payments/v2/intent/redirect`, which is the same."""

    transaction_type = fields.String(required=True, validate=validate.Equal("BUY_VDA"))
    currency = fields.String(required=True, validate=validate.OneOf(CURRENCIES))
    idempotency_key = _text(LONGEST_KEY, required=True)
    reference = _text(LONGEST_REFERENCE)
    buyer = fields.Nested(BuyerSchema, required=True)
    items = fields.List(fields.Nested(ItemSchema), required=True, validate=validate.Length(equal=1))

    def faults(self, body: Mapping[str, Any], *, without: str = "") -> list[str]:
        """The fields that Forte would refuse, without their values; `without` is one that is added later."""
        wrong = self.validate(body, partial=(without,) if without else None)
        return sorted(map(str, wrong))


class Answer(Schema):
    class Meta:
        unknown = EXCLUDE

    def read(self, answer: Any) -> dict[str, Any]:
        """Raises ValueError, which names the wrong fields and not their values."""
        try:
            return dict(self.load(answer))
        except ValidationError as error:
            wrong = error.messages if isinstance(error.messages, dict) else {}
            raise ValueError(", ".join(sorted(map(str, wrong)))) from None

    @pre_load
    def _without_nothings(self, value: Any, **_: Any) -> Any:
        """Null is absent."""
        return {n: item for n, item in value.items() if item is not None} if isinstance(value, Mapping) else value


class TokenAnswer(Answer):
    """An access token, in its envelope or without. Older copies of the documents name it `access`.

    `expires_in` is in seconds; 0 where it cannot be read.
    """

    access_token = fields.Function(deserialize=lambda value: _credential(value), load_default="")
    access = fields.Function(deserialize=lambda value: _credential(value), load_default="")
    expires_in = fields.Function(deserialize=lambda value: _seconds(value), load_default=0.0)

    def read(self, answer: Any) -> dict[str, Any]:
        inner = answer.get("data") if isinstance(answer, Mapping) else None
        read = super().read(inner if isinstance(inner, Mapping) else answer)
        read["token"] = read["access_token"] or read["access"]
        if not read["token"]:
            raise ValueError("access_token")
        return read


class IntentSchema(Answer):
    """What we need of a widget's `data`; the widget gets all of it. An id that is none is None."""

    payment_intent_id = fields.Function(deserialize=lambda value: _name(value), load_default=None)
    widget_data = fields.Function(deserialize=lambda value: _name(value), load_default=None)
    error_code = fields.Raw(load_default=None)
    flow = fields.Raw(load_default=None)


class IntentAnswer(Answer):
    data = fields.Nested(IntentSchema, required=True)


class OpeningSchema(Answer):
    redirect_url = fields.Function(deserialize=lambda value: _name(value), load_default=None)
    error_code = fields.Raw(load_default=None)


class OpeningAnswer(Answer):
    data = fields.Nested(OpeningSchema, required=True)


class StatusSchema(Answer):
    """The name of the id is not documented; none of the values is lost."""

    class Meta:
        unknown = "include"

    status = fields.String(required=True)


class StatusesAnswer(Answer):
    data = fields.List(fields.Nested(StatusSchema), required=True)


class SubscriptionSchema(Answer):
    id = fields.String(required=True, validate=validate.Length(min=1))
    endpoint = fields.String(required=True)
    description = fields.String(load_default="")
    signing_key = fields.String(load_default="")
    status = fields.String(load_default="")


class SubscriptionAnswer(Answer):
    data = fields.Nested(SubscriptionSchema, required=True)


class SubscriptionsAnswer(Answer):
    data = fields.List(fields.Nested(SubscriptionSchema), required=True)


class IntegritySchema(Answer):
    digest = fields.String(required=True, validate=validate.Regexp(r"sha(256|384|512)-[A-Za-z0-9+/]+={0,2}\Z"))


class ManifestSchema(Answer):
    file_name = fields.String(required=True, validate=validate.Regexp(r"[\w-][\w.-]*\.js\Z"))
    integrity = fields.Nested(IntegritySchema, required=True)


class ManifestAnswer(Answer):
    data = fields.Nested(ManifestSchema, required=True)


class ErrorSchema(Answer):
    """`message` may be shown to people and must not decide anything; `code` is a number, a word or absent."""

    code = fields.Function(deserialize=lambda value: _code(value), load_default="")
    reason = fields.Function(deserialize=lambda value: _name(value) or "", load_default="")
    message = fields.Function(deserialize=lambda value: _name(value) or "", load_default="")


class ErrorAnswer(Answer):
    error = fields.Nested(ErrorSchema, required=True)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _code(value: Any) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _credential(value: Any) -> str:
    """What can stand in a header."""
    usable = isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value
    return value if usable else ""


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return 0.0
    return seconds if 0 < seconds < float("inf") else 0.0
