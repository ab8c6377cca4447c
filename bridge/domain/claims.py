"""What a payment that somebody else made says about itself: which order of which site it is for.

Metadata prove nothing: a buyer knows the id and the key of an order. They only say what the payment has to be compared
with. Pure functions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.domain.orders import is_order_id

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """The order that a payment names. `order_key` and `site` are `""` where it names none.

    Source of the names: WooCommerce's mobile apps and WooPayments 8.4, metadata `order_id`, `order_key`, `site_url`.
    """

    order_id: int
    order_key: str = field(repr=False)
    site: str


def read_claim(metadata: Mapping[str, Any]) -> Claim | None:
    """None for a payment that names no order."""
    order_id = str(metadata.get("order_id") or "")
    if not is_order_id(order_id) or int(order_id) <= 0:
        return None
    return Claim(int(order_id), str(metadata.get("order_key") or ""), _plain(metadata.get("site_url")))


def _plain(text: Any) -> str:
    """Fit to be told to a person: whoever made the payment has written it."""
    return "".join(character for character in str(text or "") if character.isprintable())[:_LONGEST]
