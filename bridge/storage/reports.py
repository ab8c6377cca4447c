"""Lists of one store's money: authorisations, and transactions (charges, refunds, disputes). Looking only.

A page is the best of each kind's best rows, so that what lies behind it does not count; of what lies before it, only
what it is sorted by is read.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, union_all

from bridge.domain.intents import Dispute
from bridge.storage.compiled import Connection, Row
from bridge.storage.payment_tables import charges, disputes, intents, refunds
from bridge.storage.shops import shop_of
from bridge.storage.transaction_filters import Chosen, holds
from bridge.storage.transactions import REVERSAL, Line, authorized, branches, of_charges, whole

Parameters = Mapping[str, Any]


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
    waiting = authorized(charges.c.amount)
    whole_ones = waiting.where(charges.c.id.in_(bindparam("keys", expanding=True)))
    return _page(connection, [waiting], lambda _kind: whole_ones, page, {"store": store_id})


def authorization(connection: Connection, store_id: str, intent_id: str) -> Line | None:
    """Of an intent by our own id, whatever became of it. None if it was charged at once, or not at all."""
    query = of_charges(charges.c.amount).where(
        intents.c.id == intent_id, intents.c.capture == "manual", charges.c.status != "failed"
    )
    row = connection.execute(query.order_by(charges.c.created.desc()).limit(1), {"store": store_id}).first()
    return _line(row) if row else None


def authorized_sums(connection: Connection, store_id: str) -> list[Sum]:
    """What is left to capture."""
    return _sums(connection, [authorized(charges.c.amount - charges.c.amount_captured)], {"store": store_id})


def transactions(connection: Connection, page: Page, chosen: Chosen) -> list[Line]:
    return _page(connection, chosen.lines(), whole, page, chosen.parameters)


def transaction(connection: Connection, store_id: str, name: str) -> Line | None:
    """By the id that is shown, or the provider's id of the charge, refund or dispute."""
    of_kind = branches()
    queries = [
        of_kind["charge"].where(charges.c.id == name),
        of_kind["charge"].where(charges.c.balance_transaction == name),
        of_kind["refund"].where(or_(refunds.c.reference == name, refunds.c.id == name)),
        of_kind["dispute"].where(disputes.c.id == name),
    ]
    if name.endswith(REVERSAL):
        queries.append(of_kind["dispute_reversal"].where(disputes.c.id == name.removesuffix(REVERSAL)))
    for query in queries:
        if row := connection.execute(query.limit(1), {"store": store_id}).first():
            return _line(row)
    return None


def transaction_sums(connection: Connection, chosen: Chosen) -> list[Sum]:
    return _sums(connection, chosen.lines(), chosen.parameters)


def customers(connection: Connection, store_id: str, term: str, limit: int, newest: int) -> list[tuple[str, str]]:
    """Names and addresses of customers whose name or address holds the term, among those of the `newest` charges."""
    recent = of_charges(charges.c.amount).order_by(charges.c.created.desc()).limit(newest).subquery().c
    query = (
        select(recent.customer_name, recent.customer_email)
        .where(holds(recent.customer_name, term) | holds(recent.customer_email, term))
        .distinct()
        .order_by(recent.customer_name, recent.customer_email)
        .limit(limit)
    )
    return [(row.customer_name, row.customer_email) for row in connection.execute(query, {"store": store_id})]


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


def _page(
    connection: Connection,
    lines: list[Select[Any]],
    with_keys: Callable[[str], Select[Any]],
    page: Page,
    wanted: Parameters,
) -> list[Line]:
    """The lines that are on the page; `with_keys` has all that a line of a kind has."""
    if not lines:
        return []
    of_page = _keys(lines, page)
    keys = [(row.kind, row.key) for row in connection.execute(of_page, wanted)]
    found: dict[tuple[str, str], Line] = {}
    for kind in sorted({kind for kind, _ in keys}):
        of_kind = {**wanted, "keys": [key for each, key in keys if each == kind]}
        found |= {(row.kind, row.key): _line(row) for row in connection.execute(with_keys(kind), of_kind)}
    return [found[key] for key in keys if key in found]


def _keys(lines: list[Select[Any]], page: Page) -> Select[Any]:
    """Kinds and keys of the lines on a page, in its order."""
    offset = (page.number - 1) * page.size
    names = dict.fromkeys((page.sort, "at", "kind", "id"))

    def best(of_kind: Any, limit: int) -> Select[Any]:
        columns = [of_kind[name] for name in names]
        order = [column.desc() if page.descending else column.asc() for column in columns]
        return select(*columns, of_kind.key).order_by(*order).limit(limit)

    of_all = union_all(*(select(best(each.subquery().c, offset + page.size).subquery()) for each in lines))
    return best(of_all.subquery().c, page.size).offset(offset)


def _sums(connection: Connection, lines: Iterable[Select[Any]], wanted: Parameters) -> list[Sum]:
    """One for each currency, that with the most lines first."""
    summed = [(each.c.currency, each.c.amount, each.c.fees) for each in (line.subquery() for line in lines)]
    if not summed:
        return []
    rows = union_all(*(select(*columns) for columns in summed)).subquery().c
    count = func.count()
    query = (
        select(rows.currency, count.label("lines"), func.sum(rows.amount).label("amount"), func.sum(rows.fees))
        .group_by(rows.currency)
        .order_by(count.desc(), rows.currency)
    )
    found = connection.execute(query, wanted)
    return [Sum(currency, lines, int(amount), int(fees)) for currency, lines, amount, fees in found]


def _line(row: Row) -> Line:
    return Line(**row._mapping)
