"""WooPayments' lists on the wire: authorisations, transactions, charges, timeline, in the plugin's order of members.

Source: WooPayments 8.x, the authorizations, transactions, charges and timeline controllers, its client's types of
what they answer, and the published REST documentation.
"""

from marshmallow import Schema, fields

from .woopayments import ShownCharge, ShownOrder
from .wordpress import Between, Integer, Moment, Paging, Text, Texts, Unknown, Zone

MINOR = {"description": "Minor units."}
DATE = {"description": "YYYY-MM-DD HH:MM:SS, UTC."}
CURRENCY = {"description": "ISO 4217, lower case."}
CHANNEL = {"enum": ["online", "in_person"]}
RISK = {"description": "0 normal, 1 elevated, 2 highest."}


class Filters(Schema):
    """What transactions can be chosen by. A filter may name several values, with commas between them."""

    match = Text("all filters (the default), or any of them.")
    date_before = Moment("Before this moment; a bare date counts whole.", last=True)
    date_after = Moment("After this moment.")
    date_between = Between("Two moments; bare dates count whole.")
    user_timezone = Zone("The time zone of moments without one, such as +02:00. Else they are UTC.")
    order_id = Integer("Of one order.")
    type_is = Texts("charge, refund, dispute, dispute_reversal.")
    type_is_not = Texts("Not of these types.")
    channel_is = Texts("online, in_person.")
    channel_is_not = Texts("Not of these channels.")
    customer_country_is = Texts("ISO 3166-1 alpha-2.")
    customer_country_is_not = Texts("Not from these countries.")
    customer_currency_is = Texts("ISO 4217, of any case.")
    customer_currency_is_not = Texts("Not in these currencies.")
    store_currency_is = Texts("The same: the bridge does not know what is paid out.")
    risk_level_is = Texts("0 normal, 1 elevated, 2 highest.")
    risk_level_is_not = Texts("Not of these levels.")
    search = Texts("Order #12, part of a customer's name or address, or an id.", split=False)
    deposit_id = Unknown("Not known here: refused.")
    loan_id_is = Unknown("Not known here: refused.")
    source_device_is = Unknown("Not known here: refused.")
    source_device_is_not = Unknown("Not known here: refused.")


class TransactionsWanted(Filters, Paging):
    """A page of transactions."""


class SearchTerm(Schema):
    search_term = Text("Part of a customer's name or address, or the number of an order.")


class Authorization(Schema):
    charge_id = fields.String()
    transaction_id = fields.String(allow_none=True, metadata={"description": "null until it is captured."})
    amount = fields.Integer(metadata=MINOR)
    net = fields.Integer(metadata=MINOR)
    amount_captured = fields.Integer(metadata=MINOR)
    amount_refunded = fields.Integer(metadata=MINOR)
    is_captured = fields.Boolean()
    created = fields.String(metadata=DATE)
    modified = fields.String(metadata=DATE)
    channel = fields.String(metadata=CHANNEL)
    source = fields.String(metadata={"description": "The card's brand, else the kind of payment method."})
    source_identifier = fields.String(metadata={"description": "The card's last four digits."})
    customer_name = fields.String()
    customer_email = fields.String()
    customer_country = fields.String()
    fees = fields.Integer(metadata=MINOR)
    currency = fields.String(metadata=CURRENCY)
    risk_level = fields.Integer(metadata=RISK)
    payment_intent_id = fields.String()
    refunded = fields.Boolean()
    order_id = fields.Integer()
    outcome_type = fields.String()
    status = fields.String()


class Authorizations(Schema):
    data = fields.List(fields.Nested(Authorization))


class AuthorizationsSummary(Schema):
    count = fields.Integer()
    currency = fields.String(allow_none=True, metadata={"description": "The one with the most; null without any."})
    total = fields.Integer(metadata={"description": "Minor units that are left to capture, of that currency alone."})
    all_currencies = fields.List(fields.String())


class Transaction(Schema):
    transaction_id = fields.String()
    date = fields.String(metadata=DATE)
    type = fields.String(metadata={"enum": ["charge", "refund", "dispute", "dispute_reversal"]})
    channel = fields.String(metadata=CHANNEL)
    source = fields.String(metadata={"description": "The card's brand, else the kind of payment method."})
    source_identifier = fields.String(metadata={"description": "The card's last four digits."})
    customer_name = fields.String()
    customer_email = fields.String()
    customer_country = fields.String()
    amount = fields.Integer(metadata={"description": "Minor units; negative for money that went out."})
    fees = fields.Integer(metadata=MINOR)
    net = fields.Integer(metadata=MINOR)
    currency = fields.String(metadata=CURRENCY)
    customer_amount = fields.Integer(metadata=MINOR)
    customer_currency = fields.String(metadata=CURRENCY)
    charge_id = fields.String()
    risk_level = fields.Integer(metadata=RISK)
    deposit_id = fields.String(allow_none=True, metadata={"description": "null: not known here."})
    deposit_status = fields.String(allow_none=True, metadata={"description": "null: not known here."})
    available_on = fields.String(metadata={"description": "Empty: not known here."})
    exchange_rate = fields.Float(allow_none=True, metadata={"description": "null: not known here."})
    amount_in_usd = fields.Integer(allow_none=True, metadata={"description": "`amount` of US dollars, else null."})
    loan_id = fields.String(allow_none=True, metadata={"description": "null: not known here."})
    source_device = fields.String(allow_none=True, metadata={"description": "null: not known here."})
    order_id = fields.Integer()
    order = fields.Nested(ShownOrder)
    payment_intent_id = fields.String()


class Transactions(Schema):
    data = fields.List(fields.Nested(Transaction))


class TransactionsSummary(Schema):
    count = fields.Integer()
    currency = fields.String(allow_none=True, metadata={"description": "The one with the most; null without any."})
    total = fields.Integer(metadata={"description": "Minor units, of that currency alone; so fees and net."})
    fees = fields.Integer(metadata=MINOR)
    net = fields.Integer(metadata=MINOR)
    store_currencies = fields.List(fields.String())
    customer_currencies = fields.List(fields.String())


class Suggestion(Schema):
    label = fields.String(metadata={"description": "Something that `search` finds."})


class Timeline(Schema):
    data = fields.List(
        fields.Dict(metadata={"description": "`type`, `datetime` (Unix seconds) and what the type has. Newest first."})
    )


class Charge(ShownCharge):
    """A charge of its own, with its order, its refunds and its newest dispute as Stripe lists them."""

    object = fields.Constant("charge")
    livemode = fields.Boolean()
    application = fields.String(allow_none=True)
    application_fee = fields.String(allow_none=True)
    authorization_code = fields.String(allow_none=True)
    calculated_statement_descriptor = fields.String(allow_none=True)
    customer = fields.String(allow_none=True)
    description = fields.String(allow_none=True)
    destination = fields.String(allow_none=True)
    failure_code = fields.String(allow_none=True)
    failure_message = fields.String(allow_none=True)
    fraud_details = fields.List(fields.Raw(), allow_none=True)
    invoice = fields.String(allow_none=True)
    level3 = fields.Dict(allow_none=True)
    metadata = fields.Dict(values=fields.String())
    on_behalf_of = fields.String(allow_none=True)
    receipt_email = fields.String(allow_none=True)
    receipt_number = fields.String(allow_none=True)
    receipt_url = fields.String(allow_none=True, metadata={"description": "The provider's page for the buyer."})
    review = fields.String(allow_none=True)
    shipping = fields.Dict(allow_none=True)
    source = fields.Dict(allow_none=True)
    source_transfer = fields.String(allow_none=True)
    statement_descriptor = fields.String(allow_none=True)
    statement_descriptor_suffix = fields.String(allow_none=True)
    transfer_data = fields.Dict(allow_none=True)
    transfer_group = fields.String(allow_none=True)


class OrderAsCharge(Schema):
    """What an order that has no charge is shown as, in the place of one."""

    id = fields.Integer(metadata={"description": "Of the order."})
    amount = fields.Integer(metadata=MINOR)
    amount_captured = fields.Integer()
    amount_refunded = fields.Integer()
    application_fee_amount = fields.Integer()
    balance_transaction = fields.Dict()
    billing_details = fields.Dict()
    created = fields.Integer(allow_none=True, metadata={"description": "Of the order's newest intent, else null."})
    currency = fields.String(metadata={"description": "ISO 4217, upper case."})
    disputed = fields.Boolean()
    outcome = fields.Boolean()
    order = fields.Nested(ShownOrder)
    paid = fields.Boolean()
    paydown = fields.Raw(allow_none=True)
    payment_intent = fields.String(allow_none=True)
    payment_method_details = fields.Dict()
    refunded = fields.Boolean()
    refunds = fields.Raw(allow_none=True)
    status = fields.String(metadata={"description": "Of the order."})
