"""The merchant's side of payments: access tokens, intents for the widget and for the hosted page, statuses.

Sources: https://docs.fortepayments.io (obtain access token, create payment intent, create redirect intent, testing).
"""

import hmac
import json
from base64 import b64encode

from werkzeug.wrappers import Response

from .answers import answer
from .buyers import obstacle, standing_refusal
from .errors import ApiError, Json, already_submitted
from .intents import Intent
from .refusals import SUBMITTED_AMOUNT
from .state import REDIRECT_SECONDS, Call, State, Visit


def create_token(call: Call) -> Response:
    """201 with an access token; 401 for wrong credentials."""
    state = call.state
    if call.request.path not in state.assumptions.token_paths:
        raise ApiError(404, "There is no such address.")
    expected = {"client_id": state.client_id, "client_secret": state.client_secret}
    right = [hmac.compare_digest(call.body[name].encode(), value.encode()) for name, value in expected.items()]
    if not all(right):
        raise ApiError(401, "The client id or the client secret is wrong.")
    token = state.access.issue(state.client_id, state.token_seconds)
    return answer({"access_token": token, "expires_in": state.token_seconds, "token_type": "Bearer"}, 201)


def create_intent(call: Call) -> Response:
    """Widget mode: 201 with an intent, or 200 without one for a buyer who is refused."""
    visit = _visit(call)
    token = call.state.widgets.issue(visit, _session_seconds(call.state, visit))
    widget_data = b64encode(json.dumps({"access_token": token}, separators=(",", ":")).encode()).decode()
    identified = {"payment_intent_id": visit.intent_id} if visit.intent_id else {}
    data: Json = {
        "flow": "PAYMENT",
        "error_code": obstacle(call.state, visit),
        **identified,
        "widget_data": widget_data,
        "notes": [],
    }
    return answer(data, 201 if visit.intent_id else 200)


def create_redirect(call: Call) -> Response:
    """Redirect mode: 201 with an address that can be opened once, within 30 seconds."""
    token = call.state.redirects.issue(_visit(call), REDIRECT_SECONDS)
    return answer({"redirect_url": f"{call.base_url}/{call.state.site}?redirect_token={token}"}, 201)


def list_statuses(call: Call) -> Response:
    """The status of each known intent that was asked for; unknown ids are left out."""
    state = call.state
    asked = dict.fromkeys(identifier.lower() for identifier in call.body["payment_intent_ids"])
    found = filter(None, (state.intents.find(identifier) for identifier in asked))
    return answer([_status(intent, state.assumptions.status_id_field) for intent in found])


def _status(intent: Intent, id_field: str | None) -> Json:
    return {**({id_field: intent.id} if id_field else {}), "status": intent.status}


def _visit(call: Call) -> Visit:
    """The intent of the request's idempotency key, or a new one, or a visit without an intent for a buyer who is
    refused. ApiError 409 if the payment was submitted, or if the key was used for something else."""
    state, request = call.state, call.body
    if request["items"][0]["amount"] == SUBMITTED_AMOUNT:
        raise already_submitted()
    intent = state.intents.of_key(request["idempotency_key"])
    if intent is None:
        refusal = standing_refusal(state, request["buyer"])
        if refusal and not refusal.with_intent:
            return Visit(request)
        intent = state.intents.add(state.mint(), request, state.assumptions.session_seconds)
    elif intent.submitted:
        raise already_submitted()
    elif intent.request != request and state.assumptions.other_body == "conflict":
        raise ApiError(409, "The idempotency key was used with another body.", 409)
    return Visit(intent.request, intent.id)


def _session_seconds(state: State, visit: Visit) -> float:
    """As long as the intent lives, and then as long again, so that the widget can tell how it ended."""
    left = state.intents.get(visit.intent_id).expires - state.clock() if visit.intent_id else 0.0
    return max(left, 0.0) + state.assumptions.session_seconds
