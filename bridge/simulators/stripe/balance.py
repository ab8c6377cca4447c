"""Where money facts are written down: lines in an account's balance, and entries in the ledger.

Source: https://docs.stripe.com/api/balance_transactions.
"""

from typing import Any

from ..ledger import Kind
from .errors import Json
from .listing import page
from .state import Call, State


def stripe_fee(amount: int) -> int:
    """What Stripe itself keeps of a card payment, in minor units: 2.9 % and 30, its public price for US cards."""
    return (amount * 29 + 500) // 1000 + 30


def transaction(
    state: State,
    account: str,
    kind: str,
    source: Json,
    amount: int,
    fee: int = 0,
    share: int = 0,
    *,
    category: str | None = None,
    fee_name: str | None = None,
) -> str:
    """A line in the account's balance: `fee` is Stripe's, `share` the platform's. Answers its id."""
    parts = ((fee, None, "stripe_fee", fee_name), (share, state.application, "application_fee", None))
    details = [
        {"amount": part, "application": application, "currency": source["currency"], "description": text, "type": name}
        for part, application, name, text in parts
        if part
    ]
    usual = {"payment": "charge", "application_fee": "platform_earning", "payment_refund": "refund"}
    line = {
        "id": state.mint("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": state.now(),
        "balance_type": "payments",
        "created": state.now(),
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee + share,
        "fee_details": details,
        "net": amount - fee - share,
        "reporting_category": category or usual.get(kind, kind),
        "source": source["id"],
        "status": "available",
        "type": kind,
    }
    identifier: str = state.add(account, line)["id"]
    return identifier


def list_all(call: Call) -> Json:
    found = call.state.all(call.account, "balance_transaction", **call.given("currency", "source", "type"))
    return page(found, call.params, "/v1/balance_transactions")


def note(state: State, kind: Kind, thing: Json, intent: Json, amount: int, charge: Json | None, **more: Any) -> None:
    """Write a fact about `intent` into the ledger, on the account that holds `thing`."""
    facts = {
        "destination": (intent["transfer_data"] or {}).get("destination"),
        "on_behalf_of": intent["on_behalf_of"],
        "application_fee": intent["application_fee_amount"],
        "metadata": intent["metadata"],
    }
    state.ledger.record(
        kind,
        account=state.owner(thing["id"]),
        object_id=thing["id"],
        amount=amount,
        currency=str(thing.get("currency") or intent["currency"]),
        charge_id=charge["id"] if charge else None,
        **{**facts, **more},
    )
