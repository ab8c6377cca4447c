"""In-person payments: connection tokens, locations, and the reader that somebody presents a card to.

Sources: https://docs.stripe.com/api/terminal, https://docs.stripe.com/terminal/payments/collect-card-payment and, for
tips, https://docs.stripe.com/terminal/features/collecting-tips/on-reader.
"""

from collections.abc import Mapping, Sequence

from . import payment_intents
from .cards import at_reader
from .confirmation import collect
from .errors import Json, invalid
from .listing import page
from .payment_methods import make_presented
from .state import Call, State, merged_metadata

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def create_connection_token(call: Call) -> Json:
    location = call.refer("terminal.location", "location")
    token = {"object": "terminal.connection_token", "secret": f"pst_test_{call.state.letters(23)}"}
    return token | ({"location": location["id"]} if location else {})


def create_location(call: Call) -> Json:
    params = call.params
    for name in ("display_name", "address"):
        if not params.get(name):
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    address = params["address"]
    for name in ("country", "line1"):
        if not address.get(name):
            raise invalid(f"Missing required param: address[{name}].", f"address[{name}]", "parameter_missing")
    return call.state.add(
        call.account,
        {
            "id": call.state.mint("tml"),
            "object": "terminal.location",
            "address": {name: address.get(name) or None for name in _ADDRESS},
            "display_name": params["display_name"],
            "livemode": False,
            "metadata": merged_metadata({}, params.get("metadata")),
        },
    )


def list_locations(call: Call) -> Json:
    return page(call.state.all(call.account, "terminal.location"), call.params, "/v1/terminal/locations")


def create_by_sdk(
    state: State,
    account: str,
    amount: int,
    currency: str,
    *,
    kinds: Sequence[str] = ("card_present",),
    capture_method: str = "manual",
    metadata: Mapping[str, object] | None = None,
    transfer_to: str | None = None,
) -> Json:
    """What an app makes with the Terminal SDK, which needs a connection token and no API key. ApiError as in the API.

    Source: https://docs.stripe.com/terminal/payments/collect-card-payment, "Client-side". WooCommerce's apps set the
    metadata `order_id`, `order_key`, `site_url` and `payment_type`.
    """
    params: Json = {
        "amount": amount,
        "currency": currency,
        "allowed_payment_method_types": list(kinds),
        "capture_method": capture_method,
        "metadata": {name: str(value) for name, value in (metadata or {}).items()},
    }
    if transfer_to is not None:
        params["transfer_data"] = {"destination": transfer_to}
    return payment_intents.create(Call(state, account, params, {}, ""))


def present(state: State, intent: Json, name: str, tip: int = 0) -> Json:
    """Somebody presents the card of a public test name to the account's reader, which confirms the intent: it then
    requires capture, has succeeded or, after a decline, wants another card. A `tip` (minor units) that was chosen at
    the reader is added to the amount before. ValueError if the intent waits for no card, or for no such one."""
    card = at_reader(name)
    if card is None:
        raise ValueError(f"{name!r} is not one of Stripe's test payment methods")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise ValueError(f"{intent['id']} is waiting for no card: it is {intent['status']}")
    kind = "interac_present" if card.brand == "interac" else "card_present"
    if kind not in intent["payment_method_types"]:
        raise ValueError(f"{intent['id']} takes {', '.join(intent['payment_method_types'])}, not {kind}")
    account = state.owner(intent["id"])
    method = make_presented(state, account, card)
    if tip:
        intent["amount"] += tip
        intent["amount_details"] = {**intent["amount_details"], "tip": {"amount": tip}}
    intent["payment_method"] = method["id"]
    collect(state, intent, method)
    return intent
