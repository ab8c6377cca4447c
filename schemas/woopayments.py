"""WooPayments' REST API on the wire: what a create takes, what create and look-up answer, in the plugin's order.

Source: WooPayments 8.x, payment intents controller and intention model; the published REST documentation.
"""

from typing import Any

from marshmallow import Schema, fields

ID = {"type": ["string", "integer"]}
STATUS = {
    "enum": [
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    ]
}


class OrEmpty(fields.Raw):
    """Whatever the provider says; what it does not say is an empty string."""

    def __init__(self, kind: str, **metadata: Any) -> None:
        super().__init__(dump_default="", metadata={"type": [kind, "string"] if kind != "string" else kind, **metadata})

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return "" if value is None else value


class Parameters(Schema):
    """The parameters of a create. Everything else that is sent is ignored."""

    order_id = fields.Raw(allow_none=True, metadata={**ID, "description": "The order that is to be paid."})
    customer = fields.Raw(
        allow_none=True, metadata={"type": "string", "description": "The payer at the provider, such as cus_..."}
    )
    payment_method = fields.Raw(
        allow_none=True, metadata={"type": "string", "description": "What to charge, such as pm_..."}
    )


class Address(Schema):
    city = OrEmpty("string")
    country = OrEmpty("string", description="ISO 3166-1 alpha-2.")
    line1 = OrEmpty("string")
    line2 = OrEmpty("string")
    postal_code = OrEmpty("string")
    state = OrEmpty("string")


class BillingDetails(Schema):
    address = fields.Nested(Address, metadata={"description": "Absent if the provider has no address."})
    email = OrEmpty("string")
    name = OrEmpty("string")
    phone = OrEmpty("string")


class Card(Schema):
    amount_authorized = OrEmpty("integer", description="Minor units.")
    brand = OrEmpty("string")
    capture_before = OrEmpty("integer", description="Unix seconds.")
    country = OrEmpty("string")
    exp_month = OrEmpty("integer")
    exp_year = OrEmpty("integer")
    last4 = OrEmpty("string")
    three_d_secure = OrEmpty("object")


class PaymentMethodDetails(Schema):
    card = fields.Nested(Card)


class CreatedCharge(Schema):
    """The charge in the answer to a create."""

    id = fields.String()
    amount = fields.Integer(metadata={"description": "Minor units."})
    application_fee_amount = fields.Integer(allow_none=True, metadata={"description": "Minor units."})
    status = fields.String(allow_none=True)
    billing_details = fields.Nested(BillingDetails)
    payment_method_details = fields.Nested(
        PaymentMethodDetails, metadata={"description": "Absent unless a card was used."}
    )


class Extensions(Schema):
    """What the bridge adds after WooPayments' own keys; each is there only where it means something."""

    client_secret = fields.String(metadata={"description": "For Stripe.js. Only in the answer to a create."})
    next_action = fields.Dict(metadata={"description": "What the payer has to do. Only in the answer to a create."})
    last_payment_error = fields.Dict(metadata={"description": "Why the last try did not succeed."})
    livemode = fields.Boolean()
    metadata = fields.Raw(metadata={"type": ["object", "array"], "description": "[] if a look-up finds none."})
    provider = fields.String(metadata={"description": "The adapter that moves the money."})
    provider_data = fields.Dict(metadata={"description": "The provider's own. Only in the answer to a create."})
    pay_url = fields.String(metadata={"description": "Where the buyer pays, while the payment waits for that."})
    outcome = fields.String(metadata={"enum": ["unknown"], "description": "The provider's answer is not known yet."})
    attempt_id = fields.String(metadata={"description": "Names the newest try; a look-up accepts it."})


class _Created(Schema):
    id = fields.String()
    amount = fields.Integer(metadata={"description": "Minor units."})
    currency = fields.String(metadata={"description": "ISO 4217, upper case."})
    created = fields.Raw(
        metadata={
            "type": ["integer", "string"],
            "description": 'Unix seconds; in the woopayments profile "YYYY-MM-DD HH:MM:SS", UTC.',
        }
    )
    customer = fields.String(allow_none=True)
    payment_method = fields.String(allow_none=True)
    status = fields.String(metadata=STATUS)
    charge = fields.Nested(CreatedCharge, metadata={"description": "Absent until there is one."})


class CreatedIntent(Extensions, _Created):
    """The answer to a create."""


class ShownCharge(Schema):
    """The charge in the answer to a look-up: the provider's words where the bridge has them, else null.

    Where WooCommerce's apps decode no null, an unknown brand, funding or account type is Stripe's word `unknown`, and
    an unknown `last4` or `payment_method` an empty text.
    """

    id = fields.String()
    amount = fields.Integer(metadata={"description": "Minor units."})
    created = fields.Integer(metadata={"description": "Unix seconds."})
    payment_method_details = fields.Dict(metadata={"description": "`type`, and a member of that name."})
    payment_method = fields.String(metadata={"description": "Empty where it is not known."})
    amount_captured = fields.Integer(metadata={"description": "Minor units."})
    amount_refunded = fields.Integer(metadata={"description": "Minor units."})
    application_fee_amount = fields.Integer(allow_none=True, metadata={"description": "Minor units."})
    balance_transaction = fields.Dict(
        allow_none=True, metadata={"description": "`fee` and `net` are null until the provider has shown them."}
    )
    billing_details = fields.Dict(allow_none=True)
    currency = fields.String(metadata={"description": "ISO 4217, lower case."})
    dispute = fields.Dict(allow_none=True)
    disputed = fields.Boolean()
    order = fields.Raw(allow_none=True, dump_default=None)
    outcome = fields.Dict(allow_none=True)
    paid = fields.Boolean()
    paydown = fields.Raw(allow_none=True)
    payment_intent = fields.String()
    captured = fields.Boolean()
    refunded = fields.Boolean()
    refunds = fields.Dict()
    status = fields.String(metadata={"enum": ["succeeded", "pending", "failed"]})


class ShownOrder(Schema):
    """The order in the answer to a look-up."""

    number = fields.String()
    url = fields.String(metadata={"description": "Where a person edits the order in the store."})
    customer_url = fields.String(allow_none=True)
    customer_name = fields.String()
    customer_email = fields.String()
    subscriptions = fields.List(fields.Raw(), metadata={"description": "None is known here."})
    fraud_meta_box_type = fields.String()


class _Shown(Schema):
    id = fields.String()
    amount = fields.Integer(metadata={"description": "Minor units."})
    currency = fields.String(metadata={"description": "ISO 4217, upper case."})
    charge = fields.Nested(ShownCharge, allow_none=True)
    created = fields.Integer(metadata={"description": "Unix seconds."})
    customer = fields.String(allow_none=True)
    metadata = fields.Raw()
    payment_method = fields.String(allow_none=True)
    payment_method_types = fields.List(fields.String())
    processing = fields.Raw(metadata={"type": ["object", "array"], "description": "[] if there is none."})
    status = fields.String(metadata=STATUS)
    order = fields.Nested(ShownOrder)


class ShownIntent(Extensions, _Shown):
    """The answer to a look-up: never with one-time material."""

    class Meta:
        exclude = ("client_secret", "next_action", "provider_data")


class Error(Schema):
    """Every error, in WordPress' envelope. `data` has the HTTP status, and for payments what a program needs."""

    code = fields.String(required=True)
    message = fields.String(required=True)
    data = fields.Nested(lambda: ErrorData(), required=True, allow_none=True)


class ErrorData(Schema):
    status = fields.Integer(required=True, metadata={"description": "The HTTP status."})
    reason = fields.String(metadata={"description": "A stable word for programs."})
    retryable = fields.Boolean(metadata={"description": "Whether the same request may succeed later."})
    provider = fields.String(metadata={"description": "The adapter that was asked."})
    decline_code = fields.String(metadata={"description": "Why the payer's side said no, in Stripe's words."})
    outcome = fields.String(metadata={"description": "unknown: it may have happened. A look-up by attempt_id tells."})
    attempt_id = fields.String(metadata={"description": "Names the try; a look-up accepts it."})
    payment_intent = fields.String(metadata={"description": "The intent that the error is about."})
    param = fields.String(metadata={"description": "The parameter that is wrong."})
    explanation = fields.String(metadata={"description": "What went wrong, where the message does not say it."})
    retry_after = fields.Integer(metadata={"description": "Seconds until it is worth asking again."})
    params = fields.Raw(
        metadata={"type": ["object", "array"], "description": "The wrong ones and why, or the missing ones."}
    )
    details = fields.Dict(metadata={"description": "The same with a code for each."})
    json_error_code = fields.Integer(metadata={"description": "PHP's number of a JSON error."})
    json_error_message = fields.String(metadata={"description": "PHP's words for it."})
