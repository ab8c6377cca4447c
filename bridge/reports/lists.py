"""What a store can look up beside its intents: authorizations, transactions, charges. All from our own tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bridge.domain.errors import IntentNotFound, InvalidParameter, RefundRefused
from bridge.domain.intents import Dispute, PaymentIntent, Refund
from bridge.domain.orders import Order
from bridge.payments.orders import read_order
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, intents, refunds, reports, transaction_filters
from bridge.storage.reports import Page, Sum
from bridge.storage.transaction_filters import Chosen, Filters
from bridge.storage.transactions import Line

__all__ = ["Line", "Page", "Sum"]

AUTHORIZATION_SORTS = {"created": "at", "date": "at", "modified": "changed", "capture_by": "at"}
TRANSACTION_SORTS = {
    "date": "at",
    "created": "at",
    "customer_amount": "amount",
    "customer_currency": "currency",
    "deposit_currency": "currency",
    "transaction_id": "id",
}
SORTED_BY_NAME = (
    "amount",
    "fees",
    "net",
    "currency",
    "order_id",
    "customer_name",
    "customer_email",
    "customer_country",
)
"""What lists can be sorted by: these by their own names, the others by the member of Line that has it."""
MAX_CUSTOMERS = 20
"""How many customers a search names at most."""
MAX_SEARCHED_CHARGES = 10_000
"""The customers of how many charges, the newest, a search looks at: it does not take longer when a store has sold
more."""

MAX_READ_LINES = 100_000
"""Lines of one kind that are read for a list of transactions: it does not take longer when a store has sold more. What
needs more is refused; what is found by an index needs no more than is shown."""


@dataclass(frozen=True, slots=True)
class ShownCharge:
    """A charge with its intent, and what of it was refunded or disputed."""

    intent: PaymentIntent
    refunds: list[Refund]
    disputes: list[Dispute]


@dataclass(frozen=True, slots=True)
class UnchargedOrder:
    """An order as the store has it now, and the newest intent that it has here, if any."""

    order: Order
    intent: PaymentIntent | None


def page_of(number: int, size: int, sort: str, direction: str, sorts: dict[str, str]) -> Page:
    """Which part of a list is wanted. Raises InvalidParameter, in the words of WooPayments' platform."""
    if direction.lower() not in ("asc", "desc"):
        raise InvalidParameter("direction", f"Error: Invalid sorting direction: {direction}")
    column = sorts.get(sort) or (sort if sort in SORTED_BY_NAME else None)
    if column is None:
        raise InvalidParameter("sort", f"Error: Invalid sorting field: {sort}")
    return Page(max(number, 1), size, column, direction.lower() == "desc")


def authorizations(store: StoreHandle, page: Page) -> list[Line]:
    """What waits to be captured."""
    with store.database.read() as connection:
        return reports.authorizations(connection, store.id, page)


def authorization(store: StoreHandle, name: str) -> Line:
    """The authorization of an intent, by any of its ids, whatever became of it. Raises IntentNotFound."""
    with store.database.read() as connection:
        intent = intents.find(connection, store.id, name)
        found = reports.authorization(connection, store.id, intent.id) if intent else None
    if found is None:
        raise IntentNotFound(f"No such authorization: '{name}'", id=name)
    return found


def authorization_sums(store: StoreHandle) -> list[Sum]:
    """What is left to capture, by currency; the one with the most authorizations first."""
    with store.database.read() as connection:
        return reports.authorized_sums(connection, store.id)


def transactions(store: StoreHandle, page: Page, filters: Filters) -> list[Line]:
    """Charges, refunds and disputes that `filters` (see `bridge.storage.transaction_filters.FILTERS`) let through.

    Raises InvalidParameter for what more than MAX_READ_LINES lines have to be read for.
    """
    is_near = page.sort == "at" and page.number * page.size <= MAX_READ_LINES
    with store.database.read() as connection:
        return reports.transactions(connection, page, _chosen(connection, store, filters, in_order=is_near))


def transaction(store: StoreHandle, name: str) -> Line:
    """By its own id, or the provider's of the charge, refund or dispute. Raises IntentNotFound."""
    with store.database.read() as connection:
        found = reports.transaction(connection, store.id, name)
    if found is None:
        raise IntentNotFound(f"No such transaction: '{name}'", id=name)
    return found


def transaction_sums(store: StoreHandle, filters: Filters) -> list[Sum]:
    """The same as `transactions` by currency; the one with the most transactions first. Raises InvalidParameter."""
    with store.database.read() as connection:
        return reports.transaction_sums(connection, _chosen(connection, store, filters, in_order=False))


def suggestions(store: StoreHandle, term: str) -> list[str]:
    """What `transactions` could be searched for: the order with this number, customers whose name or address has it."""
    if not term.strip():
        return []
    with store.database.read() as connection:
        has_order = bool(transaction_filters.intents_of(connection, store.id, term))
        customers = reports.customers(connection, store.id, term, MAX_CUSTOMERS, MAX_SEARCHED_CHARGES)
    return [f"Order #{term}"] * has_order + [f"{name} ({email})" for name, email in customers]


def charge(store: StoreHandle, charge_id: str) -> ShownCharge:
    """A charge by the provider's id. Raises IntentNotFound."""
    with store.database.read() as connection:
        intent = intents.by_charge(connection, store.id, charge_id)
        if intent is None:
            raise IntentNotFound(f"No such charge: '{charge_id}'", id=charge_id)
        return _shown(connection, intent, charge_id)


def charge_of(services: Services, intent: PaymentIntent) -> ShownCharge | None:
    """The charge that an intent has, if it has one."""
    if intent.charge is None:
        return None
    with services.database.read() as connection:
        return _shown(connection, intent, intent.charge.id)


def order_without_charge(store: StoreHandle, order_id: int) -> UnchargedOrder:
    """For an order that may never have been charged. Raises OrderMissing or StoreError."""
    order = read_order(store, order_id)
    with store.database.read() as connection:
        names = reports.intents_of_order(connection, store.id, order.id)
        return UnchargedOrder(order, intents.get(connection, names[-1]) if names else None)


def intent_of_refund(store: StoreHandle, refund: Refund) -> PaymentIntent:
    """Whose money was refunded. Raises RefundRefused for a charge that is not here."""
    with store.database.read() as connection:
        intent = intents.by_charge(connection, store.id, refund.charge_id)
    if intent is None:
        raise RefundRefused(f"Error: No such charge: '{refund.charge_id}'")
    return intent


def _chosen(connection: Connection, store: StoreHandle, filters: Filters, *, in_order: bool) -> Chosen:
    """`in_order`: the first ones by date are enough."""
    chosen = transaction_filters.choose(connection, store.id, filters)
    is_short = chosen.intents is not None or (in_order and chosen.is_found_by_index)
    if not is_short and chosen.are_more_than(connection, MAX_READ_LINES):
        why = f"More than {MAX_READ_LINES:,} transactions would have to be read for that"
        raise InvalidParameter("date_between", f"Error: {why}: choose fewer by date_between, or by order_id.")
    return chosen


def _shown(connection: Connection, intent: PaymentIntent, charge_id: str) -> ShownCharge:
    made, disputed = refunds.of_intent(connection, intent.id), reports.disputes_of(connection, intent.id)
    return ShownCharge(intent, _of(made, charge_id), _of(disputed, charge_id))


def _of(things: Iterable[Any], charge_id: str) -> list[Any]:
    return [thing for thing in things if thing.charge_id == charge_id]
