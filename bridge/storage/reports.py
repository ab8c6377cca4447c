"""Lists of one store's money: authorisations, and transactions (charges, refunds, disputes). Looking only.

A page is the best of each kind's best rows, so that what lies behind it does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, func, or_, select, union_all

from bridge.domain.intents import Dispute
from bridge.domain.orders import is_order_id
from bridge.storage.payment_tables import charges, disputes, intents, refunds
from bridge.storage.shops import shop_of
from bridge.storage.transactions import REVERSAL, Filters, Line, authorized, branches, filtered, holds, of_charges


@dataclass(frozen=True, slots=True)
class Sum:
    """How many lines there are in one currency, and what they add up to in minor units."""

    currency: str
    count: int
    amount: int
    fees: int


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: `number` from 1, `sort` a member of Line."""

    number: int
    size: int
    sort: str
    descending: bool


def authorizations(connection: Connection, store_id: str, page: Page) -> list[Line]:
    """What waits to be captured, with all that was authorised."""
    return _page(connection, [authorized(store_id, charges.c.amount).subquery()], page)


def authorization(connection: Connection, store_id: str, intent_id: str) -> Line | None:
    """Of an intent by our own id, whatever became of it. None if it was charged at once, or not at all."""
    query = of_charges(store_id, charges.c.amount).where(
        intents.c.id == intent_id, intents.c.capture == "manual", charges.c.status != "failed"
    )
    row = connection.execute(query.order_by(charges.c.created.desc()).limit(1)).first()
    return _line(row) if row else None


def authorized_sums(connection: Connection, store_id: str) -> list[Sum]:
    """What is left to capture."""
    return _sums(connection, [authorized(store_id, charges.c.amount - charges.c.amount_captured).subquery()])


def transactions(connection: Connection, store_id: str, page: Page, filters: Filters) -> list[Line]:
    """`filters` are names of FILTERS with what they want, and `match`: any or all of them."""
    return _page(connection, filtered(store_id, filters), page)


def transaction(connection: Connection, store_id: str, name: str) -> Line | None:
    """By the id that is shown, or the provider's id of the charge, refund or dispute."""
    charged, refunded, disputed, reversed_ = branches(store_id)
    queries = (
        charged.where(charges.c.id == name),
        charged.where(charges.c.balance_transaction == name),
        refunded.where(or_(refunds.c.reference == name, refunds.c.id == name)),
        disputed.where(disputes.c.id == name),
        reversed_.where(disputes.c.id == name.removesuffix(REVERSAL)) if name.endswith(REVERSAL) else None,
    )
    for query in queries:
        if query is not None and (row := connection.execute(query.limit(1)).first()):
            return _line(row)
    return None


def transaction_sums(connection: Connection, store_id: str, filters: Filters) -> list[Sum]:
    return _sums(connection, filtered(store_id, filters))


def customers(connection: Connection, store_id: str, term: str, limit: int, newest: int) -> list[tuple[str, str]]:
    """Names and addresses of customers whose name or address holds the term, among those of the `newest` charges."""
    recent = of_charges(store_id, charges.c.amount).order_by(charges.c.created.desc()).limit(newest).subquery().c
    query = (
        select(recent.customer_name, recent.customer_email)
        .where(holds(recent.customer_name, term) | holds(recent.customer_email, term))
        .distinct()
        .order_by(recent.customer_name, recent.customer_email)
        .limit(limit)
    )
    return [(row.customer_name, row.customer_email) for row in connection.execute(query)]


def knows_order(connection: Connection, store_id: str, number: str) -> bool:
    """Whether there is an intent of an order with this number or id."""
    named = intents.c.order_number == number
    if is_order_id(number):
        named = or_(named, intents.c.order_id == int(number))
    return connection.execute(select(intents.c.id).where(intents.c.store_id == store_id, named)).first() is not None


def intents_of_order(connection: Connection, store_id: str, order_id: int) -> list[str]:
    """Our own ids of the intents of one order, oldest first."""
    of_order = (intents.c.shop_id == shop_of("store"), intents.c.order_id == order_id, intents.c.store_id == store_id)
    query = select(intents.c.id).where(*of_order).order_by(intents.c.created)
    return list(connection.execute(query, {"store": store_id}).scalars())


def disputes_of(connection: Connection, intent_id: str) -> list[Dispute]:
    """Oldest first."""
    columns = [disputes.c[f.name] for f in fields(Dispute)]
    query = select(*columns).where(disputes.c.intent_id == intent_id).order_by(disputes.c.created, disputes.c.id)
    return [Dispute(**row._mapping) for row in connection.execute(query)]


def _page(connection: Connection, lines: Iterable[Subquery], page: Page) -> list[Line]:
    offset = (page.number - 1) * page.size

    def best(of_kind: Subquery, limit: int) -> Select[Any]:
        order = [of_kind.c[name] for name in (page.sort, "at", "kind", "id")]
        return select(of_kind).order_by(*(c.desc() if page.descending else c.asc() for c in order)).limit(limit)

    of_all = union_all(*(select(best(of_kind, offset + page.size).subquery()) for of_kind in lines)).subquery()
    return [_line(row) for row in connection.execute(best(of_all, page.size).offset(offset))]


def _sums(connection: Connection, lines: Iterable[Subquery]) -> list[Sum]:
    """One for each currency, that with the most lines first."""
    rows = union_all(*(select(each.c.currency, each.c.amount, each.c.fees) for each in lines)).subquery().c
    count = func.count()
    query = (
        select(rows.currency, count.label("lines"), func.sum(rows.amount).label("amount"), func.sum(rows.fees))
        .group_by(rows.currency)
        .order_by(count.desc(), rows.currency)
    )
    return [Sum(currency, lines, int(amount), int(fees)) for currency, lines, amount, fees in connection.execute(query)]


def _line(row: Row[Any]) -> Line:
    return Line(**row._mapping)
