"""How a payment is shared between the platform and a connected account: transfers and application fees.

Direct charges live on the connected account and pay the platform a fee; destination charges live on the platform,
which passes the amount on: https://docs.stripe.com/connect/charges.
"""

from .balance import note, transaction
from .errors import Json
from .events import publish
from .listing import page
from .state import Call, State


def pass_on(state: State, intent: Json, charge: Json, captured: int) -> Json:
    """Pass a destination charge on; answers the payment that arrives at the destination."""
    destination = intent["transfer_data"]["destination"]
    amount = min(intent["transfer_data"].get("amount") or captured, captured)
    transfer = state.add(
        state.platform,
        {
            "id": state.mint("tr"),
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": None,
            "created": state.now(),
            "currency": intent["currency"],
            "description": None,
            "destination": destination,
            "destination_payment": None,
            "livemode": False,
            "metadata": {},
            "reversed": False,
            "source_transaction": charge["id"],
            "source_type": "card",
            "transfer_group": intent["transfer_group"] or f"group_{intent['id']}",
        },
    )
    payment = _destination_payment(state, transfer)
    transfer["destination_payment"] = payment["id"]
    transfer["balance_transaction"] = transaction(state, state.platform, "transfer", transfer, -amount)
    charge["transfer"] = transfer["id"]
    note(state, "transfer", transfer, intent, amount, charge)
    publish(state, "transfer.created", transfer)
    return payment


def _destination_payment(state: State, transfer: Json) -> Json:
    amount, destination = transfer["amount"], transfer["destination"]
    payment = state.add(
        destination,
        {
            "id": state.mint("py"),
            "object": "charge",
            "amount": amount,
            "amount_captured": amount,
            "amount_refunded": 0,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "captured": True,
            "created": transfer["created"],
            "currency": transfer["currency"],
            "customer": None,
            "description": None,
            "livemode": False,
            "metadata": {},
            "paid": True,
            "payment_intent": None,
            "payment_method": None,
            "refunded": False,
            "source_transfer": transfer["id"],
            "status": "succeeded",
            "transfer_group": transfer["transfer_group"],
        },
    )
    payment["balance_transaction"] = transaction(state, destination, "payment", payment, amount)
    return payment


def apply_fee(state: State, intent: Json, charge: Json, payment: Json, amount: int) -> None:
    """The platform's fee, taken from `payment`: the charge itself, or what a destination charge passed on."""
    fee = state.add(
        state.platform,
        {
            "id": state.mint("fee"),
            "object": "application_fee",
            "account": state.owner(payment["id"]),
            "amount": amount,
            "amount_refunded": 0,
            "application": state.application,
            "balance_transaction": None,
            "charge": payment["id"],
            "created": state.now(),
            "currency": intent["currency"],
            "fee_source": {"charge": payment["id"], "type": "charge"},
            "livemode": False,
            "originating_transaction": None if payment is charge else charge["id"],
            "refunded": False,
        },
    )
    fee["balance_transaction"] = transaction(state, state.platform, "application_fee", fee, amount)
    charge["application_fee"] = payment["application_fee"] = fee["id"]
    payment["application_fee_amount"] = amount
    note(state, "fee", fee, intent, amount, charge)
    publish(state, "application_fee.created", fee)


def list_fees(call: Call) -> Json:
    wanted = call.params.get("charge")
    every = call.state.all(call.account, "application_fee")
    found = [fee for fee in every if wanted in (None, fee["charge"], fee["originating_transaction"])]
    return page(found, call.params, "/v1/application_fees")


def list_transfers(call: Call) -> Json:
    found = call.state.all(call.account, "transfer", **call.given("destination", "transfer_group"))
    return page(found, call.params, "/v1/transfers")
