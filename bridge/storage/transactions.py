"""Lines of the lists of a store's money, as selects: what each has, what they come from, what they are chosen by."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, literal, or_, select, text

from bridge.domain.orders import is_order_id
from bridge.storage.payment_tables import charges, disputes, intents, refunds

REVERSAL = "_reversal"
"""At the end of the id of a line that gives the money of a dispute back."""
Filters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """Money that moved or was set aside, with the intent and the charge that it belongs to.

    `amount` and `fees` are minor units of `currency`, negative for money that went out. `at`, and the intent's
    `created` and `changed`, are Unix seconds. `intent` is the id that is shown; `kind` is charge, refund, dispute or
    dispute_reversal.
    """

    kind: str
    id: str
    at: float
    amount: int
    fees: int
    net: int
    currency: str
    intent: str
    order_id: int
    order_number: str
    channel: str
    created: float
    changed: float
    charge: str
    amount_captured: int
    amount_refunded: int
    captured: bool
    charge_status: str
    payment_method_type: str
    card: dict[str, Any] | None
    risk: int
    customer_name: str
    customer_email: str
    customer_country: str


def of_charges(store_id: str, amount: ColumnElement[int]) -> Select[Any]:
    """All charges of a store, but for those that somebody else made; `amount` is which of theirs the lines have."""
    return _charged(amount).where(charges.c.store_id == store_id, ~intents.c.only_known)


def authorized(store_id: str, amount: ColumnElement[int]) -> Select[Any]:
    """What waits to be captured, as above. The status stands in the text, as in the index that has just these."""
    return (
        _charged(amount)
        .where(
            intents.c.store_id == store_id, text("intents.status = 'requires_capture'"), charges.c.status != "failed"
        )
        .where(~intents.c.only_known)
    )


def branches(store_id: str) -> list[Select[Any]]:
    """Charges, refunds, disputes and won disputes of a store. Inquiries and failed refunds moved nothing."""
    nothing: ColumnElement[int] = literal(0)
    refund_id = func.coalesce(refunds.c.reference, refunds.c.id)
    refunded = _columns("refund", refund_id, refunds.c.created, -refunds.c.amount, nothing)
    own = func.coalesce(func.nullif(disputes.c.currency, ""), intents.c.currency)
    disputed = _columns("dispute", disputes.c.id, disputes.c.created, -disputes.c.amount, nothing, own)
    back = disputes.c.id + REVERSAL
    reversed_ = _columns("dispute_reversal", back, disputes.c.closed, disputes.c.amount, nothing, own)
    no_money = [disputes.c.status.not_like("warning%"), disputes.c.status != "prevented"]
    return [
        of_charges(store_id, charges.c.amount_captured).where(charges.c.captured),
        _joined(refunded, refunds, store_id).where(refunds.c.status.in_(["pending", "succeeded"])),
        _joined(disputed, disputes, store_id).where(*no_money),
        _joined(reversed_, disputes, store_id).where(disputes.c.status == "won"),
    ]


def filtered(store_id: str, filters: Filters) -> list[Subquery]:
    """What of `branches` the filters let through."""
    together: Callable[..., ColumnElement[bool]] = or_ if filters.get("match") == "any" else and_
    lines = [branch.subquery() for branch in branches(store_id)]
    wanted = {name: value for name, value in filters.items() if name in FILTERS}
    if not wanted:
        return lines
    return [
        select(of_kind).where(together(*(FILTERS[name](of_kind.c, value) for name, value in wanted.items()))).subquery()
        for of_kind in lines
    ]


def holds(column: ColumnElement[str], term: str) -> ColumnElement[bool]:
    """Whether the term is part of it, in upper or lower case."""
    return func.lower(column).contains(term.lower(), autoescape=True)


def _charged(amount: ColumnElement[int]) -> Select[Any]:
    id_ = func.coalesce(charges.c.balance_transaction, charges.c.id)
    columns = _columns("charge", id_, charges.c.created, amount, func.coalesce(charges.c.application_fee_amount, 0))
    return select(*columns).join_from(charges, intents, charges.c.intent_id == intents.c.id)


def _named(path: tuple[str, ...], otherwise: str) -> ColumnElement[str]:
    """What the charge's billing details say, else the order's."""
    of_order = intents.c.metadata[otherwise].as_string() if otherwise else literal("")
    return func.coalesce(func.nullif(charges.c.billing_details[path].as_string(), ""), of_order, "")


def _columns(
    kind: str,
    id_: ColumnElement[str],
    at: ColumnElement[Any],
    amount: ColumnElement[int],
    fees: ColumnElement[int],
    currency: ColumnElement[str] = intents.c.currency,
) -> list[ColumnElement[Any]]:
    outcome = charges.c.outcome["risk_level"].as_string()
    columns = {
        "kind": literal(kind),
        "id": id_,
        "at": at,
        "amount": amount,
        "fees": fees,
        "net": amount - fees,
        "currency": currency.label("currency"),
        "intent": func.coalesce(intents.c.public_id, intents.c.id),
        "order_id": intents.c.order_id,
        "order_number": intents.c.order_number,
        "channel": intents.c.channel,
        "created": intents.c.created,
        "changed": intents.c.updated,
        "charge": charges.c.id,
        "amount_captured": charges.c.amount_captured,
        "amount_refunded": charges.c.amount_refunded,
        "captured": charges.c.captured,
        "charge_status": charges.c.status,
        "payment_method_type": charges.c.payment_method_type,
        "card": charges.c.card,
        "risk": case((outcome == "elevated", 1), (outcome == "highest", 2), else_=0),
        "customer_name": _named(("name",), "customer_name"),
        "customer_email": _named(("email",), "customer_email"),
        "customer_country": _named(("address", "country"), ""),
    }
    return [column.label(name) for name, column in columns.items()]


def _joined(columns: list[ColumnElement[Any]], table: Any, store_id: str) -> Select[Any]:
    of_charge = and_(charges.c.store_id == table.c.store_id, charges.c.id == table.c.charge_id)
    return (
        select(*columns)
        .join_from(table, charges, of_charge)
        .join(intents, table.c.intent_id == intents.c.id)
        .where(table.c.store_id == store_id, ~intents.c.only_known)
    )


def _found(line: Any, term: str) -> ColumnElement[bool]:
    """`Order #12`, part of a customer's name or address, or an id as a whole."""
    if order := re.fullmatch(r"order #\s*(\S+)", term, re.IGNORECASE):
        is_number: ColumnElement[bool] = line.order_number == order[1]
        return or_(is_number, line.order_id == int(order[1])) if is_order_id(order[1]) else is_number
    ids = [column == term for column in (line.id, line.charge, line.intent)]
    return or_(holds(line.customer_name, term), holds(line.customer_email, term), *ids)


FILTERS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "date_before": lambda line, at: line.at < at,
    "date_after": lambda line, at: line.at > at,
    "date_between": lambda line, ends: line.at.between(*ends),
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
