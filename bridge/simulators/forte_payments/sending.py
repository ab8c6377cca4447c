"""Sending webhooks: one signed POST per delivery, by itself or when it is told to.

Only an answer with status 200 counts; redirects are not followed.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from ..background import Background
from ..posting import Post, post
from .state import State
from .subscriptions import Subscription
from .webhooks import Delivery, Webhook

POLL_SECONDS = 0.1

Spoil = Callable[[Webhook], Webhook | None]


@dataclass(frozen=True)
class Attempt:
    """A delivery that was tried at `time` (Unix seconds): the status that was answered, or the error, or neither if it
    was lost on purpose."""

    time: float
    event_id: str
    event_name: str
    subscription_id: str
    endpoint: str
    status: int | None = None
    error: str | None = None


class Postman:
    """Sends what is due, without the lock: when it is told to, or by itself in the `background`. `context` is for https
    endpoints, None for the machine's own authorities. `send` is the way out."""

    def __init__(self, state: State, context: ssl.SSLContext | None = None, send: Post = post) -> None:
        self._state = state
        self._context = context
        self._send = send
        self._spoilers: list[Spoil] = []
        self._attempts: list[Attempt] = []
        self.background = Background(
            "forte-payments-messages", state.changed, self._wait, lambda: self.deliver(lambda _delivery: True)
        )

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        with self._state.lock:
            return tuple(self._attempts)

    def spoil_next(self, change: Spoil) -> None:
        with self._state.lock:
            self._spoilers.append(change)

    def reset(self) -> None:
        """Forget what was sent, and what was to be spoilt. Its caller holds the lock."""
        self._spoilers.clear()
        self._attempts.clear()

    def deliver(self, wanted: Callable[[Delivery], bool]) -> tuple[Attempt, ...]:
        """Try everything that is wanted and due now, one after the other."""
        made: list[Attempt] = []
        while (attempt := self._deliver_one(wanted)) is not None:
            made.append(attempt)
        return tuple(made)

    def _deliver_one(self, wanted: Callable[[Delivery], bool]) -> Attempt | None:
        state = self._state
        with state.lock:
            state.intents.expire_due()
            deliveries = state.deliveries
            taken = deliveries.take(wanted)
            if taken is None:
                return None
            delivery, subscription = taken
            now = state.clock()
            webhook = self._webhook(delivery, subscription, now)
        status, error = self._post(webhook) if webhook else (None, None)
        event = delivery.event
        attempt = Attempt(now, event.id, event.name, subscription.id, subscription.endpoint, status, error)
        with state.lock:
            deliveries.report(delivery, accepted=webhook is None or status == 200)
            self._attempts.append(attempt)
            state.changed.notify_all()
        return attempt

    def _webhook(self, delivery: Delivery, subscription: Subscription, now: float) -> Webhook | None:
        """The request to be sent, None if it is to be lost."""
        body = delivery.event.body
        proof = self._state.assumptions.scheme.headers(subscription.signing_key, body, now)
        headers = {"Content-Type": "application/json", "User-Agent": "forte-simulator", **proof}
        webhook = Webhook(subscription.endpoint, headers, body)
        return self._spoilers.pop(0)(webhook) if self._spoilers else webhook

    def _post(self, webhook: Webhook) -> tuple[int | None, str | None]:
        timeout = self._state.assumptions.delivery_timeout
        return self._send(webhook.endpoint, webhook.headers, webhook.body, timeout=timeout, context=self._context)

    def _wait(self) -> float:
        self._state.intents.expire_due()
        return 0.0 if self._state.deliveries.is_due else POLL_SECONDS
