"""Confirming a payment intent: authentication, the issuer's answer, and what becomes of the intent.

Source: https://docs.stripe.com/payments/paymentintents/lifecycle and https://docs.stripe.com/testing.
"""

from functools import partial

from . import captures, charges
from .cards import AUTHENTICATION_NOT_HANDLED, AUTHENTICATION_REQUIRED, GENERIC, Authentication, Decline
from .errors import Json, card_error, invalid, unexpected_state
from .events import publish
from .payment_methods import save_for
from .state import Call, State, snapshot

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def check_confirmable(intent: Json) -> None:
    """ApiError 400 unless the intent's status permits a confirmation."""
    status = intent["status"]
    if status == "succeeded":
        message = (
            "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        )
        raise unexpected_state(message, intent)
    if status not in _CONFIRMABLE:
        message = (
            f"You cannot confirm this PaymentIntent because it has a status of {status}. Only a PaymentIntent with"
        )
        raise unexpected_state(
            f"{message} one of the following statuses may be confirmed: {', '.join(_CONFIRMABLE)}.", intent
        )


def check_return_url(intent: Json, params: Json) -> None:
    """ApiError 400 if the payer might be redirected, and nobody said where to come back to."""
    automatic = intent["automatic_payment_methods"] or {}
    if automatic.get("enabled") and automatic.get("allow_redirects") == "always" and not params.get("return_url"):
        raise invalid(
            "This PaymentIntent accepts payment methods that might redirect the customer, so a `return_url` is needed. "
            "Or set `automatic_payment_methods[allow_redirects]` to `never`, or list `payment_method_types`.",
        )


def confirm(call: Call, intent: Json, method: Json | None) -> Json:
    """Try to collect a confirmable intent with a usable `method`. ApiError 402 if the payer's side says no."""
    state, params = call.state, call.params
    if method is None:
        raise unexpected_state("You cannot confirm this PaymentIntent because it's missing a payment method.", intent)
    intent.update(payment_method=method["id"], next_action=None, last_payment_error=None)
    off_session = params.get("off_session", False) is not False
    if _must_authenticate(state, method, off_session):
        if off_session:
            _refuse(state, intent, method, AUTHENTICATION_REQUIRED, charges.make(state, call.account, intent, method))
            raise card_error(intent)
        if params.get("error_on_requires_action"):
            _refuse(state, intent, method, AUTHENTICATION_NOT_HANDLED, None)
            raise card_error(intent)
        intent.update(status="requires_action", next_action=_next_action(call, intent))
        publish(state, "payment_intent.requires_action", intent)
        return intent
    collect(state, intent, method)
    if intent["last_payment_error"]:
        raise card_error(intent)
    return intent


def _must_authenticate(state: State, method: Json, off_session: bool) -> bool:
    rule = state.cards[method["id"]].authentication
    if rule is Authentication.UNLESS_SET_UP:
        return not (off_session and method["id"] in state.set_up)
    return rule is Authentication.ALWAYS


def _next_action(call: Call, intent: Json) -> Json:
    url = f"{call.base_url}/simulator/authenticate/{intent['id']}"
    return_url = call.params.get("return_url")
    if return_url and not call.params.get("use_stripe_sdk"):
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    return {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url}}


def collect(state: State, intent: Json, method: Json, authenticated: bool = False) -> None:
    """Ask the issuer. The intent then requires capture, has succeeded, or requires a payment method again and says why
    in `last_payment_error`; or it is processing, if this issuer answers later."""
    charge = charges.make(state, state.owner(intent["id"]), intent, method, authenticated)
    if method["customer"] is None:
        state.used_up[method["id"]] = intent["id"]
    intent.update(next_action=None, last_payment_error=None)
    if method["id"] in state.slow:
        intent.update(status="processing", latest_charge=charge["id"])
        charges.pend(state, charge)
        publish(state, "payment_intent.processing", intent)
    else:
        _answer(state, intent, method, charge, state.cards[method["id"]].decline)


def settle(state: State, intent: Json, accepted: bool) -> Json:
    """The issuer's answer to an intent that is processing. ValueError if it is not."""
    if intent["status"] != "processing":
        raise ValueError(f"{intent['id']} is not processing: it is {intent['status']}")
    account = state.owner(intent["id"])
    method = state.find(account, "payment_method", intent["payment_method"])
    charge = state.find(account, "charge", intent["latest_charge"])
    refusal = state.cards[method["id"]].decline
    _answer(state, intent, method, charge, refusal if accepted else refusal or GENERIC)
    return intent


def _answer(state: State, intent: Json, method: Json, charge: Json, refusal: Decline | None) -> None:
    if refusal is not None:
        _refuse(state, intent, method, refusal, charge)
        return
    if _is_held(intent, method["type"]):
        online = method["type"] == "card"
        hold = captures.ONLINE_HOLD if online else captures.IN_PERSON_HOLD
        charges.hold(state, intent, charge, state.now() + hold)
        state.later(hold, partial(captures.expire_if_held, state, intent, charge))
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        _save(state, intent, method)
        publish(state, "charge.succeeded", charge)
        publish(state, "payment_intent.amount_capturable_updated", intent)
        return
    charges.hold(state, intent, charge)
    charges.capture(state, intent, charge, intent["amount"])
    intent.update(status="succeeded", amount_received=intent["amount"])
    _save(state, intent, method)
    publish(state, "charge.succeeded", charge)
    publish(state, "payment_intent.succeeded", intent)
    if intent["capture_method"] == "automatic_async":
        publish(state, "charge.updated", charge, balance_transaction=None)


def _is_held(intent: Json, kind: str) -> bool:
    """Whether the money waits for a capture. Interac takes it at once, whatever was asked for."""
    own = (intent["payment_method_options"].get(kind) or {}).get("capture_method")
    return kind != "interac_present" and (own or intent["capture_method"]) in ("manual", "manual_preferred")


def _save(state: State, intent: Json, method: Json) -> None:
    """Keep the method for the customer's next payments, if that was asked for."""
    if not (intent["setup_future_usage"] and intent["customer"]):
        return
    if method["customer"] is None:
        save_for(method, state.find(state.owner(intent["id"]), "customer", intent["customer"]))
        publish(state, "payment_method.attached", method)
    if intent["setup_future_usage"] == "off_session":
        state.set_up.add(method["id"])


def _refuse(state: State, intent: Json, method: Json, reason: Decline, charge: Json | None) -> None:
    """The payer's side said no: the intent wants another payment method, and remembers why."""
    problem = {
        "type": "card_error",
        "code": reason.code,
        "decline_code": reason.decline_code,
        "doc_url": f"https://docs.stripe.com/error-codes/{reason.code.replace('_', '-')}",
        "message": reason.message,
        "payment_method": snapshot(method),
    }
    details = {"advice_code": reason.advice_code, "param": reason.param, "charge": charge and charge["id"]}
    problem |= {name: value for name, value in details.items() if value}
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=problem)
    if charge is not None:
        intent["latest_charge"] = charge["id"]
        charges.decline(state, charge, reason)
    publish(state, "payment_intent.payment_failed", intent)


def authenticate(state: State, intent: Json, success: bool) -> Json:
    """The cardholder's answer to the challenge of an intent that requires action."""
    method = state.find(state.owner(intent["id"]), "payment_method", intent["payment_method"])
    if success:
        collect(state, intent, method, authenticated=True)
        return intent
    problem = {
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "doc_url": "https://docs.stripe.com/error-codes/payment-intent-authentication-failure",
        "message": "The provided PaymentMethod has failed authentication.",
        "payment_method": snapshot(method),
    }
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=problem)
    publish(state, "payment_intent.payment_failed", intent)
    return intent
