"""Payment intents: created, updated, confirmed, listed.

Source: https://docs.stripe.com/api/payment_intents. Amounts are minor units.
"""

from collections.abc import Mapping

from . import amount_details
from .accounts import check_enabled
from .confirmation import check_confirmable, check_return_url, confirm
from .currencies import check_amount, check_currency
from .descriptors import check_suffix, payee
from .errors import Json, invalid, unexpected_state
from .events import publish
from .fees import check_parties
from .listing import page
from .payment_methods import check_usable, named
from .state import Call, merged_metadata

_KINDS = ("card", "card_present", "interac_present")
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
_WITH_CONFIRM = ("error_on_requires_action", "mandate", "mandate_data", "off_session", "return_url")
_TEXTS = ("description", "receipt_email", "statement_descriptor_suffix", "transfer_group")


def create(call: Call) -> Json:
    params = call.params
    check_currency(params["currency"])
    check_amount(params["amount"], params["currency"])
    check_parties(call, params)
    check_enabled(call.state, payee(call.account, params))
    _check_kinds(params, params["currency"])
    check_suffix(call.state, payee(call.account, params), params)
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
    publish(call.state, "payment_intent.created", intent)
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
        "payment_method_types": _kinds(params),
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


def _kinds(params: Json) -> list[str]:
    """Which of the payment method types that this simulator has are left over."""
    allowed = params.get("allowed_payment_method_types") or ["card"]
    excluded = params.get("excluded_payment_method_types") or []
    return [kind for kind in _KINDS if kind in allowed and kind not in excluded]


def _check_kinds(params: Json, currency: str) -> None:
    """The payment method types leave some over, and fit each other."""
    allowed = params.get("allowed_payment_method_types")
    rivals = ("excluded_payment_method_types", "automatic_payment_methods", "payment_method_configuration")
    if allowed and any(params.get(rival) for rival in rivals):
        message = f"You may only specify one of allowed_payment_method_types, {', '.join(rivals)}."
        raise invalid(message, "allowed_payment_method_types")
    name = "allowed_payment_method_types" if allowed else "excluded_payment_method_types"
    if not _kinds(params):
        raise invalid(f"No payment method type is left: this simulator has {', '.join(_KINDS)}.", name)
    if "interac_present" in _kinds(params) and currency != "cad":
        message = f"The currency provided ({currency}) is invalid. Payments with interac_present support the following"
        raise invalid(f"{message} currencies: cad.", "currency")


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
    if method["type"] not in intent["payment_method_types"]:
        message = f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent."
        raise invalid(message, "payment_method")
    return method


def update(call: Call) -> Json:
    intent, params = call.find("payment_intent", "intent"), call.params
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
    check_parties(call, {**params, "application_fee_amount": fee}, intent)
    _check_kinds(params, wanted["currency"])
    check_suffix(call.state, payee(call.account, wanted), params)
    customer = call.refer("customer", "customer")
    changes = {name: params[name] or None for name in (*_TEXTS, "setup_future_usage", "shipping") if name in params}
    changes |= {name: params[name] for name in ("amount", "currency", "capture_method") if name in params}
    changes |= {
        "application_fee_amount": fee,
        "metadata": merged_metadata(intent["metadata"], params.get("metadata")),
    }
    if params.get("transfer_data"):
        changes["transfer_data"] = {**(intent["transfer_data"] or {}), **params["transfer_data"]}
    if params.get("allowed_payment_method_types"):
        changes["allowed_payment_method_types"] = params["allowed_payment_method_types"]
        changes["payment_method_types"] = _kinds(params)
    changes["payment_method_options"] = {**intent["payment_method_options"], **params.get("payment_method_options", {})}
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
    intent, params = call.find("payment_intent", "intent"), call.params
    check_confirmable(intent)
    check_return_url(intent, params)
    _check_kinds(params, intent["currency"])
    check_suffix(call.state, payee(call.account, intent), intent)
    if params.get("amount_to_confirm", intent["amount"]) != intent["amount"]:
        raise invalid("The amount to confirm must be the intent's amount.", "amount_to_confirm")
    method = _method(call, intent)
    for name in ("receipt_email", "setup_future_usage", "shipping", "capture_method"):
        if name in params:
            intent[name] = params[name] or None
    intent["payment_method_options"] |= params.get("payment_method_options", {})
    return confirm(call, intent, method)


def list_all(call: Call) -> Json:
    found = call.state.all(call.account, "payment_intent", **call.given("customer"))
    return page(found, call.params, "/v1/payment_intents")
