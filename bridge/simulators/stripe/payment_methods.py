"""Payment methods: test cards only, by public name, token or number; cloned to connected accounts; saved or used once.

Source: https://docs.stripe.com/api/payment_methods and https://docs.stripe.com/testing.
"""

from collections.abc import Mapping
from hashlib import sha256

from .cards import Card, by_name, by_number
from .errors import ApiError, Json, invalid, no_such
from .events import publish
from .listing import page
from .state import Call, State, merged_metadata

_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
CARDLESS: Mapping[str, Json] = {
    "link": {"email": None},
    "sepa_debit": {
        "bank_code": "37040044",
        "branch_code": "",
        "country": "DE",
        "fingerprint": "Xt5EWLLDS7FJjR1c",
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": "3000",
    },
}
"""Kinds of methods that can be saved, but do not pay here; the account is one of https://docs.stripe.com/testing."""

_USED_UP = (
    "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, or was detached "
    "from a Customer. It may not be used again. To use a PaymentMethod multiple times, attach it to a Customer first."
)


def make(state: State, account: str, card: Card, details: Json | None = None) -> Json:
    """A new payment method of `account` for that card; `details` are the creation parameters."""
    given = details or {}
    expiry = given.get("card") or {}
    shown = _card_hash(card, expiry.get("exp_month", 12), expiry.get("exp_year", 2034))
    method = _make(state, account, "card", shown, given)
    state.cards[method["id"]] = card
    return method


def make_presented(state: State, account: str, card: Card) -> Json:
    """What a reader makes of a card that is presented to it."""
    same = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "networks")
    shown = _card_hash(card, 12, 2034)
    reading = {"cardholder_name": None, "preferred_locales": ["en"], "read_method": "contactless_emv"}
    kind = "interac_present" if card.brand == "interac" else "card_present"
    method = _make(state, account, kind, {**{name: shown[name] for name in same}, **reading}, {})
    state.cards[method["id"]] = card
    return method


def make_saved(state: State, customer: Json, kind: str) -> Json:
    """A method of another kind that `customer` saved some time ago. ValueError for a kind that is not known."""
    if kind not in CARDLESS:
        raise ValueError(f"{kind!r} is not one of {', '.join(CARDLESS)}")
    shown = dict(CARDLESS[kind])
    if kind == "link":
        shown["email"] = customer["email"] or "payer@example.com"
    details = {"billing_details": {name: customer[name] for name in ("email", "name")}}
    method = _make(state, state.owner(customer["id"]), kind, shown, details)
    save_for(method, customer)
    return method


def _make(state: State, account: str, kind: str, shown: Json, given: Json) -> Json:
    """A new payment method; `shown` is the hash that belongs to its kind."""
    return state.add(
        account,
        {
            "id": state.mint("pm"),
            "object": "payment_method",
            "allow_redisplay": given.get("allow_redisplay", "unspecified"),
            "billing_details": billing_details(given.get("billing_details") or {}),
            "created": state.now(),
            "customer": None,
            "customer_account": None,
            kind: shown,
            "livemode": False,
            "metadata": merged_metadata({}, given.get("metadata")),
            "type": kind,
        },
    )


def billing_details(given: Json) -> Json:
    """Billing details with every key that Stripe answers, null where nothing is known."""
    known = {name: given.get(name) or None for name in ("email", "name", "phone", "tax_id")}
    address = given.get("address") or {}
    return {"address": {**_ADDRESS, **{key: value or None for key, value in address.items()}}, **known}


def _card_hash(card: Card, exp_month: int, exp_year: int) -> Json:
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": None},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def named(state: State, account: str, reference: str, param: str, status: int = 400) -> Json:
    """The payment method that a parameter names; a public test name makes a fresh one."""
    card = by_name(reference) if reference.startswith("pm_") else None
    if card is not None:
        return make(state, account, card)
    return state.find(account, "payment_method", reference, param, status)


def check_usable(state: State, method: Json, customer: str | None, intent_id: str) -> None:
    """ApiError 400 if this method belongs to another customer, or was used once without belonging to any."""
    owner = method["customer"]
    if owner is not None and owner != customer:
        if customer is None:
            message = f"The PaymentMethod {method['id']} belongs to the Customer {owner}. Include that `customer`."
            raise invalid(message, "payment_method")
        message = f"The customer does not have a payment method with the ID {method['id']}."
        raise ApiError(
            400, f"{message} It belongs to another customer.", code="resource_missing", param="payment_method"
        )
    if owner is None and state.used_up.get(method["id"], intent_id) != intent_id:
        raise invalid(_USED_UP, "payment_method")


def save_for(method: Json, customer: Json) -> None:
    """Attach the method to a customer of the same account."""
    method["customer"] = customer["id"]


def create(call: Call) -> Json:
    if "payment_method" in call.params:
        return _clone(call)
    if call.params.get("type") != "card":
        raise invalid("Only card payment methods are simulated: `type` is 'card'.", "type")
    given = call.params.get("card")
    if not isinstance(given, dict):
        raise ApiError(400, "Missing required param: card.", code="parameter_missing", param="card")
    if "token" in given:
        card = by_name(given["token"])
        if card is None:
            raise no_such("token", given["token"], "card[token]", 400)
        return make(call.state, call.account, card, {**call.params, "card": {}})
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            param = f"card[{name}]"
            raise ApiError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)
    card = by_number(given["number"])
    if card is None:
        message = "Your card was declined. The request was in test mode, but used a number that is not a test card."
        more = {"decline_code": "test_mode_live_card"}
        raise ApiError(402, message, kind="card_error", code="card_declined", param="number", executed=True, more=more)
    return make(call.state, call.account, card, call.params)


def _clone(call: Call) -> Json:
    """A platform's payment method, copied to the connected account that the request is made for."""
    if call.account == call.state.platform:
        raise invalid("Payment methods are cloned to connected accounts: send Stripe-Account.", "payment_method")
    source = named(call.state, call.state.platform, call.params["payment_method"], "payment_method")
    if source["customer"] is not None and source["customer"] != call.params.get("customer"):
        raise invalid("The `customer` that the payment method belongs to is required.", "customer")
    if source["type"] != "card":
        raise invalid("Only cards are cloned in this simulator.", "payment_method")
    clone = make(call.state, call.account, call.state.cards[source["id"]])
    clone["billing_details"] = billing_details(source["billing_details"])
    return clone


def retrieve(call: Call) -> Json:
    return named(call.state, call.account, call.ids["id"], "payment_method", 404)


def update(call: Call) -> Json:
    method = call.find("payment_method", "payment_method")
    metadata = merged_metadata(method["metadata"], call.params.get("metadata"))
    if call.params.get("billing_details"):
        method["billing_details"] = billing_details(call.params["billing_details"])
    method["metadata"] = metadata
    return method


def attach(call: Call) -> Json:
    customer = call.refer("customer", "customer")
    if customer is None:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    method = named(call.state, call.account, call.ids["id"], "payment_method", 404)
    if method["type"] in ("card_present", "interac_present"):
        raise invalid(f"A {method['type']} PaymentMethod cannot be attached: use its `generated_card`.")
    if method["customer"] is not None and method["customer"] != customer["id"]:
        raise invalid("The payment method you provided has already been attached to a customer.", "payment_method")
    if method["id"] in call.state.used_up:
        raise invalid(_USED_UP, "payment_method")
    card = call.state.cards.get(method["id"])
    if card is not None and card.decline is not None and not card.attachable:
        more = {"decline_code": card.decline.decline_code}
        code, message = card.decline.code, card.decline.message
        raise ApiError(402, message, kind="card_error", code=code, param=card.decline.param, executed=True, more=more)
    save_for(method, customer)
    publish(call.state, "payment_method.attached", method)
    return method


def detach(call: Call) -> Json:
    method = call.find("payment_method", "payment_method")
    if method["customer"] is None:
        raise invalid("The payment method you provided is not attached to a customer so detachment is impossible.")
    before, method["customer"] = method["customer"], None
    call.state.used_up[method["id"]] = ""
    publish(call.state, "payment_method.detached", method, customer=before)
    return method


def list_all(call: Call) -> Json:
    """The saved methods of `customer`; without one the list is empty, as Stripe's is."""
    return _of_customer(call, call.params.get("customer"), "/v1/payment_methods")


def list_of_customer(call: Call) -> Json:
    customer = call.find("customer", "customer")
    return _of_customer(call, customer["id"], f"/v1/customers/{customer['id']}/payment_methods")


def _of_customer(call: Call, customer: str | None, url: str) -> Json:
    wanted = call.params.get("type")
    saved = [
        method
        for method in call.state.all(call.account, "payment_method")
        if customer and method["customer"] == customer and wanted in (None, method["type"])
    ]
    return page(saved, call.params, url)
