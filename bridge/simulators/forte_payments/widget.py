"""The widget's side: its script, the manifest with the script's digest, and what the script asks the simulator.

Sources: https://docs.fortepayments.io (integrate widget, testing). What is below /widget is this simulator's own.
"""

import hashlib
from base64 import b64encode
from importlib.resources import files

from werkzeug.wrappers import Response

from . import buyers
from .answers import answer
from .cards import CARDS, CHALLENGE_PASSWORD, ONE_TIME_CODE, find_card
from .errors import ApiError, Json
from .refusals import KYC_CODE, MESSAGES
from .state import Call, Visit

SCRIPT_NAME = "forte-payments-widget.js"
VERSIONED_NAME = "forte-payments-widget-1.0.0.js"


def script() -> bytes:
    """The widget as it is served."""
    return (files(__package__) / "static" / SCRIPT_NAME).read_bytes()


def show_manifest(_call: Call) -> Response:
    """The name of the current script, and its digest for the `integrity` attribute."""
    digest = b64encode(hashlib.sha384(script()).digest()).decode()
    return answer({"file_name": VERSIONED_NAME, "integrity": {"type": "sha384", "digest": f"sha384-{digest}"}})


def serve_script(_call: Call) -> Response:
    response = Response(script(), content_type="text/javascript; charset=utf-8")
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def show_session(call: Call) -> Response:
    """What the widget has to show now."""
    return answer(_session(call, _visit(call)))


def verify_identity(call: Call) -> Response:
    """The button of the KYC gate."""
    buyers.verify(call.state, _visit(call))
    return show_session(call)


def pay(call: Call) -> Response:
    """Pay with a test card. ApiError 422 with a message for the buyer if something has to be entered again; the state
    `challenge` asks for the 3-D Secure password."""
    state, visit, given = call.state, _visit(call), call.body
    session = _session(call, visit)
    if session["state"] != "ready" or visit.intent_id is None:
        return answer(session)
    if given["code"].strip() != ONE_TIME_CODE:
        raise ApiError(422, "This is not the code that was sent to you.")
    if session["needs_email"] and not given.get("email"):
        raise ApiError(422, "Please enter your e-mail address.")
    card = find_card(given["card_number"])
    if card is None:
        raise ApiError(422, "This is not one of the test cards.")
    state.confirmed_buyers.add(visit.buyer["id"])
    if card.challenged and "password" not in given:
        return answer({**session, "state": "challenge", "hint": f"The test password is {CHALLENGE_PASSWORD}."})
    if card.challenged and given["password"] != CHALLENGE_PASSWORD:
        raise ApiError(422, "The password is wrong.")
    buyers.end(state, visit.intent_id, "Approved" if card.approved else "Declined")
    return show_session(call)


def _visit(call: Call) -> Visit:
    assert call.visit is not None  # the door has seen to that
    return call.visit


def _session(call: Call, visit: Visit) -> Json:
    state, item = call.state, visit.request["items"][0]
    code = buyers.obstacle(state, visit)
    intent = state.intents.get(visit.intent_id) if visit.intent_id else None
    if intent and intent.status != "Created":
        now = intent.status.lower()
    elif code:
        now = "kyc" if code == KYC_CODE else "refused"
    else:
        now = "ready" if intent else "verified"
    return {
        "state": now,
        "hint": f"No money moves. The test code is {ONE_TIME_CODE}.",
        "message": MESSAGES.get(code or "", buyers.START_AGAIN if now == "verified" else None),
        "title": item["title"],
        "amount": item["amount"],
        "currency": visit.request["currency"],
        "needs_email": "email" not in visit.buyer and visit.buyer["id"] not in state.confirmed_buyers,
        "test_cards": [{"number": card.number, "label": card.label} for card in CARDS],
    }
