"""Messages: who sent one, and which payment it is about. Nothing else of it is believed.

Forte's public documents say that messages are signed with the subscription's `signing_key` and echo `reference`; how
they are signed and what they look like is the owner's to set. Source: docs.fortepayments.io, webhooks.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bridge.domain.errors import AmountNotRepresentable, EventRefused
from bridge.domain.messages import read_json
from bridge.domain.money import AmountTooLarge, Money
from bridge.domain.outcomes import EventKind, ProviderEvent

ALGORITHMS = {f"hmac-{name}": name for name in ("sha256", "sha384", "sha512")}
_MILLISECONDS = 1e11
"""A time above that is not in seconds: it would be after the year 5000."""
_LONGEST = 200
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REFERENCE = re.compile(r"\d{1,19}:([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How messages are signed. Header names are lower case, `tolerance` is in seconds.

    `payload` is what is signed, with `{body}` and `{timestamp}` in it. All `keys` count, while one replaces another.
    """

    keys: tuple[str, ...] = field(default=(), repr=False)
    header: str = ""
    algorithm: str = "hmac-sha256"
    encoding: str = "hex"
    prefix: str = ""
    payload: str = "{body}"
    timestamp_header: str = ""
    timestamp_prefix: str = ""
    tolerance: int = 300

    @property
    def is_complete(self) -> bool:
        return bool(self.keys and self.header)


@dataclass(frozen=True, slots=True)
class Fields:
    """Where a message says what, as JSON pointers (RFC 6901), and which events are about payments."""

    id: str = "/id"
    event: str = "/event"
    time: str = "/created_at"
    intent: str = "/data/payment_intent_id"
    reference: str = "/data/reference"
    amount: str = "/data/amount"
    currency: str = "/data/currency"
    payment_events: frozenset[str] = frozenset({"payment_approved"})


def is_uuid(text: str) -> bool:
    """Whether it can be a payment intent's id."""
    return bool(_UUID.fullmatch(text))


def attempt_of(reference: object) -> str | None:
    """Our attempt in a reference that is one of ours."""
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    return match[1] if match else None


def prove(scheme: Scheme, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raises EventRefused unless `body` was signed with one of the keys, not long before or after `now`."""
    if not scheme.is_complete:
        raise EventRefused(
            "webhook_secret and signature_header are not set: messages cannot be verified.", cause="no_secret"
        )
    timestamp = _first(headers.get(scheme.timestamp_header, ""), scheme.timestamp_prefix)
    before, _, after = scheme.payload.replace("{timestamp}", timestamp).partition("{body}")
    signed = before.encode() + body + after.encode()
    given = _parts(headers.get(scheme.header, ""), scheme.prefix)
    right = [_sign(scheme, key, signed) for key in scheme.keys]
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in right for other in given):
        raise EventRefused(
            "The signature is missing, or was not made with this store's webhook_secret.", cause="wrong_signature"
        )
    if scheme.timestamp_header and abs(now - _stamp(timestamp)) > scheme.tolerance:
        raise EventRefused(
            f"The message is older than {scheme.tolerance} seconds, or the clocks differ by that much.", cause="too_old"
        )


def read_event(fields: Fields, body: bytes, now: float, *, account: str, live: bool) -> ProviderEvent:
    """A message that is proven, and so of this account. What is not about a payment is of kind OTHER.

    A message without an id is known by what it is about: the same news of the same payment are one.
    Raises EventRefused.
    """
    message = read_json(body)
    if not isinstance(message, dict):
        raise EventRefused("The message is not a JSON object.", cause="unreadable")
    event, intent, reference = (_text(message, at) for at in (fields.event, fields.intent, fields.reference))
    amount, currency = _sum(message, fields)
    told = f"{event}\n{intent or reference}" if intent or reference else hashlib.sha256(body).hexdigest()
    return ProviderEvent(
        id=_text(message, fields.id) or hashlib.sha256(f"{account}\n{told}".encode()).hexdigest(),
        type=event or "unknown",
        kind=EventKind.PAYMENT if event in fields.payment_events else EventKind.OTHER,
        at=_moment(_find(message, fields.time), now),
        reference=intent if intent and is_uuid(intent) else None,
        attempt_id=attempt_of(reference),
        account=account,
        live=live,
        amount=amount,
        currency=currency,
    )


def _sum(message: Any, fields: Fields) -> tuple[int | None, str | None]:
    """What a message says was paid, in minor units; None for what it does not say, or not in a way that we can read.

    The field is not documented. Forte takes requests in major units, and currencies with two decimals only.
    """
    currency = _text(message, fields.currency) if fields.currency else None
    currency = currency.upper() if currency and re.fullmatch("[A-Za-z]{3}", currency) else None
    said = _find(message, fields.amount) if fields.amount else None
    if isinstance(said, bool) or not isinstance(said, str | int | float):
        return None, currency
    try:
        money = Money.parse(str(said), currency or "USD")
    except AmountTooLarge:
        raise EventRefused("The message names an amount that cannot be paid.", cause="unreadable") from None
    except (ValueError, AmountNotRepresentable):
        return None, currency
    return money.amount, currency


def _sign(scheme: Scheme, key: str, signed: bytes) -> str:
    digest = hmac.digest(key.encode(), signed, ALGORITHMS[scheme.algorithm])
    return digest.hex() if scheme.encoding == "hex" else b64encode(digest).decode()


def _parts(header: str, prefix: str) -> list[str]:
    """What a header has after the prefix: one value, or several with commas or spaces between."""
    parts = header.replace(",", " ").split()
    return [part.removeprefix(prefix) for part in parts if part.startswith(prefix)]


def _first(header: str, prefix: str) -> str:
    parts = _parts(header, prefix)
    return parts[0] if parts else ""


def _stamp(timestamp: str) -> float:
    """Unix seconds, or milliseconds, as seconds. Raises EventRefused."""
    if not re.fullmatch(r"\d{1,15}", timestamp, re.ASCII):
        raise EventRefused("The message does not say when it was signed.", cause="unsigned")
    return _seconds(float(timestamp))


def _seconds(number: float) -> float:
    return number / 1000 if number > _MILLISECONDS else number


def _find(message: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None for nothing."""
    found = message
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and re.fullmatch(r"\d{1,6}", name, re.ASCII) and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict):
            found = found.get(name)
        else:
            return None
    return found


def _text(message: Any, pointer: str) -> str | None:
    """A text or a whole number of the message, as text that can be stored."""
    found = _find(message, pointer)
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    usable = isinstance(found, str) and 0 < len(found) <= _LONGEST and found.isprintable()
    return found if usable else None


def _moment(value: Any, now: float) -> float:
    """Unix seconds of what says when; `now` for what does not."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MILLISECONDS * 1000:
        return _seconds(float(value))
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return now
