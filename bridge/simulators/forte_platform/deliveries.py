"""How triggers travel: one POST per attempt, five attempts sixty seconds apart, then it is given up for good.

Source: the sections "Receiving and processing trigger events" and "Trigger retry policy" of Forte's guide. When an
attempt is due is the injected clock's business; how long one may take is real time.
"""

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import punctuation
from types import MappingProxyType
from urllib.parse import quote

from ..background import Background
from ..posting import post
from .state import Delivery, State

ATTEMPTS = 5
DELAY = 60.0
HEADERS: Mapping[str, str] = MappingProxyType({"Content-Type": "application/json", "X-Forte-Trusted": "1"})
_LOOK_AGAIN = 0.5


@dataclass(frozen=True)
class Attempt:
    """One try to deliver. `status` is the receiver's, None if there was no answer, and `problem` says why."""

    time: float
    trigger_id: str
    payment_id: str
    state: str
    number: int
    url: str
    status: int | None
    problem: str | None

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Courier:
    """Delivers what is due, one after the other: when it is told to, or by itself in the `background`.
    `timeout` is in seconds of real time; `tls` trusts the certificates of https services."""

    def __init__(self, state: State, timeout: float, tls: ssl.SSLContext | None) -> None:
        self._state = state
        self._timeout = timeout
        self._tls = tls
        self._turn = threading.Lock()
        self.background = Background(
            "forte-platform-webhooks", state.changed, self._wait, lambda: self.deliver_due(self.background.goes_on)
        )
        self.attempts: list[Attempt] = []
        self.sentry: list[str] = []

    def reset(self) -> None:
        """Forget what was tried. Its caller holds the lock."""
        self.attempts.clear()
        self.sentry.clear()

    def _wait(self) -> float:
        return 0.0 if self._due() else _LOOK_AGAIN

    def _due(self) -> list[Delivery]:
        now = self._state.clock()
        return [one for one in self._state.deliveries if one.outcome == "pending" and one.due <= now]

    def deliver_due(self, go_on: Callable[[], bool] = lambda: True) -> tuple[Attempt, ...]:
        """Make the attempts that are due now, oldest first, as long as `go_on` says so, and return them."""
        made = []
        with self._turn:
            with self._state.lock:
                due = self._due()
            for delivery in due:
                attempt = self._attempt(delivery) if go_on() else None
                if attempt is not None:
                    made.append(attempt)
        return tuple(made)

    def _attempt(self, delivery: Delivery) -> Attempt | None:
        with self._state.lock:
            trigger = self._state.triggers.get(delivery.trigger_id)
            if trigger is None or not trigger.enabled:
                delivery.outcome = "dropped"
                self._state.changed.notify_all()
                return None
            base = self._state.services[trigger.service].base_url
            url = (base or "").rstrip("/") + quote(trigger.path, safe=punctuation)
            delivery.attempts += 1
        status, problem = (None, "the service has no address") if base is None else self._send(url, delivery)
        with self._state.lock:
            attempt = Attempt(
                time=self._state.clock(),
                trigger_id=trigger.id,
                payment_id=delivery.body["paymentId"],
                state=delivery.body["state"],
                number=delivery.attempts,
                url=url,
                status=status,
                problem=problem,
            )
            self.attempts.append(attempt)
            self._settle(delivery, attempt)
            self._state.changed.notify_all()
        return attempt

    def _send(self, url: str, delivery: Delivery) -> tuple[int | None, str | None]:
        return post(url, HEADERS, json.dumps(delivery.body).encode(), timeout=self._timeout, context=self._tls)

    def _settle(self, delivery: Delivery, attempt: Attempt) -> None:
        if attempt.succeeded:
            delivery.outcome = "delivered"
        elif delivery.attempts >= ATTEMPTS:
            delivery.outcome = "abandoned"
            what = f"{attempt.state} of {attempt.payment_id} for {attempt.trigger_id}"
            self.sentry.append(f"{what} was abandoned after {ATTEMPTS} attempts: {attempt.problem or attempt.status}")
        else:
            delivery.due = self._state.clock() + DELAY
