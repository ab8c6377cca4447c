"""WooPayments' routes about orders, refunds, customers and card readers on the wire.

Source: WooPayments 8.x, the orders, refunds, customers and connection tokens controllers; the published REST
documentation.
"""

from functools import partial

from marshmallow import INCLUDE, Schema, fields

from .woopayments import ID, STATUS
from .wordpress import Integer

INTENT_ID = {"type": "string", "description": "The intent's id."}
MINOR = {"description": "Minor units."}


class Intent(Schema):
    """Which intent of the order is meant."""

    payment_intent_id = fields.Raw(required=True, metadata=INTENT_ID)


class Capture(Schema):
    """Which intent of the order is captured, and how much of it."""

    payment_intent_id = fields.Raw(required=True, metadata=INTENT_ID)
    amount = Integer("Minor units. Without it the order's total, as it is now.")


class TerminalIntent(Schema):
    """How a card reader is to take what an order owes."""

    payment_methods = fields.Raw(
        allow_none=True,
        metadata={"type": "array", "description": 'card_present, interac_present. Without it ["card_present"].'},
    )
    metadata = fields.Raw(allow_none=True, metadata={"type": "object", "description": "Short names and texts."})
    customer_id = fields.Raw(
        allow_none=True, metadata={"type": "string", "description": "The payer at the provider, such as cus_..."}
    )
    capture_method = fields.Raw(
        allow_none=True, metadata={"type": "string", "description": "manual (the default) or automatic."}
    )


class Named(Schema):
    id = fields.String()


class Concluded(Schema):
    status = fields.String(metadata=STATUS)
    id = fields.String()


class RefundWanted(Schema):
    """What is sent back, of an order's payment or of a charge."""

    order_id = fields.Raw(allow_none=True, metadata={**ID, "description": "The order whose payment is meant."})
    charge_id = fields.Raw(allow_none=True, metadata={"type": "string", "description": "Or the charge, such as ch_..."})
    amount = fields.Raw(allow_none=True, metadata={"type": "integer", "description": "Minor units."})
    reason = fields.Raw(
        allow_none=True,
        metadata={
            "type": "string",
            "description": "duplicate, fraudulent, requested_by_customer, or any text for the shop.",
        },
    )


class Refunded(Schema):
    """A refund, with Stripe's names."""

    id = fields.String()
    object = fields.Constant("refund")
    amount = fields.Integer(metadata=MINOR)
    currency = fields.String(metadata={"description": "ISO 4217, lower case."})
    charge = fields.String()
    payment_intent = fields.String()
    reason = fields.String(allow_none=True)
    status = fields.String(metadata={"enum": ["pending", "succeeded", "failed", "canceled"]})
    created = fields.Integer(metadata={"description": "Unix seconds."})
    repeated = fields.Boolean(metadata={"description": "true: an earlier request has made it. Else absent."})


OrNull = partial(fields.String, allow_none=True, dump_default=None)


class SavedAddress(Schema):
    city = OrNull()
    country = OrNull(metadata={"description": "ISO 3166-1 alpha-2."})
    line1 = OrNull()
    line2 = OrNull()
    postal_code = OrNull()
    state = OrNull()


class Payer(Schema):
    address = fields.Nested(SavedAddress, allow_none=True)
    email = OrNull()
    name = OrNull()
    phone = OrNull()


class SavedCard(Schema):
    brand = fields.String()
    last4 = fields.String()
    exp_month = fields.Integer()
    exp_year = fields.Integer()


class SavedSepaDebit(Schema):
    last4 = fields.String()


class SavedLink(Schema):
    email = OrNull()


class SavedPaymentMethod(Schema):
    """What a customer has saved, with its own part at the most: card, sepa_debit or link."""

    id = fields.String()
    type = fields.String()
    billing_details = fields.Nested(Payer)
    card = fields.Nested(SavedCard)
    sepa_debit = fields.Nested(SavedSepaDebit)
    link = fields.Nested(SavedLink)


class ConnectionToken(Schema):
    """What a card reader's app needs to connect, with whatever else the provider says of it."""

    class Meta:
        unknown = INCLUDE

    secret = fields.String()
    test_mode = fields.Boolean()


class MessageTaken(Schema):
    received = fields.Boolean()
    duplicate = fields.Boolean(metadata={"description": "It was here already."})


class HintTaken(Schema):
    result = fields.String(metadata={"enum": ["success", "bad_request", "error"]})
