"""What a store's buyers type, as Stripe accepts it: no text is longer than its documentation permits. Pure.

Sources: the limits that the SDK's parameter types document; `maxLength` in Stripe's OpenAPI document
(https://github.com/stripe/openapi); https://docs.stripe.com/api/metadata for metadata.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from bridge.domain.errors import InvalidParameter
from bridge.domain.orders import Address

Json = dict[str, Any]
NAME, EMAIL, PHONE, DESCRIPTION, TEXT = 256, 512, 20, 1000, 5000
"""Characters, at most, of a customer's name, e-mail address and telephone number, of a payment's description, and of
whatever else is a text."""
_KEYS, _KEY, _VALUE = 50, 40, 500
_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def email(text: str) -> str:
    """An e-mail address; nothing in place of one that is too long, as a part of it is somebody else's."""
    return text if len(text) <= EMAIL else ""


def phone(text: str) -> str:
    """A telephone number. What only makes it readable goes first, then what does not fit: the extension, mostly."""
    return text if len(text) <= PHONE else re.sub(r"[\s().-]", "", text)[:PHONE]


def address(given: Address) -> Json:
    """The parts that an address has; its country only if it can be one."""
    parts = {name: getattr(given, name)[:TEXT] for name in _ADDRESS if getattr(given, name)}
    country = parts.pop("country", "").upper()
    known = {**parts, **({"country": country} if re.fullmatch("[A-Z]{2}", country) else {})}
    return {name: known[name] for name in _ADDRESS if name in known}


def metadata(given: Mapping[str, Any]) -> dict[str, str]:
    """Metadata as texts, null left out. Raises InvalidParameter for what cannot be kept whole."""
    texts = {name: _text(value)[:_VALUE] for name, value in given.items() if value is not None}
    if len(texts) > _KEYS or any(len(name) > _KEY for name in texts):
        raise InvalidParameter("metadata", f"Stripe keeps at most {_KEYS} metadata keys of {_KEY} characters.")
    return texts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
