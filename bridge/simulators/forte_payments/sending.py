"""Sending webhooks: one signed POST per delivery, and a thread that does it in the background.

Only an answer with status 200 counts; redirects are not followed.
"""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

from ..posting import post
from .state import State
from .subscriptions import Subscription
from .webhooks import Delivery, Webhook

POLL_SECONDS = 0.1
JOIN_SECONDS = 15.0

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
    """Sends what is due, without the lock. `context` is for https endpoints, None for the machine's own authorities."""

    def __init__(self, state: State, context: ssl.SSLContext | None = None) -> None:
        self._state = state
        self._context = context
        self._spoilers: list[Spoil] = []
        self._attempts: list[Attempt] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        with self._state.lock:
            return tuple(self._attempts)

    def spoil_next(self, change: Spoil) -> None:
        with self._state.lock:
            self._spoilers.append(change)

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
            taken = state.deliveries.take(wanted)
            if taken is None:
                return None
            delivery, subscription = taken
            now = state.clock()
            webhook = self._webhook(delivery, subscription, now)
        status, error = self._post(webhook) if webhook else (None, None)
        event = delivery.event
        attempt = Attempt(now, event.id, event.name, subscription.id, subscription.endpoint, status, error)
        with state.lock:
            state.deliveries.report(delivery, accepted=webhook is None or status == 200)
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
        return post(webhook.endpoint, webhook.headers, webhook.body, timeout=timeout, context=self._context)

    def start(self) -> None:
        """Send in the background what becomes due, until `close`; starting twice is one thread."""
        with self._state.lock:
            if self._thread is None:
                self._stop.clear()
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the background thread, if there is one, and wait for it."""
        with self._state.lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self.deliver(lambda _delivery: True)
