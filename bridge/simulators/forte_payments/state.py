"""What the simulated Forte knows, who may do what for how long, and one request that has passed the door."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from werkzeug.wrappers import Request

from ..ledger import Ledger
from .assumptions import Assumptions
from .errors import Json
from .intents import Intent, Intents
from .subscriptions import Subscriptions
from .tokens import Tokens
from .webhooks import Deliveries

REDIRECT_SECONDS = 30.0


@dataclass(frozen=True)
class Visit:
    """A buyer at the widget or at the hosted page, with a checked request; without an intent there is nothing that
    could be paid."""

    request: Mapping[str, Any] = field(repr=False)
    intent_id: str | None = None

    @property
    def buyer(self) -> Mapping[str, Any]:
        """The request's `buyer`: id, and email, wallet or both."""
        return dict(self.request["buyer"])


class State:
    """Everything of one simulator. `lock` guards it all, the random source included; `changed` tells of changes."""

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        clock: Callable[[], float],
        random: Random,
        ledger: Ledger,
        assumptions: Assumptions,
        token_seconds: int,
    ) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.client_id, self.client_secret = client_id, client_secret
        self.clock = clock
        self.assumptions = assumptions
        self.token_seconds = token_seconds
        self._random = random
        self.site = self.mint()
        self.ledger = ledger
        self.subscriptions = Subscriptions(self.mint, assumptions.subscription_limit)
        self.reset()

    def reset(self) -> None:
        """Nobody has asked for anything yet. Who may ask and who is told of payments stays; the ledger does, too."""
        clock, random, assumptions = self.clock, self._random, self.assumptions
        issuer = {"iss": "forte_auth_svc"}
        header = {"kid": self.mint(), "alg": "HS256", "typ": "JWT"}
        plain = {"alg": "HS256", "typ": "JWT"}
        external = {**issuer, "token_type": "external_token"}
        self.access: Tokens[str] = Tokens(clock, random, header, {**issuer, "token_type": "access_token"})
        self.redirects: Tokens[Visit] = Tokens(clock, random, plain, external)
        self.pages: Tokens[Visit] = Tokens(clock, random, plain, external)
        self.widgets: Tokens[Visit] = Tokens(clock, random, plain, external)
        self.deliveries = Deliveries(clock, self.mint, self.subscriptions, assumptions.retry_delays)
        self.intents = Intents(self.client_id, clock, self.ledger, self._tell)
        self.known_buyers: set[str] = set()
        self.confirmed_buyers: set[str] = set()

    def mint(self) -> str:
        """A new UUID."""
        with self.lock:
            return str(UUID(int=self._random.getrandbits(128), version=4))

    def _tell(self, intent: Intent) -> None:
        name = self.assumptions.event_names.get(intent.status)
        if name is not None:
            self.deliveries.publish(name, facts(intent))


def facts(intent: Intent) -> Json:
    """What webhooks and the operator are told about an intent."""
    return {
        "payment_intent_id": intent.id,
        "reference": intent.reference,
        "status": intent.status,
        "transaction_type": "BUY_VDA",
        "amount": intent.total,
        "currency": intent.currency,
        "buyer": {"id": intent.buyer["id"]},
    }


@dataclass(frozen=True)
class Call:
    """One request with its checked JSON `body`, the ids of its path, and the simulator's address without a slash at the
    end. `visit` is whom the widget's token stands for."""

    state: State
    request: Request
    base_url: str
    ids: Mapping[str, str]
    body: Json = field(repr=False)
    visit: Visit | None = None
