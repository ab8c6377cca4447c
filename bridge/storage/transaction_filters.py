"""What transactions are chosen by, and how much has to be read to choose them.

A list in the order of its dates is read from an index, as far as it is wanted; so are the lines of payments that a
filter names by an order or an id. Anything else reads all that the filters of date leave.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, bindparam, func, literal_column, or_, select, union

from bridge.domain.orders import is_order_id
from bridge.storage.compiled import Connection
from bridge.storage.payment_tables import OWN_NUMBER, charges, disputes, intents, refunds
from bridge.storage.shops import shop_of
from bridge.storage.transactions import REVERSAL, lines

Filters = Mapping[str, Any]
DATES: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "date_before": lambda at, moment: at < moment,
    "date_after": lambda at, moment: at > moment,
    "date_between": lambda at, ends: at.between(*ends),
}
KINDS = frozenset({"type_is", "type_is_not"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the filters let through: of each kind of line those that meet `wanted`, all or any of it. If `intents` is
    not None, no other payments have any."""

    store_id: str
    wanted: Filters
    is_any: bool
    intents: list[str] | None

    @property
    def is_found_by_index(self) -> bool:
        """In the order of dates, without looking at what is left out."""
        return self.intents is not None or (not self.is_any and self.wanted.keys() <= DATES.keys() | KINDS)

    @property
    def parameters(self) -> dict[str, Any]:
        return {"store": self.store_id} | ({} if self.intents is None else {"intents": self.intents})

    def lines(self) -> list[Select[Any]]:
        """By kind; those kinds are left out that no line can be of."""
        together: Callable[..., ColumnElement[bool]] = or_ if self.is_any else and_
        wanted = {name: value for name, value in self.wanted.items() if self.is_any or name not in KINDS}

        def meets(of_kind: Subquery) -> Select[Any]:
            conditions = [FILTERS[name](of_kind.c, value) for name, value in wanted.items()]
            return select(of_kind).where(together(*conditions)) if conditions else select(of_kind)

        return [
            meets(of_kind)
            for kind, of_kind in lines(of_intents=self.intents is not None).items()
            if self.is_any or self._may_be(kind)
        ]

    def are_more_than(self, connection: Connection, most: int) -> bool:
        """Whether the store has more lines of one kind than that within the dates. It counts no further; disputes count
        whatever their dates, because they have two."""
        dated = {name: value for name, value in self.wanted.items() if name in DATES and not self.is_any}
        read: dict[str, tuple[Any, Filters]] = {
            "charge": (charges, dated),
            "refund": (refunds, dated),
            "dispute": (disputes, {}),
            "dispute_reversal": (disputes, {}),
        }
        asked = [
            select(table.c.created)
            .where(table.c.store_id == bindparam("store"))
            .where(*(DATES[name](table.c.created, value) for name, value in dates.items()))
            .offset(most)
            .limit(1)
            for kind, (table, dates) in read.items()
            if self.is_any or self._may_be(kind)
        ]
        return any(connection.execute(query, {"store": self.store_id}).first() for query in asked)

    def _may_be(self, kind: str) -> bool:
        return kind in self.wanted.get("type_is", [kind]) and kind not in self.wanted.get("type_is_not", [])


def choose(connection: Connection, store_id: str, filters: Filters) -> Chosen:
    """`filters` are names of FILTERS with what they want, and `match`: any or all of them.

    A term of `search` that is the id of something finds just that, and is not looked for in names.
    """
    wanted = {name: value for name, value in filters.items() if name in FILTERS}
    is_any = filters.get("match") == "any" and len(wanted) > 1
    naming = wanted.keys() & {"order_id", "search"}
    named = [_named(connection, store_id, name, wanted[name]) for name in sorted(naming)]
    known = [each for each in named if each is not None]
    if not known or (is_any and (len(known) < len(named) or naming != wanted.keys())):
        return Chosen(store_id, wanted, is_any, None)
    found = set.union(*known) if is_any else set.intersection(*known)
    return Chosen(store_id, wanted, is_any, sorted(found))


def intents_of(connection: Connection, store_id: str, order: str) -> set[str]:
    """Our own ids of the intents of orders with just this number, or this id."""
    wanted = {"store": store_id, "number": order}
    if is_order_id(order):
        return set(connection.execute(_OF_ORDER, {**wanted, "order": int(order)}).scalars())
    return set(connection.execute(_OF_NUMBER, wanted).scalars())


def holds(column: ColumnElement[str], term: str) -> ColumnElement[bool]:
    """Whether the term is part of it, in upper or lower case."""
    return func.lower(column).contains(term.lower(), autoescape=True)


def _named(connection: Connection, store_id: str, name: str, value: Any) -> set[str] | None:
    """Whose lines alone the filter can let through; None if it has to be tried on each."""
    if name == "order_id":
        return intents_of(connection, store_id, str(value))
    found: set[str] = set()
    for term in value:
        order = _order(term)
        of_term = intents_of(connection, store_id, order) if order else _with_id(connection, store_id, term)
        if not order and not of_term:
            return None
        found |= of_term
    return found


def _with_id(connection: Connection, store_id: str, name: str) -> set[str]:
    wanted = {"store": store_id, "name": name, "disputed": name.removesuffix(REVERSAL)}
    return set(connection.execute(_WITH_ID, wanted).scalars())


def _order(term: str) -> str | None:
    """The number in `Order #12`."""
    found = re.fullmatch(r"order #\s*(\S+)", term, re.IGNORECASE)
    return found[1] if found else None


def _found(line: Any, term: str) -> ColumnElement[bool]:
    """`Order #12`, part of a customer's name or address, or an id as a whole."""
    if order := _order(term):
        is_number: ColumnElement[bool] = line.order_number == order
        return or_(is_number, line.order_id == int(order)) if is_order_id(order) else is_number
    ids = [column == term for column in (line.id, line.charge, line.intent)]
    return or_(holds(line.customer_name, term), holds(line.customer_email, term), *ids)


_of_store = intents.c.store_id == bindparam("store")
_of_its_own: ColumnElement[bool] = literal_column(OWN_NUMBER)
_has_number = (intents.c.order_number == bindparam("number"), _of_its_own)
_OF_NUMBER = select(intents.c.id).where(*_has_number, _of_store)
_has_order_id = (intents.c.order_id == bindparam("order"), intents.c.shop_id == shop_of("store"))
_OF_ORDER = union(_OF_NUMBER, select(intents.c.id).where(*_has_order_id, _of_store))
_WITH_ID = union(
    select(intents.c.id).where(_of_store, intents.c.id == bindparam("name")),
    select(intents.c.id).where(_of_store, intents.c.public_id == bindparam("name")),
    *(
        select(table.c.intent_id).where(table.c.store_id == bindparam("store"), column == bindparam(name))
        for table, column, name in (
            (charges, charges.c.id, "name"),
            (charges, charges.c.balance_transaction, "name"),
            (refunds, refunds.c.id, "name"),
            (refunds, refunds.c.reference, "name"),
            (disputes, disputes.c.id, "disputed"),
        )
    ),
)

FILTERS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "date_before": lambda line, at: DATES["date_before"](line.at, at),
    "date_after": lambda line, at: DATES["date_after"](line.at, at),
    "date_between": lambda line, ends: DATES["date_between"](line.at, ends),
    "order_id": lambda line, order_id: line.order_id == order_id,
    "type_is": lambda line, kinds: line.kind.in_(kinds),
    "type_is_not": lambda line, kinds: line.kind.not_in(kinds),
    "channel_is": lambda line, channels: line.channel.in_(channels),
    "channel_is_not": lambda line, channels: line.channel.not_in(channels),
    "customer_country_is": lambda line, countries: line.customer_country.in_(countries),
    "customer_country_is_not": lambda line, countries: line.customer_country.not_in(countries),
    "customer_currency_is": lambda line, currencies: line.currency.in_(currencies),
    "customer_currency_is_not": lambda line, currencies: line.currency.not_in(currencies),
    "store_currency_is": lambda line, currencies: line.currency.in_(currencies),
    "risk_level_is": lambda line, levels: line.risk.in_(levels),
    "risk_level_is_not": lambda line, levels: line.risk.not_in(levels),
    "search": lambda line, terms: or_(*(_found(line, term) for term in terms)),
}
"""What transactions can be chosen by. Times are Unix seconds; what is a list may hold any of its members."""
