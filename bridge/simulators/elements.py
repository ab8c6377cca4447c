"""The browser's side of a simulated payment intent: a script that stands in for Stripe.js, and the calls it makes.

Any simulator that has payment intents can wear it: it says how an intent is looked up and what confirming it does.
Source: https://docs.stripe.com/js, for what a page calls and hears.
"""

import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Json = dict[str, Any]

SCRIPT = "/stripe-elements.js"
CALLS = "/__sim/elements/"
_PUBLIC = """
id object amount capture_method canceled_at client_secret confirmation_method created currency description
last_payment_error livemode next_action payment_method payment_method_types status
"""


class Refusal(Exception):
    """An error as Stripe shows it to a browser: the HTTP status and the `error` object."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(error.get("message"))
        self.status = status
        self.error = error


@dataclass(frozen=True)
class Payable:
    """A payment intent that a browser may pay. `account` is the connected account that holds it, None if it is on the
    account of the publishable key itself. The functions answer the intent as it is then, in Stripe's shape with its
    `client_secret`, or raise a Refusal: `confirm` takes the card number and the return URL if there is one,
    `authenticate` the cardholder's answer to the challenge.
    """

    account: str | None
    publishable_key: str
    retrieve: Callable[[], Json]
    confirm: Callable[[str, str | None], Json]
    authenticate: Callable[[bool], Json]


Lookup = Callable[[str], Payable | None]
"""Finds what is payable by the id of a payment intent."""


def serves(path: str) -> bool:
    """Whether `Elements` answers at this path."""
    return path == SCRIPT or path.startswith(CALLS)


def unexpected_state(intent: Json) -> Refusal:
    """What the browser asked does not fit the status of the intent."""
    message = f"This PaymentIntent is {intent['status']}, so this cannot be done."
    code = "payment_intent_unexpected_state"
    return Refusal(400, {"type": "invalid_request_error", "code": code, "message": message, "payment_intent": intent})


class Elements:
    """A WSGI application: GET /stripe-elements.js, and what the script posts back. Any page may embed it."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        response = self._script(request) if request.path == SCRIPT else self._call(request)
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response(environ, start_response)

    def _script(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        text = (Path(__file__).parent / "static/stripe-elements.js").read_bytes()
        headers = {"Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"}
        return Response(text, content_type="text/javascript; charset=utf-8", headers=headers)

    def _call(self, request: Request) -> Response:
        action = request.path.removeprefix(CALLS)
        if action not in ("retrieve", "confirm", "authenticate"):
            return Response(status=404)
        if request.method != "POST":
            return Response(status=405, headers={"Allow": "POST"})
        try:
            intent = self._run(action, request)
        except Refusal as refusal:
            return _answer({"error": _public_error(refusal.error)}, refusal.status)
        if action == "authenticate" and intent.get("last_payment_error"):
            return _answer({"error": _public_error({**intent["last_payment_error"], "payment_intent": intent})}, 402)
        return _answer({"paymentIntent": _public(intent)}, 200)

    def _run(self, action: str, request: Request) -> Json:
        form = request.form
        payable = self._payable(form.get("key", ""), form.get("account") or None, form.get("client_secret", ""))
        if action == "confirm":
            return payable.confirm(form.get("number", ""), form.get("return_url") or None)
        if action == "authenticate":
            return payable.authenticate(form.get("success") == "true")
        return payable.retrieve()

    def _payable(self, key: str, account: str | None, secret: str) -> Payable:
        """What the secret pays. Refusal unless key, account and secret belong together."""
        intent_id = secret.partition("_secret_")[0]
        found = self._lookup(intent_id)
        if found is None or found.account != account:
            raise _invalid(404, f"No such payment_intent: '{intent_id}'", code="resource_missing", param="intent")
        if not hmac.compare_digest(found.publishable_key.encode(), key.encode()):
            raise _invalid(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}")
        if not hmac.compare_digest(found.retrieve()["client_secret"].encode(), secret.encode()):
            message = "The client_secret provided does not match the client_secret associated with the PaymentIntent."
            raise _invalid(400, message, code="payment_intent_invalid_parameter", param="client_secret")
        return found


def _invalid(status: int, message: str, **more: str) -> Refusal:
    return Refusal(status, {"type": "invalid_request_error", "message": message, **more})


def _public(intent: Json) -> Json:
    """What a publishable key may see of an intent."""
    return {name: value for name, value in intent.items() if name in _PUBLIC.split()}


def _public_error(error: Json) -> Json:
    return {**error, "payment_intent": _public(error["payment_intent"])} if "payment_intent" in error else error


def _answer(content: Json, status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(content), status, content_type="application/json", headers=headers)
