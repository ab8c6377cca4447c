"""Sending events to webhook endpoints: one signed POST per delivery, by itself or when it is told to.

Any 2xx counts, redirects are not followed. Source: https://docs.stripe.com/webhooks and, for the header,
https://docs.stripe.com/webhooks/signature.
"""

import hmac
import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from ..background import Background
from ..posting import post
from .errors import Json
from .state import State
from .thin_events import thin
from .webhooks import Delivery, WebhookEndpoint

TIMEOUT = 10.0
LONGEST_WAIT = 5.0
"""Seconds after which the clock is looked at again, whatever is waited for."""


@dataclass(frozen=True)
class Webhook:
    """A request to an endpoint."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes


@dataclass(frozen=True)
class Attempt:
    """A delivery that was tried at `time` (Unix seconds): the status that was answered, or the error, or neither if it
    was lost on purpose."""

    time: float
    event_id: str
    event_type: str
    endpoint_id: str
    url: str
    status: int | None = None
    error: str | None = None

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


Spoil = Callable[[Webhook], Webhook | None]


def signature(body: bytes, secrets: Iterable[str], time: float) -> str:
    """The Stripe-Signature of a body sent at `time` (Unix seconds): a v1 for each secret and, as in every sandbox, a v0
    that proves nothing."""
    signed = f"{int(time)}.".encode() + body
    proofs = [f"v1={hmac.digest(secret.encode(), signed, 'sha256').hex()}" for secret in secrets]
    return ",".join([f"t={int(time)}", *proofs, f"v0={sha256(signed).hexdigest()}"])


def webhook(event: Json, endpoint: WebhookEndpoint, time: float) -> Webhook:
    """The event as it is sent to the endpoint at `time` (Unix seconds)."""
    body = json.dumps(thin(event) if endpoint.thin else event, indent=2, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://docs.stripe.com/webhooks)",
        "Stripe-Signature": signature(body, endpoint.signing(time), time),
    }
    return Webhook(endpoint.url, headers, body)


def _post(sent: Webhook, context: ssl.SSLContext | None) -> tuple[int | None, str | None]:
    return post(sent.url, sent.headers, sent.body, timeout=TIMEOUT, context=context)


class Postman:
    """Sends what is due, one after the other, without the lock: when it is told to, or by itself in the `background`.
    `context` is for https endpoints, None for the machine's own authorities."""

    def __init__(self, state: State, context: ssl.SSLContext | None = None) -> None:
        self._state = state
        self._context = context
        self._spoilers: list[Spoil] = []
        self._attempts: list[Attempt] = []
        self.background = Background(
            "stripe-webhooks", state.changed, self._wait, lambda: self._deliver_one(lambda _delivery: True)
        )

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        with self._state.lock:
            return tuple(self._attempts)

    def spoil_next(self, change: Spoil) -> None:
        with self._state.lock:
            self._spoilers.append(change)

    def deliver(self, wanted: Callable[[Delivery], bool]) -> tuple[Attempt, ...]:
        """Try everything that is wanted and due now, or becomes due meanwhile."""
        made: list[Attempt] = []
        while (attempt := self._deliver_one(wanted)) is not None:
            made.append(attempt)
        return tuple(made)

    def _deliver_one(self, wanted: Callable[[Delivery], bool]) -> Attempt | None:
        state = self._state
        with state.lock:
            state.catch_up()
            delivery = state.webhooks.take(wanted)
            if delivery is None:
                return None
            now = state.clock()
            endpoint, event = state.webhooks.find(delivery.endpoint_id), state.anywhere(delivery.event_id)
            assert endpoint is not None
            assert event is not None
            sent: Webhook | None = webhook(event, endpoint, now)
            if self._spoilers and sent:
                sent = self._spoilers.pop(0)(sent)
        status, error = _post(sent, self._context) if sent else (None, None)
        attempt = Attempt(now, delivery.event_id, delivery.event_type, endpoint.id, endpoint.url, status, error)
        with state.lock:
            state.webhooks.report(delivery, accepted=attempt.accepted or sent is None)
            if attempt.accepted:
                event["pending_webhooks"] = max(event["pending_webhooks"] - 1, 0)
            self._attempts.append(attempt)
            state.changed.notify_all()
        return attempt

    def _wait(self) -> float:
        state = self._state
        state.catch_up()
        if state.webhooks.next_due is not None and state.webhooks.next_due <= state.clock():
            return 0.0
        due = state.next_due
        return LONGEST_WAIT if due is None else min(max(due - state.clock(), 0.0), LONGEST_WAIT)
