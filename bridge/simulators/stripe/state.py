"""What the simulated Stripe knows: accounts, their objects, the cards behind payment methods, the clock and the ids.

Objects are plain dicts in the shape of Stripe's JSON, references between them are ids, and each belongs to exactly
one account. Endpoints change them while they hold the lock.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from string import ascii_letters, digits

from ..ledger import Ledger
from .cards import Card
from .errors import Json, invalid, no_such
from .schedule import Schedule
from .webhooks import RETRY_DELAYS, Webhooks

_LENGTHS = {"acct": 16, "cus": 14, "req": 14, "ca": 32, "whsec": 32}
_FIRST = {
    **dict.fromkeys(("pi", "ch", "re"), "3"),
    **dict.fromkeys(("py", "pm", "txn", "tr", "fee", "acct", "evt", "we", "du"), "1"),
}


class State:
    """All accounts of one simulator. `lock` guards everything here, the random source included; `changed` is its
    condition, told of every event. `slow` are payment methods whose issuer answers later, `readers` the card reader of
    each account; `cause` is the `request` of the events that happen now. `retry_delays` are seconds."""

    def __init__(
        self,
        clock: Callable[[], float],
        random: Random,
        ledger: Ledger,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self.clock = clock
        self.ledger = ledger
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.webhooks = Webhooks(clock, retry_delays)
        self.cause: Json = {"id": None, "idempotency_key": None}
        self.slow: set[str] = set()
        self.readers: dict[str, str] = {}
        self._agenda = Schedule()
        self._random = random
        self._owners: dict[str, str] = {}
        self._objects: dict[str, Json] = {}
        self._kinds: dict[tuple[str, str], list[str]] = {}
        self.cards: dict[str, Card] = {}
        self.used_up: dict[str, str] = {}
        self.set_up: set[str] = set()
        self.adopted: dict[tuple[str, str], str] = {}
        self.adopt: Callable[[str, str], None] | None = None
        self.disconnected: set[str] = set()
        self.application = self.mint("ca")
        self.platform = self.mint("acct")

    @contextmanager
    def caused_by(self, request_id: str, idempotency_key: str | None) -> Iterator[None]:
        """The events that happen meanwhile name this request."""
        before, self.cause = self.cause, {"id": request_id, "idempotency_key": idempotency_key}
        try:
            yield
        finally:
            self.cause = before

    def now(self) -> int:
        """Unix seconds."""
        return int(self.clock())

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Have `action` done in that many seconds; in none, after the work that is being done now."""
        self._agenda.add(self.clock() + seconds, action)
        self.changed.notify_all()

    def catch_up(self) -> None:
        """Do what should have happened by now."""
        self._agenda.run(self.clock())

    @property
    def next_due(self) -> float | None:
        """When something happens next by itself (Unix seconds), deliveries included."""
        return min((due for due in (self._agenda.next_due, self.webhooks.next_due) if due is not None), default=None)

    def mint(self, prefix: str) -> str:
        """A new id in Stripe's alphabet, length and, where it has one, first digit."""
        return f"{prefix}_{_FIRST.get(prefix, '')}{self.letters(_LENGTHS.get(prefix, 24) - (prefix in _FIRST))}"

    def letters(self, length: int) -> str:
        """Random letters and digits."""
        with self.lock:
            return "".join(self._random.choices(ascii_letters + digits, k=length))

    def add(self, account: str, thing: Json) -> Json:
        """Keep a new object of `account`; an object's id and `object` never change."""
        self._owners[thing["id"]] = account
        self._objects[thing["id"]] = thing
        self._kinds.setdefault((account, thing["object"]), []).append(thing["id"])
        return thing

    def find(self, account: str, kind: str, identifier: str, param: str = "id", status: int = 404) -> Json:
        """The object itself. ApiError `resource_missing` if `account` has none of that kind and id."""
        found = self._objects.get(self.adopted.get((account, identifier), identifier))
        if found is None or found["object"] != kind or self._owners[found["id"]] != account:
            noun = "PaymentMethod" if kind == "payment_method" else kind.removeprefix("terminal.")
            raise no_such(noun, identifier, param, status)
        return found

    def all(self, account: str, kind: str, **members: object) -> list[Json]:
        """Every object of that kind whose members have these values, newest first."""
        every = (self._objects[identifier] for identifier in reversed(self._kinds.get((account, kind), [])))
        return [thing for thing in every if all(thing[name] == value for name, value in members.items())]

    def everywhere(self, kind: str) -> list[Json]:
        """Every account's objects of that kind, oldest first."""
        return [thing for thing in self._objects.values() if thing["object"] == kind]

    def anywhere(self, identifier: str) -> Json | None:
        """The object with this id, whoever owns it: for expanding references, never for a caller's own ids."""
        return self._objects.get(identifier)

    def owner(self, identifier: str) -> str:
        """The account that an object belongs to. KeyError if there is none."""
        return self._owners[identifier]

    def is_account(self, identifier: str) -> bool:
        """Whether the platform or an account that is connected to it has this id."""
        found = self._objects.get(identifier)
        return found is not None and found["object"] == "account" and identifier not in self.disconnected


@dataclass(frozen=True)
class Call:
    """One request that has passed the door: on whose account, with which checked parameters and path ids, and the
    simulator's own address as the caller wrote it."""

    state: State
    account: str
    params: Json
    ids: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    def find(self, kind: str, param: str = "id") -> Json:
        """The caller's own object that the path names."""
        return self.state.find(self.account, kind, self.ids["id"], param)

    def given(self, *names: str) -> Json:
        """Those of the named parameters that were given."""
        return {name: self.params[name] for name in names if name in self.params}

    def refer(self, kind: str, name: str) -> Json | None:
        """The caller's own object that the parameter `name` refers to, None if it is not given."""
        given = self.params.get(name)
        if given and kind == "customer" and self.state.adopt:
            self.state.adopt(self.account, given)
        return self.state.find(self.account, kind, given, name, status=400) if given else None


def merged_metadata(before: Mapping[str, str], given: Json | str | None) -> dict[str, str]:
    """Metadata after an update: "" unsets all, an empty value one key. Limits as in
    https://docs.stripe.com/api/metadata: 50 keys of 40 characters with values of 500."""
    if given is None:
        return dict(before)
    if isinstance(given, str):
        return {}
    for key, value in given.items():
        if len(key) > 40:
            raise invalid(f"Metadata keys can have up to 40 characters; '{key[:40]}...' has {len(key)}.", "metadata")
        if len(value) > 500:
            message = f"Metadata values can have up to 500 characters; the value of '{key}' has {len(value)}."
            raise invalid(message, f"metadata[{key}]")
    merged = {key: value for key, value in {**before, **given}.items() if value}
    if len(merged) > 50:
        raise invalid(f"Metadata can have up to 50 keys; you gave {len(merged)}.", "metadata")
    return merged


def snapshot(thing: Json) -> Json:
    """The object as it is now, to keep inside another one or in an answer."""
    return deepcopy(thing)
