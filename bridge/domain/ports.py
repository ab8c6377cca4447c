"""What the core needs from outside: Adapter, OrderBook, Clock, Ids."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from bridge.domain.orders import Delivery, Order, OrderUpdate
from bridge.domain.outcomes import Outcome, Payment

Clock = Callable[[], float]
"""Unix seconds."""


class Ids(Protocol):
    """Where random names come from."""

    def attempt(self) -> str:
        """128 random bits as 32 hexadecimal digits; also names intents, operations and rows."""
        ...

    def public(self, prefix: str) -> str:
        """`prefix` (such as `pi_`) and 24 random letters and digits."""
        ...

    def hex(self, digits: int) -> str:
        """Random hexadecimal digits."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an adapter, as `stores add --set NAME=VALUE` takes it.

    `default` None means that it is required.
    """

    name: str
    help: str
    default: str | None = None
    secret: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `stores check`."""

    ok: bool
    text: str


class Adapter(Protocol):
    """Speaks one provider's dialect for one store. Knows no Flask and no database; thread-safe.

    Every call raises ProviderRefused (proven: nothing was done), ProviderUnreachable or ProviderConfused. A decline is
    an Outcome, never an exception.
    """

    name: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    operations: ClassVar[frozenset[str]]
    """What it can express, of: create, fetch, find, cancel."""
    replay_window: ClassVar[float]
    """Seconds during which the provider answers a repeated key with the first result; 0 where it has no such thing."""

    def smallest(self, currency: str) -> int:
        """The step of amounts in `currency`, in minor units. Raises CurrencyNotSupported."""
        ...

    def prepare(self, payment: Payment) -> dict[str, Any]:
        """The exact request for `payment`, JSON-serialisable, without secrets. Pure. Raises Refused."""
        ...

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        """Send `request` under the idempotency key. Sending both again never charges twice."""
        ...

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:
        """Look in the provider's lists for what `request` made at or after `since` (Unix seconds).

        None if it is not there.
        """
        ...

    def fetch(self, reference: str) -> Outcome:
        """The payment's state at the provider now."""
        ...

    def cancel(self, reference: str, key: str) -> Outcome:
        """Void it. An Outcome whose status is not `canceled` means that it could not be."""
        ...

    def check(self) -> list[Finding]:
        """Whether the settings work, for `stores check`. Never moves money; never raises ProviderError."""
        ...


class OrderBook(Protocol):
    """Where Orders come from and OrderUpdates go to, for one store."""

    def read(self, order_id: int) -> Order:
        """Raises OrderNotFound, StoreUnreachable, StoreRefused."""
        ...

    def deliver(self, update: OrderUpdate, *, first: bool) -> Delivery:
        """Apply `update` once, however often it is called with it. `first` is False if it was ever tried before.

        Raises StoreUnreachable or StoreRefused; then it is called again later.
        """
        ...

    def identify(self) -> str:
        """The site URL that the store gives itself. Raises StoreUnreachable, StoreRefused."""
        ...

    def check(self) -> list[Finding]:
        """Whether the store can be reached and is set up right. Never raises StoreError."""
        ...
