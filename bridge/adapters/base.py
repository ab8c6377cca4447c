"""What an adapter that cannot do something says: subclass it, and override what yours can."""

# ruff: noqa: ARG002 arguments of verbs that are refused

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NoReturn

from bridge.domain.errors import Unsupported
from bridge.domain.intents import Refund
from bridge.domain.money import step
from bridge.domain.outcomes import (
    Cart,
    CustomerDetails,
    Opening,
    Outcome,
    Payment,
    ProviderEvent,
    Quote,
    RefundRequest,
)
from bridge.domain.ports import Finding, Setting


class BaseAdapter(ABC):
    """An adapter declares its `operations` and writes `prepare`, `create` and `fetch`. Everything else that
    `bridge.domain.ports.Adapter` asks for is here: a verb that an adapter may lack raises Unsupported, and what it
    declares is what most providers do. Where they differ, the default promises less."""

    name: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]] = ()
    replay_window: ClassVar[float] = 0.0
    tells_mode: ClassVar[bool] = True
    confirmed_by_buyer: ClassVar[bool] = False
    names_refunds: ClassVar[bool] = True
    names_orders: ClassVar[bool] = False
    reference_name: ClassVar[str] = ""
    payment_method_type: ClassVar[str] = "card"

    @property
    def account_name(self) -> str:
        """All stores of the adapter are on one account."""
        return ""

    def smallest(self, currency: str) -> int:
        """As Stripe charges."""
        return step(currency)

    @abstractmethod
    def prepare(self, payment: Payment) -> dict[str, Any]:
        """The exact request for a payment, JSON-serializable, without secrets. Pure. Raises Refused."""

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        """Send a prepared request under its idempotency key; a decline is an Outcome. Raises ProviderError.

        To be written, unless every buyer pays at the provider's own page (`open`).
        """
        self._cannot("create")

    @abstractmethod
    def fetch(self, reference: str) -> Outcome:
        """How the payment of this reference stands now. Raises ProviderError."""

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:
        self._cannot("find")

    def cancel(self, reference: str, key: str) -> Outcome:
        self._cannot("cancel")

    def capture(self, reference: str, amount: int, key: str) -> Outcome:
        self._cannot("capture")

    def refund(self, request: RefundRequest, key: str) -> Refund:
        self._cannot("refund")

    def save_customer(self, details: CustomerDetails, customer: str | None, key: str) -> str:
        self._cannot("create_customer")

    def customer_site(self, customer: str) -> str | None:
        """The account has only the store's own customers."""
        return None

    def payment_methods(self, customer: str) -> list[dict[str, Any]]:
        self._cannot("payment_methods")

    def prepare_terminal(self, payment: Payment, methods: list[str], metadata: dict[str, Any]) -> dict[str, Any]:
        self._cannot("create_terminal_intent")

    def connection_token(self) -> dict[str, Any]:
        self._cannot("connection_tokens")

    def open(self, request: dict[str, Any], key: str) -> Opening:
        self._cannot("open")

    def preview(self, cart: Cart, customer: str) -> Quote:
        self._cannot("preview")

    def listed(self, since: float) -> Iterator[Outcome]:
        self._cannot("reconcile")

    def receive(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        self._cannot("webhooks")

    def owns(self, event: ProviderEvent) -> bool:
        return False

    def resolved(self, event: ProviderEvent) -> ProviderEvent:
        """Every message names its payment itself."""
        return event

    def scope_problem(self, event: ProviderEvent) -> str:
        """There is one kind of endpoint only."""
        return ""

    def check(self) -> list[Finding]:
        """Nothing is asked."""
        return [Finding(True, f"{self.name} cannot check its settings: the first payment will.")]

    def account_problem(self) -> str:
        """The provider says nothing about accounts."""
        return ""

    def refused_settings(self) -> list[str]:
        """The provider does not have its own rules for the settings."""
        return []

    def _cannot(self, operation: str) -> NoReturn:
        raise Unsupported(operation, self.name)
