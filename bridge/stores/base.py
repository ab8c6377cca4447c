"""What an order book of a host's own need not write: subclass it, and override what yours can."""

# ruff: noqa: ARG002 arguments of methods that answer the same to everybody

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, cast

from bridge.domain import judgement
from bridge.domain.errors import EventRefused, Unsupported
from bridge.domain.orders import Order, OrderNote, OrderUpdate, StoreEvent, StoreRefund, UpdateKind
from bridge.domain.ports import OrderBook


class BaseOrderBook:
    """Everything of `bridge.domain.ports.OrderBook` but `read`, `deliver`, `identify` and `check`.

    Its orders send no messages: the bridge reads those of open and paid payments in intervals. They list no refunds
    and no notes, so that nobody compares these.
    """

    def receive(self, headers: Mapping[str, str], body: bytes, secret: str) -> StoreEvent | None:
        """No message can be proven. Raises EventRefused."""
        raise EventRefused("This store does not send messages about its orders.")

    def register_webhooks(self, url: str, secret: str) -> list[str]:
        """There is nothing to subscribe to."""
        return []

    def refunds(self, order_id: int) -> list[StoreRefund]:
        """They cannot be listed: `Order.refunded` stays 0, and `reconcile` leaves refunds out. Raises Unsupported."""
        raise Unsupported("A list of refunds", type(self).__name__)

    def notes(self, order_id: int) -> list[OrderNote]:
        """There are none."""
        return []

    def misfit(self, order: Order, update: OrderUpdate, *, rounds: bool = False) -> str:
        """Why the order cannot take the payment of a PAID or AUTHORIZED update as it stands, as the end of a sentence
        that begins with the order; "" if it can.

        It is the bridge's own judge (rule 7): money for an order that is canceled, changed or paid otherwise is a
        person's to look at, and pays nothing by itself. `rounds` is the store's option rounding=half_up.
        """
        held = update.kind is UpdateKind.AUTHORIZED
        found = judgement.misfit(order, judgement.terms_of_update(update, rounds=rounds), held=held)
        return found.words if found else ""


_DEFAULTS = ("receive", "register_webhooks", "refunds", "notes")


def completed(book: OrderBook) -> OrderBook:
    """`book`, with the answers of BaseOrderBook where its class, which does not derive from it, has none."""
    if all(hasattr(book, name) for name in _DEFAULTS):
        return book
    defaults: Mapping[str, Callable[..., Any]] = {name: getattr(_named_as(book), name) for name in _DEFAULTS}
    members = {name: getattr(book, name) for name in dir(book) if not name.startswith("_")}
    methods = {name: member for name, member in members.items() if callable(member)}
    return cast("OrderBook", SimpleNamespace(**{**defaults, **methods}))


def _named_as(book: OrderBook) -> BaseOrderBook:
    """A base whose errors name the class of the book."""
    return cast("BaseOrderBook", type(type(book).__name__, (BaseOrderBook,), {})())
