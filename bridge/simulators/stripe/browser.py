"""What a browser does with a payment intent: confirms it with a test card, answers the challenge.

Source: https://docs.stripe.com/js and https://docs.stripe.com/testing.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from ..elements import Payable, Refusal, unexpected_state
from . import payment_intents, payment_methods
from .confirmation import authenticate
from .errors import ApiError, Json
from .state import Call, State, snapshot

_CARD = {"exp_month": 12, "exp_year": 2034}


def payable(state: State, publishable_key: str, base_url: str, intent_id: str) -> Payable | None:
    """The payment intent with this id, whoever owns it, for a browser; None if there is none."""
    with state.lock:
        found = state.anywhere(intent_id)
        if found is None or found["object"] != "payment_intent":
            return None
        owner = state.owner(intent_id)
    call = Call(state, owner, {}, {"id": intent_id}, base_url)
    return Payable(
        account=None if owner == state.platform else owner,
        publishable_key=publishable_key,
        retrieve=partial(_do, call, _find),
        confirm=partial(_confirm, call),
        authenticate=partial(_authenticate, call),
    )


def _find(call: Call) -> Json:
    return call.find("payment_intent", "intent")


def _confirm(call: Call, number: str, return_url: str | None) -> Json:
    def confirm(call: Call) -> Json:
        card = {"type": "card", "card": {"number": number, **_CARD}}
        method = payment_methods.create(replace(call, params=card))
        params = {"payment_method": method["id"], "use_stripe_sdk": True}
        if return_url is not None:
            params["return_url"] = return_url
        return payment_intents.confirm_existing(replace(call, params=params))

    return _do(call, confirm)


def _authenticate(call: Call, success: bool) -> Json:
    def answer(call: Call) -> Json:
        intent = _find(call)
        if intent["status"] != "requires_action":
            raise unexpected_state(snapshot(intent))
        return authenticate(call.state, intent, success)

    return _do(call, answer)


def _do(call: Call, work: Callable[[Call], Json]) -> Json:
    """A copy of the intent after the work, which is a request of its own. Refusal if the endpoint refuses it."""
    state = call.state
    with state.lock:
        state.catch_up()
        try:
            with state.caused_by(state.mint("req"), None):
                return snapshot(work(call))
        except ApiError as problem:
            raise Refusal(problem.status, snapshot(problem.error)) from problem
