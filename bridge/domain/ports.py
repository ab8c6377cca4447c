"""What the core needs from outside: Adapter, OrderBook, Clock, Ids."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from bridge.domain.intents import Refund
from bridge.domain.orders import Delivery, Order, OrderNote, OrderUpdate, StoreEvent, StoreRefund
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
from bridge.domain.stores import Permissions

Clock = Callable[[], float]
"""Unix seconds."""


VERBS: Mapping[str, tuple[str, ...]] = {
    "create": ("prepare", "create"),
    "fetch": ("fetch",),
    "find": ("find",),
    "cancel": ("cancel",),
    "capture": ("capture",),
    "multicapture": ("capture",),
    "refund": ("refund",),
    "listed": ("listed",),
    "events": ("receive", "owns", "resolved", "scope_problem"),
    "customers": ("save_customer", "customer_site"),
    "payment_methods": ("payment_methods",),
    "terminal": ("prepare_terminal", "connection_token"),
    "open": ("open",),
    "preview": ("preview",),
}
"""The methods that belong to each operation."""
OPERATIONS = frozenset(VERBS)
"""What an adapter may be able to do."""


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

    `default` None means that it is required. With `account` it says at which account of the provider payments are:
    another value would not find them, so that it does not change while any is not over.
    """

    name: str
    help: str
    default: str | None = None
    secret: bool = False
    choices: tuple[str, ...] = ()
    account: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `stores check`."""

    ok: bool
    text: str


class Adapter(Protocol):
    """Speaks one provider's dialect for one store. Knows no Flask and no database; thread-safe.

    Every call to the provider raises ProviderRefused (proven: nothing was done), ProviderUnreachable or
    ProviderConfused. A decline is an Outcome, never an exception. A method of an operation that is not among its
    `operations` raises Unsupported.
    """

    name: ClassVar[str]
    """Its entry point's name: lower case letters, digits and `_`, a letter first."""
    settings: ClassVar[tuple[Setting, ...]]
    """What `stores add --set` takes. Default: nothing."""
    operations: ClassVar[frozenset[str]]
    """What it can express, of OPERATIONS; `create` (or `open`) and `fetch` at least."""
    replay_window: ClassVar[float]
    """Seconds during which the provider answers a repeated key with the first result. Default: 0, which means that the
    bridge never sends a request twice, and looks instead: with `find` for a create, with `fetch` for a refund."""
    tells_mode: ClassVar[bool]
    """Whether its settings show by themselves if they are for test or live money, so that it refuses those of the other
    mode. Default: True. If not, `stores check` says that nobody can prove the mode."""
    confirmed_by_buyer: ClassVar[bool]
    """Whether a create never takes money by itself: only its buyer can confirm it, with what its answer hands out.
    Default: False."""
    names_refunds: ClassVar[bool]
    """Whether the provider keeps our `operation_id` with every refund, and `fetch` reads it back. If not, a refund is
    recognized by its charge, sum and time. Default: True."""
    reference_name: ClassVar[str]
    """As what an intent's metadata show the provider's own id of the payment. Default: "", where they need not, as the
    intent's id is that already."""
    names_orders: ClassVar[bool]
    """Whether payments that others make on the account tell for which order they are (`Outcome.metadata`), and `listed`
    tells of those, too. Default: False."""
    payment_method_type: ClassVar[str]
    """Stripe's name for the kind of what the payer uses, until the provider says it of a charge. Default: "card"."""

    @property
    def account_name(self) -> str:
        """Names whose limits its requests count against, without secrets: stores of one account share what it bears.

        Default: "", one account for all.
        """
        ...

    def smallest(self, currency: str) -> int:
        """The step of amounts in `currency` (upper case), in minor units. Default: `step(currency)`.

        Raises CurrencyNotSupported.
        """
        ...

    def prepare(self, payment: Payment) -> dict[str, Any]:
        """The exact request for `payment`, JSON-serializable, without secrets. Pure.

        Raises InvalidParameter for a `customer` or `payment_method` that cannot be one, Unsupported for manual capture
        that the provider cannot do, or another Refused.
        """
        ...

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        """Send what `prepare` returned, as it was stored, under the idempotency key.

        Within `replay_window` seconds sending both again never charges twice.
        """
        ...

    def fetch(self, reference: str) -> Outcome:
        """The payment's state at the provider now, with its charge, all its refunds and its dispute.

        Raises ProviderRefused if there is no such payment.
        """
        ...

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:
        """Look in the provider's lists for the payment that sending `request` under `key` has made. None only if it is
        proven not to be there.

        It was made at or after `since` (Unix seconds): the look-up need not go back any further. A provider that says
        no times of creation ignores `since`, and leaves `Outcome.created` None.
        """
        ...

    def cancel(self, reference: str, key: str) -> Outcome:
        """Void it. An Outcome whose status is not `canceled` means that it could not be: of what is paid, `succeeded`;
        of what is voided already, `canceled` again."""
        ...

    def capture(self, reference: str, amount: int, key: str) -> Outcome:
        """Take `amount` minor units of an authorization. The rest is released, unless it can do `multicapture`.

        What is not held (any more) is answered as it is. Raises ProviderRefused with a `code` for more than is held.
        """
        ...

    def refund(self, request: RefundRequest, key: str) -> Refund:
        """Send `request.amount` back. Within `replay_window` seconds the same key never does so twice.

        Raises ProviderRefused for more than is left of what was captured.
        """
        ...

    def listed(self, since: float) -> Iterator[Outcome]:
        """All payments that the provider has made or changed since then (Unix seconds), for reconciliation: as `fetch`
        tells of them, with our `attempt_id` and `metadata`. It may list more; without times it lists all.

        With `names_orders` also what others have made that names an order: such a payment has no attempt_id.
        """
        ...

    def receive(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Prove who sent a message and read it. Header names are lower case, `body` is what was sent, byte by byte.

        Raises EventRefused.
        """
        ...

    def owns(self, event: ProviderEvent) -> bool:
        """Whether a proven message is about this store's account and mode. Default: False."""
        ...

    def resolved(self, event: ProviderEvent) -> ProviderEvent:
        """The message with the payment that it is about, if it names something else in its place (`related`). Default:
        the message as it is."""
        ...

    def scope_problem(self, event: ProviderEvent) -> str:
        """Why a message that is not this store's shows that the provider's endpoint is set up wrong: a sentence for the
        owner, "" if it does not show that. Default: ""."""
        ...

    def save_customer(self, details: CustomerDetails, customer: str | None, key: str) -> str:
        """Make a customer, or update the one with the id `customer`; returns its id. Within `replay_window` seconds the
        same key makes one."""
        ...

    def customer_site(self, customer: str) -> str | None:
        """The address of the store that a customer belongs to, as `save_customer` was told it (`site_url` of the
        metadata). `""` if nothing says it. Default: None, all customers of the account are this store's."""
        ...

    def payment_methods(self, customer: str) -> list[dict[str, Any]]:
        """The customer's saved payment methods, `[]` for a customer whom nobody knows.

        Stripe's objects with `id`, `type`, `billing_details` and the type's own.
        """
        ...

    def prepare_terminal(self, payment: Payment, methods: list[str], metadata: dict[str, Any]) -> dict[str, Any]:
        """Like `prepare`, for a payment that a card reader will confirm: `create` sends it, and takes no money.

        `methods` are of card_present, interac_present; `metadata` are the caller's. Raises Refused for other methods.
        """
        ...

    def connection_token(self) -> dict[str, Any]:
        """What a card reader's app needs to connect: `secret`, and whatever else the provider says."""
        ...

    def open(self, request: dict[str, Any], key: str) -> Opening:
        """Make a page at the provider where the buyer pays what `prepare` returned, in place of `create`.

        Each key makes a payment of its own; within `replay_window` seconds the same key opens the same payment. Which
        payment it has become is told by `receive`.
        """
        ...

    def preview(self, cart: Cart, customer: str) -> Quote:
        """What the cart would cost with the provider's tax. Makes nothing anywhere.

        An order that `prepare` or `create` would refuse for what is in it is refused in the same words.
        """
        ...

    def account_problem(self) -> str:
        """Ask the provider why the account cannot take payments: a sentence for the owner, "" if it can.

        Default: "".
        """
        ...

    def check(self) -> list[Finding]:
        """Whether the settings work, for `stores check`. Never moves money; never raises ProviderError. Default: one
        line, which says that nobody has tried."""
        ...

    def refused_settings(self) -> list[str]:
        """What the provider itself would refuse of the settings with every payment: a sentence each. Asked when they
        are set; never raises ProviderError, and says nothing if the provider cannot be asked. Default: `[]`."""
        ...


@runtime_checkable
class HasCurrency(Protocol):
    """An OrderBook of a store that has one currency of its own, whatever those of single orders are."""

    def currency(self) -> str:
        """Upper case. Raises StoreUnreachable, StoreRefused."""
        ...


@runtime_checkable
class NamesShop(Protocol):
    """An OrderBook whose orders other order books may have as well. One that does not say so is a shop of its own."""

    def shop(self, identity: str) -> str:
        """What the shop is called that holds the orders: order books that give the same name share them, so that an
        order is paid through one of them only. `identity` is what `identify` has just said."""
        ...


@dataclass(frozen=True, slots=True)
class StoreWebhook:
    """A webhook of a store, ours or not. `status` is active, paused (by staff) or disabled (by the store, after failed
    deliveries); `topics` are all that we want to hear of."""

    id: int
    topic: str
    status: str
    url: str
    topics: tuple[str, ...]


@runtime_checkable
class TellsByWebhooks(Protocol):
    """An OrderBook of a store that has webhooks, which it may switch off."""

    def webhooks(self) -> list[StoreWebhook]:
        """All that the store has. Raises StoreUnreachable, StoreRefused."""
        ...

    def enable_webhook(self, webhook_id: int) -> None:
        """Have it deliver again. Raises StoreUnreachable, StoreRefused."""
        ...


@runtime_checkable
class HasAddresses(Protocol):
    """An OrderBook of a store that may be called by several addresses."""

    def addresses(self) -> list[str]:
        """All that the store gives itself. Raises StoreUnreachable, StoreRefused."""
        ...


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What a store lets a key do: None for nothing, and why not, as a sentence. `is_unknown` if it seems to come from
    nobody: the store does not know the key, or does not see it."""

    permissions: Permissions | None
    problem: str = ""
    is_unknown: bool = False


@runtime_checkable
class HasKeys(Protocol):
    """An OrderBook of a store that has given the bridge a key, and others to its own clients."""

    def own_standing(self) -> KeyStanding:
        """Of the bridge's key, which has to read and change orders: `problem` has the sentences of `check`. Raises
        StoreUnreachable; StoreRefused if something else than the key stands in the way."""
        ...

    def standing_of(self, consumer_key: str, consumer_secret: str) -> KeyStanding:
        """Of another pair. Raises StoreUnreachable; StoreRefused if something else than the key stands in the way."""
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

    def receive(self, headers: Mapping[str, str], body: bytes, secret: str) -> StoreEvent | None:
        """Prove that the store sent a message and read it; None for one that is about nothing.

        Header names are lower case. Raises EventRefused.
        """
        ...

    def refunds(self, order_id: int) -> list[StoreRefund]:
        """The order's refunds in the store. Raises OrderNotFound, StoreUnreachable, StoreRefused."""
        ...

    def notes(self, order_id: int) -> list[OrderNote]:
        """The order's notes in the store. Raises OrderNotFound, StoreUnreachable, StoreRefused."""
        ...

    def register_webhooks(self, url: str, secret: str) -> list[str]:
        """Have the store tell `url` what happens to its orders, signed. One sentence per subscription."""
        ...

    def identify(self) -> str:
        """The site URL that the store gives itself. Raises StoreUnreachable, StoreRefused."""
        ...

    def check(self) -> list[Finding]:
        """Whether the store can be reached and is set up right. Never raises StoreError."""
        ...
