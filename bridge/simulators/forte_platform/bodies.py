"""What each request may hold: members and limits as in Forte's public SDK types.

The seed of these rules is the guide "Creating Payments"; fields that came later for saved cards are refused.
"""

from .checks import flag, integer, listing, one_of, record, text, texts

STATES = ("DRAFT", "PROCESSING", "COMPLETED", "CANCELLED", "FAILED", "PARTIALLY_REFUNDED", "REFUNDED")
EVENTS = {"PAYMENT_COMPLETED": "COMPLETED", "PAYMENT_REFUNDED": "REFUNDED"}
"""The events of a trigger, and the state in which each fires."""

_ADDRESS = record(
    {"line1": text(), "city": text(), "postalCode": text(), "country": text()}, {"line2": text(), "state": text()}
)
_LINE = record(
    {"description": text(1, 250), "unitAmountCents": integer(0), "quantity": integer(1)},
    {"taxCode": text(pattern="^txcd_[0-9]{8}$")},
)
_QUOTED = {"currency": text(pattern="^[a-z]{3}$"), "lineItems": listing(_LINE, maximum=50)}
_ADDRESSES = {"customerAddress": _ADDRESS, "shippingAddress": _ADDRESS}

PREVIEW = record(_QUOTED, _ADDRESSES)
PAYMENT = record(_QUOTED, {**_ADDRESSES, "description": text(maximum=500), "metadata": texts})
TRIGGER = record(
    {
        "displayName": text(maximum=120),
        "targetServiceId": text(1),
        "targetPath": text(maximum=500, pattern="^/.*"),
        "events": listing(one_of(EVENTS), minimum=1),
    },
    {"enabled": flag},
)
_SOME_STATES = listing(one_of(STATES), maximum=20)
_SOME_IDS = listing(text(maximum=128), maximum=100)
SEARCH = record(
    {},
    {
        "filter": record(
            {},
            {
                "minTime": text(),
                "maxTime": text(),
                "states": _SOME_STATES,
                "notStates": _SOME_STATES,
                "userId": text(),
                "ids": _SOME_IDS,
                "notIds": _SOME_IDS,
            },
        ),
        "sort": record({}, {"sortBy": one_of(("CREATED_AT", "AMOUNT_CENTS")), "sortDir": one_of(("ASC", "DESC"))}),
        "nextToken": text(),
        "pageSize": integer(1, 200),
    },
)

STRIPE_STATUS = record({"status": text(1)}, {})
STRIPE_REFUND = record({}, {"amountCents": integer(1)})
FIRED = record({"state": text(1)}, {})
