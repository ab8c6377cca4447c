"""The simulated Forte Payments as a WSGI application, with hands for tests and demos.

What the endpoints do is in the modules beside it. Production settings are refused.
"""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.wrappers import Request

from ..ledger import Ledger
from ..posting import Post, post
from .assumptions import Assumptions
from .dispatch import Change, Front
from .intents import Intent
from .journal import RequestRecord, record
from .sending import Attempt, Postman, Spoil
from .state import State
from .subscriptions import Subscription
from .webhooks import Delivery, Event

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Result = TypeVar("Result")


class FortePaymentsSimulator:
    """One merchant at Forte Payments. Thread-safe.

    `clock` gives Unix seconds, `random` all ids and tokens, `ledger` is where approvals go. `token_seconds` is the life
    of an access token. `url` is the address under which browsers reach it; while it is None, that is where a request
    came to. `tls` is what trusts the certificates of https webhook endpoints, `post` what sends to them. ValueError for
    production settings and for credentials that could be none.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        ledger: Ledger | None = None,
        production: bool = False,
        token_seconds: int = 3600,
        assumptions: Assumptions | None = None,
        url: str | None = None,
        tls: ssl.SSLContext | None = None,
        post: Post = post,
    ) -> None:
        if production:
            raise ValueError("this is a simulator, it has no production")
        if not 1 <= len(client_id) <= 100 or not client_secret:
            raise ValueError("a client id has 1 to 100 characters, and a client secret is not empty")
        self.ledger = Ledger(clock=clock) if ledger is None else ledger
        self.url = url
        self._state = State(
            client_id,
            client_secret,
            clock,
            SystemRandom() if random is None else random,
            self.ledger,
            assumptions or Assumptions(),
            token_seconds,
        )
        self._postman = Postman(self._state, tls, post)
        self._front = Front(self._state)
        self._requests: list[RequestRecord] = []

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """Every request answered so far, oldest first."""
        with self._state.lock:
            return tuple(self._requests)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Every payment intent as it is now, oldest first."""
        with self._state.lock:
            self._state.intents.expire_due()
            return self._state.intents.all()

    def intent(self, intent_id: str) -> Intent:
        """LookupError if there is none with that id."""
        with self._state.lock:
            self._state.intents.expire_due()
            return self._state.intents.get(intent_id)

    def find_by_reference(self, reference: str) -> tuple[Intent, ...]:
        """The intents that carry this reference, oldest first."""
        return tuple(intent for intent in self.intents if intent.reference == reference)

    def approve(self, intent_id: str) -> Intent:
        """The buyer pays; the ledger is charged once. LookupError without such an intent, ValueError if it has ended
        otherwise; so with `decline`, `expire` and `submit`."""
        return self._change(lambda: self._state.intents.end(intent_id, "Approved"))

    def decline(self, intent_id: str) -> Intent:
        return self._change(lambda: self._state.intents.end(intent_id, "Declined"))

    def expire(self, intent_id: str) -> Intent:
        return self._change(lambda: self._state.intents.end(intent_id, "Expired"))

    def submit(self, intent_id: str) -> Intent:
        """The buyer sends a payment that is not decided yet: its status stays Created, its key answers ERR04."""
        return self._change(lambda: self._state.intents.submit(intent_id))

    def revoke_tokens(self) -> None:
        """End all access tokens."""
        with self._state.lock:
            self._state.access.revoke()

    def spoil_next(self, path: str, change: Change, times: int = 1) -> None:
        """Change the JSON and the status of the next answers at `path`, after the work is done."""
        with self._state.lock:
            self._front.spoil_next(path, change, times)

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """With their signing keys, oldest first."""
        with self._state.lock:
            return self._state.subscriptions.all()

    def subscribe(self, endpoint: str, description: str = "") -> Subscription:
        """As the API does it. ApiError 429 above the limit."""
        return self._change(lambda: self._state.subscriptions.add(endpoint, description))

    def rotate_signing_key(self, subscription_id: str) -> Subscription:
        return self._change(lambda: self._state.subscriptions.rotate(subscription_id))

    def publish(self, name: str, data: Mapping[str, Any]) -> Event:
        """Send all subscribers an event of any name that says anything, true or not."""
        return self._change(lambda: self._state.deliveries.publish(name, data))

    def repeat(self, event_id: str) -> int:
        """Queue an event again that was sent before; returns to how many subscriptions it goes."""
        return self._change(lambda: self._state.deliveries.repeat(event_id))

    @property
    def pending(self) -> tuple[Delivery, ...]:
        """The deliveries that are still to be made, due or not."""
        with self._state.lock:
            self._state.intents.expire_due()
            return self._state.deliveries.pending

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt of a delivery, oldest first."""
        return self._postman.attempts

    def deliver_due(self, wanted: Callable[[Delivery], bool] = lambda _delivery: True) -> tuple[Attempt, ...]:
        """Send what is due by the clock, or the wanted part of it, one after the other; returns the attempts."""
        return self._postman.deliver(wanted)

    def spoil_next_webhook(self, change: Spoil) -> None:
        """Change the next webhook after it was signed. None loses it for ever."""
        self._postman.spoil_next(change)

    def start_deliveries(self) -> None:
        """Deliver in a background thread, until `close`."""
        self._postman.background.start()

    def close(self) -> None:
        """End the background thread. May be called twice, and without one."""
        self._postman.background.close()

    def wait_until(self, true: Callable[[], bool], timeout: float = 30.0) -> bool:
        """Wait until a condition holds, looking again after each change; whether it did within `timeout` seconds."""
        with self._state.changed:
            return self._state.changed.wait_for(true, timeout)

    def _change(self, change: Callable[[], Result]) -> Result:
        with self._state.changed:
            self._state.intents.expire_due()
            result = change()
            self._state.changed.notify_all()
            return result

    def reset(self) -> None:
        """Forget what was asked, paid and sent, and what was to be spoilt; end all tokens. Credentials, subscriptions
        and ledger stay."""
        with self._state.changed:
            self._state.reset()
            self._front = Front(self._state)
            self._postman.reset()
            self._requests.clear()
            self._state.changed.notify_all()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        request.get_data()  # the network is waited for without the lock
        with self._state.changed:
            self._state.intents.expire_due()
            response = self._front.respond(request, (self.url or request.root_url).rstrip("/"))
            self._requests.append(record(request, response.status_code, self._state.clock()))
            self._state.changed.notify_all()
        return response(environ, start_response)
