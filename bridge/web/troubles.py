"""How a use case's error reads on a page for buyers: what happened, and what to do now, and nothing of the inside."""

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.domain import errors as domain


@dataclass(frozen=True, slots=True)
class Trouble:
    """The words for an error, or with a `reason` for those that give it, and the HTTP status that goes with them.

    With `again` the same may work in a moment.
    """

    error: type[domain.BridgeError]
    status: int
    title: str
    text: str
    again: bool = False
    reason: str = ""


ASK_SHOP = "Please return to the shop, or ask it for a new link."
_NOT_WHOLE = f"Perhaps it is not complete. {ASK_SHOP}"
_CHANGED = f"The order or its payment has changed. {ASK_SHOP}"
_WAIT = "Please wait, or ask the shop."
_REMOVED = (
    "Nothing can be paid on this page any more. Please ask the shop how to pay. If you have paid here already, ask it "
    "first whether your payment has arrived, and do not pay again."
)
TOO_MANY_LINKS = f"Too many links that do not work were opened from here. {ASK_SHOP}"
_MOMENT = "Please try again in a moment."
_NOTHING = f"Nothing was paid. {_MOMENT}"
_NOT_PAYABLE = "The shop says that it is paid, cancelled or changed."
_NOT_ASKED = f"We could not check whether this order can still be paid, so nothing was confirmed. {_MOMENT}"
_UNCLEAR = (
    "We do not know yet whether this payment went through. Please do not pay again; check here again in a few minutes."
)

# fmt: off
TROUBLES = (
    Trouble(domain.Refused, 404, "This link does not work", _NOT_WHOLE, reason="link_invalid"),
    Trouble(domain.Refused, 410, "This link has expired", ASK_SHOP, reason="link_expired"),
    Trouble(domain.Refused, 410, "This shop has stopped taking payments here", _REMOVED, reason="store_removed"),
    Trouble(domain.Refused, 429, "Tried too often", _WAIT, reason="tried_too_often"),
    Trouble(domain.Refused, 429, "Opened too often", _WAIT, again=True, reason="opened_too_often"),
    Trouble(domain.OrderNotPayable, 409, "This order cannot be paid now", _NOT_PAYABLE),
    Trouble(domain.Refused, 409, "This cannot be done now", _CHANGED),
    Trouble(domain.InProgress, 409, "One moment, please", "This payment is being worked on right now.", again=True),
    Trouble(domain.Declined, 402, "The payment was declined", "Nothing was paid. Please return to the shop."),
    Trouble(domain.OutcomeUnknown, 504, "We are looking into it", _UNCLEAR, again=True),
    Trouble(domain.ProviderRefused, 502, "The payment provider refuses this payment", f"Nothing was paid. {ASK_SHOP}"),
    Trouble(domain.ProviderError, 502, "The payment provider cannot be reached", _NOTHING, again=True),
    Trouble(domain.StoreError, 502, "The shop cannot be reached", _NOT_ASKED, again=True),
)
# fmt: on
FAULT = Trouble(domain.BridgeError, 500, "Something went wrong here", _MOMENT, again=True)
"""For everything else."""


def trouble_of(error: Exception) -> Trouble:
    """What fits the error's reason, else its nearest ancestor."""
    return next(_fitting(error), FAULT)


def _fitting(error: Exception) -> Iterator[Trouble]:
    reason = getattr(error, "reason", "")
    yield from (each for each in TROUBLES if each.reason and each.reason == reason)
    for kind in type(error).__mro__:
        yield from (each for each in TROUBLES if each.error is kind and not each.reason)
