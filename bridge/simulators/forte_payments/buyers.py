"""What stands against a buyer, and what buyers can do, at the widget or at the hosted page."""

from collections.abc import Mapping
from typing import Any

from .intents import Status
from .refusals import KYC_CODE, Refusal, refusal_of
from .state import State, Visit

START_AGAIN = "You are verified. Please start the payment again."
ENDS: dict[str, Status] = {"approve": "Approved", "decline": "Declined", "expire": "Expired"}


def standing_refusal(state: State, buyer: Mapping[str, Any]) -> Refusal | None:
    """What stands against the buyer now: who has been verified need not be verified again."""
    refusal = refusal_of(buyer)
    if refusal and refusal.code == KYC_CODE and buyer["id"] in state.known_buyers:
        return None
    return refusal


def obstacle(state: State, visit: Visit) -> str | None:
    """The `error_code` of a visit, as of now."""
    refusal = standing_refusal(state, visit.buyer)
    return refusal.code if refusal else None


def verify(state: State, visit: Visit) -> None:
    """The buyer proves who they are: from then on they are known."""
    state.known_buyers.add(visit.buyer["id"])


def end(state: State, intent_id: str, status: Status) -> Status:
    """End the intent, unless it has ended; returns how."""
    intent = state.intents.get(intent_id)
    return intent.status if intent.status != "Created" else state.intents.end(intent_id, status).status
