"""What each request may hold: members and limits as in Forte's public SDK types.

The seed of these rules is the guide "Creating Payments", of May 2026; what came until August is in a table of its own.
"""

from collections.abc import Collection

from .schema_language import Check, flag, integer, listing, one_of, record, text, texts

STATES = ("DRAFT", "PROCESSING", "COMPLETED", "CANCELLED", "FAILED", "PARTIALLY_REFUNDED", "REFUNDED")
EVENTS = {"PAYMENT_COMPLETED": "COMPLETED", "PAYMENT_REFUNDED": "REFUNDED", "PAYMENT_FAILED": "FAILED"}
"""The events of a trigger, and the state in which each fires. The last one came in June."""
METHOD_TYPES = ("CREDIT_CARD", "ACH_DIRECT_DEBIT")

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
_MAY = {**_ADDRESSES, "description": text(maximum=500), "metadata": texts}
_AUGUST = {
    **_MAY,
    "paymentMethodId": text(pattern="^pm_[A-Za-z0-9]+$"),
    "supportedPaymentMethods": listing(one_of(METHOD_TYPES)),
    "offSession": flag,
}
PAYMENT = {"2026-05": record(_QUOTED, _MAY), "2026-08": record(_QUOTED, _AUGUST)}
"""By the version of the API."""


def _trigger(events: Collection[str]) -> Check:
    required = {
        "displayName": text(maximum=120),
        "targetServiceId": text(1),
        "targetPath": text(maximum=500, pattern="^/.*"),
        "events": listing(one_of(events), minimum=1),
    }
    return record(required, {"enabled": flag})


TRIGGER = {
    "2026-05": _trigger(("PAYMENT_COMPLETED", "PAYMENT_REFUNDED")),
    "2026-08": _trigger((*EVENTS, "SUBSCRIPTION_STATUS_CHANGED")),
}
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
