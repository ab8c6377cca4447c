"""Lines of the lists of a store's money, as selects: what each has, and what they come from.

The store is the parameter `store` of every statement.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
)

from bridge.storage.payment_tables import charges, disputes, intents, refunds
from bridge.storage.tables import EMPTY, word

REVERSAL = "_reversal"
"""At the end of the id of a line that gives the money of a dispute back."""
TABLES = {"charge": charges, "refund": refunds, "dispute": disputes, "dispute_reversal": disputes}
"""What lines of a kind are rows of."""
_STORE: BindParameter[str] = bindparam("store")


@dataclass(frozen=True, slots=True)
class Line:
    """Money that moved or was set aside, with the intent and the charge that it belongs to.

    `amount` and `fees` are minor units of `currency`, negative for money that went out. `at`, and the intent's
    `created` and `changed`, are Unix seconds. `intent` is the id that is shown; `kind` is charge, refund, dispute or
    dispute_reversal, `key` what its row is known by in its own table.
    """

    kind: str
    key: str
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


def of_charges(amount: ColumnElement[int]) -> Select[Any]:
    """All charges of a store, but for those that somebody else made; `amount` is which of theirs the lines have."""
    return _charged(amount).where(charges.c.store_id == _STORE, ~intents.c.only_known)


def authorized(amount: ColumnElement[int]) -> Select[Any]:
    """What waits to be captured, as above. The status stands in the text, as in the index that has just these."""
    return (
        _charged(amount)
        .where(intents.c.store_id == _STORE, text("intents.status = 'requires_capture'"), charges.c.status != "failed")
        .where(~intents.c.only_known)
    )


@cache
def branches(*, of_intents: bool = False) -> dict[str, Select[Any]]:
    """Charges, refunds, disputes and won disputes of a store, by their kinds. Inquiries and failed refunds moved
    nothing. With `of_intents` only those of the parameter `intents`, a list of our own ids, and found by these."""
    return {kind: query.where(*_scope(TABLES[kind], of_intents=of_intents)) for kind, query in _kinds().items()}


@cache
def _kinds() -> dict[str, Select[Any]]:
    """The same of all stores."""
    refund_id = func.coalesce(refunds.c.reference, refunds.c.id)
    back = disputes.c.id + REVERSAL
    no_money = [disputes.c.status.not_like("warning%"), disputes.c.status != "prevented"]
    is_won = disputes.c.status == word("won")
    return {
        "charge": _charged(charges.c.amount_captured).where(charges.c.captured),
        "refund": _refunded(refund_id).where(refunds.c.status.in_(["pending", "succeeded"])),
        "dispute": _disputed("dispute", disputes.c.id, disputes.c.created, -1).where(*no_money),
        "dispute_reversal": _disputed("dispute_reversal", back, disputes.c.closed, 1).where(is_won),
    }


@cache
def whole(kind: str) -> Select[Any]:
    """Of those lines the ones of a kind with the parameter `keys` (see `Line.key`), a list."""
    table = TABLES[kind]
    wanted = (table.c.id.in_(bindparam("keys", expanding=True)), ~intents.c.only_known)
    by_id_alone = table is refunds
    of_store = _is_of_store_too(table.c.store_id) if by_id_alone else table.c.store_id == _STORE
    return _kinds()[kind].where(of_store, *wanted)


def _is_of_store_too(column: ColumnElement[str]) -> ColumnElement[bool]:
    """For rows that something else finds: SQLite, which keeps no statistics of its own accord, would rather read all
    rows of a store than look up more than ten by their keys. So it sees no column to look up here."""
    return (column + EMPTY) == _STORE


def _scope(table: Any, *, of_intents: bool) -> tuple[ColumnElement[bool], ...]:
    if of_intents:
        chosen = intents.c.id.in_(bindparam("intents", expanding=True))
        return chosen, _is_of_store_too(intents.c.store_id), ~intents.c.only_known
    return table.c.store_id == _STORE, ~intents.c.only_known


@cache
def lines(*, of_intents: bool = False) -> dict[str, Subquery]:
    """The same, to choose from."""
    return {kind: query.subquery() for kind, query in branches(of_intents=of_intents).items()}


def _charged(amount: ColumnElement[int]) -> Select[Any]:
    id_ = func.coalesce(charges.c.balance_transaction, charges.c.id)
    fees = func.coalesce(charges.c.application_fee_amount, 0)
    columns = _columns("charge", charges.c.id, id_, charges.c.created, amount, fees)
    return select(*columns).join_from(charges, intents, charges.c.intent_id == intents.c.id)


def _named(path: tuple[str, ...], otherwise: str) -> ColumnElement[str]:
    """What the charge's billing details say, else the order's."""
    of_order = intents.c.metadata[otherwise].as_string() if otherwise else literal("")
    return func.coalesce(func.nullif(charges.c.billing_details[path].as_string(), ""), of_order, "")


def _columns(
    kind: str,
    key: ColumnElement[str],
    id_: ColumnElement[str],
    at: ColumnElement[Any],
    amount: ColumnElement[int],
    fees: ColumnElement[int],
    currency: ColumnElement[str] = intents.c.currency,
) -> list[ColumnElement[Any]]:
    outcome = charges.c.outcome["risk_level"].as_string()
    columns = {
        "kind": literal(kind),
        "key": key,
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


def _refunded(id_: ColumnElement[str]) -> Select[Any]:
    nothing: ColumnElement[int] = literal(0)
    return _joined(_columns("refund", refunds.c.id, id_, refunds.c.created, -refunds.c.amount, nothing), refunds)


def _disputed(kind: str, id_: ColumnElement[str], at: ColumnElement[Any], sign: int) -> Select[Any]:
    own = func.coalesce(func.nullif(disputes.c.currency, ""), intents.c.currency)
    amount, nothing = (disputes.c.amount if sign > 0 else -disputes.c.amount), literal(0)
    return _joined(_columns(kind, disputes.c.id, id_, at, amount, nothing, own), disputes)


def _joined(columns: list[ColumnElement[Any]], table: Any) -> Select[Any]:
    of_charge = and_(charges.c.store_id == table.c.store_id, charges.c.id == table.c.charge_id)
    return select(*columns).join_from(table, charges, of_charge).join(intents, table.c.intent_id == intents.c.id)
