"""Confirming a payment intent: authentication, the issuer's answer, and what becomes of the intent.

Source: https://docs.stripe.com/payments/paymentintents/lifecycle and https://docs.stripe.com/testing.
"""

from . import charges
from .cards import AUTHENTICATION_NOT_HANDLED, AUTHENTICATION_REQUIRED, Authentication, Decline
from .errors import Json, card_error, invalid, unexpected_state
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
            _refuse(intent, method, AUTHENTICATION_REQUIRED, charges.make(state, call.account, intent, method))
            raise card_error(intent)
        if params.get("error_on_requires_action"):
            _refuse(intent, method, AUTHENTICATION_NOT_HANDLED, None)
            raise card_error(intent)
        intent.update(status="requires_action", next_action=_next_action(call, intent))
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
    in `last_payment_error`."""
    account = state.owner(intent["id"])
    charge = charges.make(state, account, intent, method, authenticated)
    if method["customer"] is None:
        state.used_up[method["id"]] = intent["id"]
    reason = state.cards[method["id"]].decline
    if reason is not None:
        _refuse(intent, method, reason, charge)
        return
    intent.update(next_action=None, last_payment_error=None)
    charges.hold(state, intent, charge)
    if intent["setup_future_usage"] and intent["customer"]:
        save_for(method, state.find(account, "customer", intent["customer"]))
        if intent["setup_future_usage"] == "off_session":
            state.set_up.add(method["id"])
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
    else:
        charges.capture(state, intent, charge, intent["amount"])
        intent.update(status="succeeded", amount_received=intent["amount"])


def _refuse(intent: Json, method: Json, reason: Decline, charge: Json | None) -> None:
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
        charges.decline(charge, reason)
        intent["latest_charge"] = charge["id"]


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
    return intent
