"""Payment intents: what is to be paid, what became of it, and the ledger entry of the ones that were paid.

An intent is Created until it is Approved, Declined or Expired, for good.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..ledger import Ledger

Status = Literal["Created", "Approved", "Declined", "Expired"]


@dataclass(frozen=True)
class Intent:
    """`amount` is in minor units of `currency`; `created` and `expires` are Unix seconds. `submitted`: the buyer has
    sent the payment, whatever became of it; it does not expire any more."""

    id: str
    idempotency_key: str
    reference: str | None
    amount: int
    currency: str
    created: float
    expires: float
    request: Mapping[str, Any] = field(repr=False)
    status: Status = "Created"
    submitted: bool = False

    @property
    def total(self) -> str:
        """The amount as people and Forte write it: "9.99"."""
        return str(self.request["items"][0]["amount"])

    @property
    def title(self) -> str:
        return str(self.request["items"][0]["title"])

    @property
    def buyer(self) -> Mapping[str, Any]:
        """The request's `buyer`: id, and email, wallet or both."""
        return dict(self.request["buyer"])


class Intents:
    """All intents of one merchant, whose `account` the ledger names. `told` hears of every intent that has ended.

    Its caller holds the lock.
    """

    def __init__(
        self, account: str, clock: Callable[[], float], ledger: Ledger, told: Callable[[Intent], None]
    ) -> None:
        self._account = account
        self._clock = clock
        self._ledger = ledger
        self._told = told
        self._by_id: dict[str, Intent] = {}
        self._by_key: dict[str, str] = {}

    def add(self, identifier: str, request: Mapping[str, Any], seconds: float) -> Intent:
        """A new intent for a checked request, which stays Created for that long."""
        now = self._clock()
        intent = Intent(
            id=identifier,
            idempotency_key=request["idempotency_key"],
            reference=request.get("reference"),
            amount=int(request["items"][0]["amount"].replace(".", "")),
            currency=request["currency"],
            created=now,
            expires=now + seconds,
            request=request,
        )
        self._by_key[intent.idempotency_key] = intent.id
        return self._keep(intent)

    def get(self, identifier: str) -> Intent:
        """LookupError if there is none with that id."""
        if identifier not in self._by_id:
            raise LookupError(f"no payment intent has the id {identifier}")
        return self._by_id[identifier]

    def find(self, identifier: str) -> Intent | None:
        return self._by_id.get(identifier)

    def of_key(self, idempotency_key: str) -> Intent | None:
        identifier = self._by_key.get(idempotency_key)
        return self._by_id[identifier] if identifier else None

    def all(self) -> tuple[Intent, ...]:
        """Oldest first."""
        return tuple(self._by_id.values())

    def submit(self, identifier: str) -> Intent:
        """The buyer has sent the payment. ValueError if the intent has ended."""
        return self._keep(replace(self._open(identifier), submitted=True))

    def end(self, identifier: str, status: Status) -> Intent:
        """Approve, decline or expire an intent; the same end twice is one. ValueError if it has ended otherwise."""
        if self.get(identifier).status == status:
            return self.get(identifier)
        before = self._open(identifier)
        intent = self._keep(replace(before, status=status, submitted=before.submitted or status != "Expired"))
        if status == "Approved":
            self._charge(intent)
        self._told(intent)
        return intent

    def expire_due(self) -> None:
        """Expire every intent whose time is over and that nobody has paid."""
        now = self._clock()
        for intent in self.all():
            if intent.status == "Created" and not intent.submitted and now >= intent.expires:
                self.end(intent.id, "Expired")

    def _charge(self, intent: Intent) -> None:
        metadata = {"idempotency_key": intent.idempotency_key}
        if intent.reference is not None:
            metadata["reference"] = intent.reference
        for kind in ("authorised", "captured"):
            self._ledger.record(
                kind,
                account=self._account,
                object_id=intent.id,
                amount=intent.amount,
                currency=intent.currency.lower(),
                metadata=metadata,
            )

    def _open(self, identifier: str) -> Intent:
        intent = self.get(identifier)
        if intent.status != "Created":
            raise ValueError(f"the payment intent {identifier} is {intent.status}")
        return intent

    def _keep(self, intent: Intent) -> Intent:
        self._by_id[intent.id] = intent
        return intent
