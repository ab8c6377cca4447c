"""Bearer credentials in the form of HS256 JSON Web Tokens: what each stands for, until when, and how often."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from random import Random
from string import ascii_letters, digits
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")


class Tokens(Generic[Subject]):
    """Tokens of one kind, each for a subject. Not thread-safe by itself; nothing of it shows a token in its repr.

    `header` and `claims` are what all of them say, beside a random `state` and the end `exp`.
    """

    def __init__(
        self, clock: Callable[[], float], random: Random, header: Mapping[str, str], claims: Mapping[str, Any]
    ) -> None:
        self._clock = clock
        self._random = random
        self._header = header
        self._claims = claims
        self._key = random.randbytes(32)
        self._issued: dict[str, tuple[float, Subject]] = {}

    def issue(self, subject: Subject, seconds: float) -> str:
        """A new token that is good for that long, its last moment not included."""
        until = self._clock() + seconds
        state = "".join(self._random.choices(ascii_letters + digits, k=32))
        token = _sign(self._key, self._header, {"state": state, "exp": int(until), **self._claims})
        self._issued[token] = (until, subject)
        return token

    def find(self, token: str) -> Subject | None:
        """Whom the token stands for; None if it is unknown, over, taken or revoked."""
        until, subject = self._issued.get(token, (0.0, None))
        return subject if self._clock() < until else None

    def take(self, token: str) -> Subject | None:
        """As `find`, for the last time."""
        subject = self.find(token)
        self._issued.pop(token, None)
        return subject

    def revoke(self) -> None:
        """End all of them."""
        self._issued.clear()


def _sign(key: bytes, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    text = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{text}.{_encode(hmac.digest(key, text.encode(), 'sha256'))}"


def _encode(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()
