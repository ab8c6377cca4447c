"""Payment intents: created, updated, confirmed, captured, canceled.

Source: https://docs.stripe.com/api/payment_intents. Amounts are minor units.
"""

from collections.abc import Mapping

from . import amount_details, charges
from .balance import note
from .confirmation import check_confirmable, check_return_url, confirm
from .currencies import check_amount, check_currency
from .errors import Json, invalid, no_such, unexpected_state
from .listing import page
from .payment_methods import check_usable, named
from .state import Call, State, merged_metadata

_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
_WITH_CONFIRM = ("error_on_requires_action", "mandate", "mandate_data", "off_session", "return_url")
_TEXTS = ("description", "receipt_email", "statement_descriptor_suffix", "transfer_group")


def create(call: Call) -> Json:
    params = call.params
    check_currency(params["currency"])
    check_amount(params["amount"], params["currency"])
    _check_parties(call, params)
    _check_kinds(params)
    confirmed = params.get("confirm", False)
    if not confirmed:
        _refuse_confirm_only(params)
    customer = call.refer("customer", "customer")
    intent = _draft(call, customer)
    if confirmed:
        check_return_url(intent, params)
    method = _method(call, intent)
    call.state.add(call.account, intent)
    if method is not None:
        intent.update(payment_method=method["id"], status="requires_confirmation")
    return confirm(call, intent, method) if confirmed else intent


def _draft(call: Call, customer: Json | None) -> Json:
    state, params = call.state, call.params
    identifier = state.mint("pi")
    allowed = params.get("allowed_payment_method_types")
    automatic = {"allow_redirects": "always", "enabled": True, **params.get("automatic_payment_methods", {})}
    return {
        "id": identifier,
        "object": "payment_intent",
        "allowed_payment_method_types": allowed,
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": amount_details.read(params.get("amount_details"), params["amount"]),
        "amount_received": 0,
        "application": None if call.account == state.platform else state.application,
        "application_fee_amount": params.get("application_fee_amount"),
        "automatic_payment_methods": None if allowed else automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method", "automatic_async"),
        "client_secret": f"{identifier}_secret_{state.letters(25)}",
        "confirmation_method": params.get("confirmation_method", "automatic"),
        "created": state.now(),
        "currency": params["currency"],
        "customer": customer and customer["id"],
        "customer_account": None,
        "excluded_payment_method_types": params.get("excluded_payment_method_types") or None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": merged_metadata({}, params.get("metadata")),
        "next_action": None,
        "on_behalf_of": params.get("on_behalf_of"),
        "payment_details": params.get("payment_details") or None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": params.get("payment_method_options", {}),
        "payment_method_types": ["card"],
        "processing": None,
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": params.get("shipping"),
        "source": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
        "transfer_data": params.get("transfer_data"),
        **{name: params.get(name) for name in _TEXTS},
    }


def _check_parties(call: Call, params: Json, intent: Json | None = None) -> None:
    """Who gets what: the fee, the destination and the settlement merchant have to fit each other and the amount."""
    known = intent or {}
    transfer = {**(known.get("transfer_data") or {}), **params.get("transfer_data", {})}
    fee = params.get("application_fee_amount") or None
    destination = transfer.get("destination")
    if transfer and destination is None:
        raise invalid("This PaymentIntent has no `transfer_data[destination]`.", "transfer_data")
    direct = call.account != call.state.platform
    for param, account in (("transfer_data[destination]", destination), ("on_behalf_of", params.get("on_behalf_of"))):
        if account and (direct or account == call.state.platform or not call.state.is_account(account)):
            raise no_such("destination" if "destination" in param else "account", account, param, 400)
    amount = params.get("amount") or known.get("amount", 0)
    if transfer.get("amount", 0) > amount:
        raise invalid("The transfer cannot be greater than the amount.", "transfer_data[amount]")
    if fee is None:
        return
    if not direct and destination is None:
        message = (
            "Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using"
        )
        message += " a Stripe-Account header) or destination payment (using `transfer_data[destination]`)."
        raise invalid(message, "application_fee_amount")
    if "amount" in transfer:
        raise invalid("Give `application_fee_amount` or `transfer_data[amount]`, not both.", "application_fee_amount")
    if not 0 < fee <= amount:
        message = "The application fee must be positive and cannot be greater than the amount."
        raise invalid(message, "application_fee_amount")


def _check_kinds(params: Json) -> None:
    """The payment method types leave cards over, all that this simulator has; descriptors are such that cards take."""
    allowed = params.get("allowed_payment_method_types")
    rivals = ("excluded_payment_method_types", "automatic_payment_methods", "payment_method_configuration")
    if allowed and any(params.get(rival) for rival in rivals):
        message = f"You may only specify one of allowed_payment_method_types, {', '.join(rivals)}."
        raise invalid(message, "allowed_payment_method_types")
    for name, cards in (
        ("allowed_payment_method_types", "card" in (allowed or ["card"])),
        ("excluded_payment_method_types", "card" not in (params.get("excluded_payment_method_types") or [])),
    ):
        if not cards:
            raise invalid("No payment method type is left: only cards are activated in this simulator.", name)
    if params.get("statement_descriptor"):
        message = "`statement_descriptor` is not supported for cards: use `statement_descriptor_suffix`."
        raise invalid(message, "statement_descriptor")
    if len(params.get("statement_descriptor_suffix") or "") > 22:
        raise invalid("The statement descriptor is limited to 22 characters.", "statement_descriptor_suffix")


def _refuse_confirm_only(params: Mapping[str, object]) -> None:
    for name in _WITH_CONFIRM:
        if name in params:
            raise invalid(f"`{name}` can only be used with `confirm=true`.", name)


def _method(call: Call, intent: Json) -> Json | None:
    """The payment method that the parameters, or else the intent, name."""
    params, customer = call.params, intent["customer"]
    if params.get("payment_method_data"):
        raise invalid("The simulator takes `payment_method`, not raw card data.", "payment_method_data")
    reference = params.get("payment_method") or intent["payment_method"]
    if not reference:
        return None
    method = named(call.state, call.account, reference, "payment_method")
    check_usable(call.state, method, customer, intent["id"])
    return method


def _intent(call: Call) -> Json:
    """The caller's intent that the path names; an authorisation that has run out is released first."""
    intent = call.find("payment_intent", "intent")
    _expire(call.state, intent)
    return intent


def _expire(state: State, intent: Json) -> None:
    """Stripe cancels an uncaptured payment when its hold ends."""
    if intent["status"] == "requires_capture":
        charge = _charge(state, intent)
        if state.now() >= charge["payment_method_details"]["card"]["capture_before"]:
            _cancel(state, intent, "automatic")


def _charge(state: State, intent: Json) -> Json:
    return state.find(state.owner(intent["id"]), "charge", intent["latest_charge"])


def retrieve(call: Call) -> Json:
    return _intent(call)


def update(call: Call) -> Json:
    intent, params = _intent(call), call.params
    frozen = [name for name in params if name not in ("description", "metadata", "expand", "receipt_email")]
    if frozen and intent["status"] not in _OPEN:
        message = (
            f"This PaymentIntent's {frozen[0]} could not be updated because it has a status of {intent['status']}."
        )
        raise unexpected_state(message, intent)
    wanted = {**intent, **params}
    check_currency(wanted["currency"])
    check_amount(wanted["amount"], wanted["currency"])
    fee = wanted["application_fee_amount"] or None
    _check_parties(call, {**params, "application_fee_amount": fee}, intent)
    _check_kinds(params)
    customer = call.refer("customer", "customer")
    changes = {name: params[name] or None for name in (*_TEXTS, "setup_future_usage", "shipping") if name in params}
    changes |= {name: params[name] for name in ("amount", "currency", "capture_method") if name in params}
    changes |= {
        "application_fee_amount": fee,
        "metadata": merged_metadata(intent["metadata"], params.get("metadata")),
    }
    if params.get("transfer_data"):
        changes["transfer_data"] = {**(intent["transfer_data"] or {}), **params["transfer_data"]}
    if "amount_details" in params:
        changes["amount_details"] = amount_details.read(params["amount_details"], wanted["amount"])
    if customer is not None:
        changes["customer"] = customer["id"]
    method = _method(call, {**intent, **changes})
    intent.update(changes)
    if params.get("payment_method") and method is not None:
        intent.update(payment_method=method["id"], status="requires_confirmation", next_action=None)
    return intent


def confirm_existing(call: Call) -> Json:
    intent, params = _intent(call), call.params
    check_confirmable(intent)
    check_return_url(intent, params)
    _check_kinds(params)
    if params.get("amount_to_confirm", intent["amount"]) != intent["amount"]:
        raise invalid("The amount to confirm must be the intent's amount.", "amount_to_confirm")
    method = _method(call, intent)
    for name in ("receipt_email", "setup_future_usage", "shipping", "capture_method"):
        if name in params:
            intent[name] = params[name] or None
    return confirm(call, intent, method)


def capture(call: Call) -> Json:
    state, params, intent = call.state, call.params, _intent(call)
    if intent["status"] != "requires_capture":
        message = f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a"
        message += " PaymentIntent with one of the following statuses may be captured: requires_capture."
        raise unexpected_state(message, intent)
    amount: int = {"amount_to_capture": intent["amount_capturable"], **params}["amount_to_capture"]
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", "amount_to_capture", "parameter_invalid_integer"
        )
    if amount > intent["amount_capturable"]:
        message = f"The amount to capture, {amount}, is greater than what is capturable, {intent['amount_capturable']}."
        raise invalid(message, "amount_to_capture", "amount_too_large")
    if not params.get("final_capture", True):
        raise invalid("This payment is not eligible for multicapture.", "final_capture")
    _check_parties(call, params, intent)
    intent["metadata"] = merged_metadata(intent["metadata"], params.get("metadata"))
    if params.get("transfer_data"):
        intent["transfer_data"] = {**intent["transfer_data"], **params["transfer_data"]}
    fee = {**intent, **params}["application_fee_amount"]
    intent["application_fee_amount"] = min(fee, amount) if fee else fee
    charges.capture(state, intent, _charge(state, intent), amount)
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)
    return intent


def cancel(call: Call) -> Json:
    intent = _intent(call)
    if intent["status"] not in _CANCELABLE:
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a"
        message += f" PaymentIntent with one of the following statuses may be canceled: {', '.join(_CANCELABLE)}."
        raise unexpected_state(message, intent)
    _cancel(call.state, intent, call.params.get("cancellation_reason"))
    return intent


def _cancel(state: State, intent: Json, reason: str | None) -> None:
    held = intent["amount_capturable"]
    charge = _charge(state, intent) if intent["latest_charge"] else None
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=state.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    note(state, "canceled", intent, intent, held, charge)


def list_all(call: Call) -> Json:
    customer = call.params.get("customer")
    every = call.state.all(call.account, "payment_intent")
    for intent in every:
        _expire(call.state, intent)
    return page([one for one in every if customer in (None, one["customer"])], call.params, "/v1/payment_intents")
