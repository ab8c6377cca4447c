"""What a browser does with a payment: confirms the Stripe payment intent behind it with a test card.

Source: https://docs.stripe.com/testing, for what each card does.
"""

from functools import partial

from ..elements import Json, Payable, Refusal, unexpected_state
from ..stripe.cards import Authentication, Decline, by_number
from .lifecycle import move, sweep
from .payments import intent as payment_of
from .state import Payment, State

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_NO_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. The request was in test mode, but used a number that is not a test card.",
)


def payable(state: State, intent_id: str) -> Payable | None:
    """The payment behind which this payment intent is, for a browser; None if there is none."""
    with state.lock:
        payment = payment_of(state, intent_id)
        if payment is None:
            return None
        return Payable(
            account=payment.project.account,
            publishable_key=payment.project.publishable_key,
            retrieve=partial(_retrieve, state, payment),
            confirm=partial(_confirm, state, payment),
            authenticate=partial(_authenticate, state, payment),
        )


def _retrieve(state: State, payment: Payment) -> Json:
    with state.lock:
        sweep(state)
        return _intent(payment)


def _confirm(state: State, payment: Payment, number: str, _return_url: str | None) -> Json:
    with state.lock:
        sweep(state)
        if payment.stripe_status not in _CONFIRMABLE:
            raise unexpected_state(_intent(payment))
        card = by_number(number)
        if card is None:
            raise _declined(state, payment, _NO_TEST_CARD)
        if card.authentication is not Authentication.NEVER:
            move(state, payment, "requires_action")
            payment.waiting_card, payment.last_error = card, None
            return _intent(payment)
        return _collect(state, payment, card.decline)


def _authenticate(state: State, payment: Payment, success: bool) -> Json:
    with state.lock:
        if payment.stripe_status != "requires_action":
            raise unexpected_state(_intent(payment))
        card = payment.waiting_card
        if success:
            return _collect(state, payment, card.decline if card else None)
        move(state, payment, "requires_payment_method")
        payment.last_error = {
            "type": "invalid_request_error",
            "code": "payment_intent_authentication_failure",
            "message": "The provided PaymentMethod has failed authentication.",
        }
        return _intent(payment)


def _collect(state: State, payment: Payment, decline: Decline | None) -> Json:
    if decline is not None:
        raise _declined(state, payment, decline)
    payment.last_error = None
    move(state, payment, "succeeded")
    return _intent(payment)


def _declined(state: State, payment: Payment, decline: Decline) -> Refusal:
    """The issuer's no, which the payment intent remembers; another card may be tried."""
    move(state, payment, "requires_payment_method")
    payment.last_error = {
        "type": "card_error",
        "code": decline.code,
        "decline_code": decline.decline_code,
        "message": decline.message,
    }
    return Refusal(402, {**payment.last_error, "payment_intent": _intent(payment)})


def _intent(payment: Payment) -> Json:
    """The Stripe payment intent that stands behind a payment."""
    waits = payment.stripe_status == "requires_action"
    return {
        "id": payment.intent_id,
        "object": "payment_intent",
        "amount": payment.quote.amount,
        "capture_method": "automatic",
        "client_secret": payment.client_secret,
        "confirmation_method": "automatic",
        "created": int(payment.created),
        "currency": payment.quote.currency,
        "description": payment.description,
        "last_payment_error": payment.last_error,
        "livemode": not payment.project.sandbox,
        "next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}} if waits else None,
        "payment_method_types": ["card"],
        "status": payment.stripe_status,
    }
