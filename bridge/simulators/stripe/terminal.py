"""In-person payments: connection tokens, locations, and the reader that somebody presents a card to.

Sources: https://docs.stripe.com/api/terminal and https://docs.stripe.com/terminal/payments/collect-card-payment.
"""

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


def present(state: State, intent: Json, name: str) -> Json:
    """Somebody presents the card of a public test name to the account's reader, which confirms the intent: it then
    requires capture, has succeeded or, after a decline, wants another card. ValueError if the intent waits for no card,
    or for no such one."""
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
    intent["payment_method"] = method["id"]
    collect(state, intent, method)
    return intent
