"""Rows of `refunds` and `disputes`. Sums are guarded here: what is sent back never exceeds what was captured."""

from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, insert, select, update

from bridge.domain.intents import Dispute, PaymentIntent, Refund, RefundStatus
from bridge.storage.compiled import Connection, Row
from bridge.storage.payment_tables import attempts, charges, disputes, refunds

_counting = refunds.c.status.in_(["pending", "succeeded"])
_sum = func.coalesce(func.sum(case((_counting, refunds.c.amount), else_=0)), 0)
_LEFT = select(
    charges.c.amount_captured
    - select(_sum)
    .where(refunds.c.store_id == charges.c.store_id, refunds.c.charge_id == charges.c.id)
    .scalar_subquery()
).where(charges.c.store_id == bindparam("store"), charges.c.id == bindparam("charge"))
_OF_INTENT = select(refunds).where(refunds.c.intent_id == bindparam("intent")).order_by(refunds.c.created)
_answered_before = exists().where(attempts.c.id == refunds.c.id, attempts.c.answered < bindparam("since"))
_REPEATED = (
    select(refunds)
    .where(
        refunds.c.intent_id == bindparam("intent"),
        refunds.c.charge_id == bindparam("charge"),
        refunds.c.amount == bindparam("amount"),
        refunds.c.reason == bindparam("reason"),
        ~_answered_before,
        refunds.c.origin == "bridge",
        _counting,
    )
    .order_by(refunds.c.created)
    .limit(1)
)
_BY_ID = select(refunds).where(refunds.c.id == bindparam("refund"))
_DISPUTES = select(disputes).where(disputes.c.intent_id == bindparam("intent")).order_by(disputes.c.created)
_DISPUTE = select(disputes).where(disputes.c.store_id == bindparam("store"), disputes.c.id == bindparam("dispute"))


def left(connection: Connection, store_id: str, charge_id: str) -> int:
    """What can still be sent back, in minor units. Lock the intent first, or somebody else takes it meanwhile."""
    return int(connection.execute(_LEFT, {"store": store_id, "charge": charge_id}).scalar() or 0)


def add(connection: Connection, intent: PaymentIntent, refund: Refund, refund_id: str, origin: str, at: float) -> None:
    """`origin` is `bridge`, `provider` or `store`; `refund_id` our own id of it."""
    connection.execute(
        insert(refunds),
        {
            "id": refund_id,
            "reference": refund.id or None,
            "store_id": intent.store_id,
            "intent_id": intent.id,
            "charge_id": refund.charge_id,
            "amount": refund.amount,
            "reason": refund.reason,
            "status": refund.status,
            "failure": refund.failure,
            "origin": origin,
            "created": at,
        },
    )


def change(connection: Connection, refund_id: str, **values: Any) -> None:
    connection.execute(update(refunds).where(refunds.c.id == bindparam("the_id")), {"the_id": refund_id, **values})


def of_intent(connection: Connection, intent_id: str) -> list[Refund]:
    """Oldest first. `operation_id` is our own id; `id` is "" while the provider has not answered."""
    return [_refund(row) for row in connection.execute(_OF_INTENT, {"intent": intent_id})]


def begun(connection: Connection, refund_id: str) -> Refund | None:
    """By our own id of it."""
    row = connection.execute(_BY_ID, {"refund": refund_id}).first()
    return _refund(row) if row else None


def repeated(connection: Connection, intent: PaymentIntent, wanted: Refund, since: float) -> Refund | None:
    """The first of ours for the same charge, amount and reason, unless it was known before then (Unix seconds)."""
    same = {"intent": intent.id, "charge": wanted.charge_id, "amount": wanted.amount, "reason": wanted.reason}
    row = connection.execute(_REPEATED, {**same, "since": since}).first()
    return _refund(row) if row else None


def dispute(connection: Connection, store_id: str, dispute_id: str) -> Dispute | None:
    row = connection.execute(_DISPUTE, {"store": store_id, "dispute": dispute_id}).first()
    if row is None:
        return None
    known = row._mapping
    return Dispute(**{name: known[name] for name in Dispute.__slots__})


def disputes_of(connection: Connection, intent_id: str) -> list[Dispute]:
    """Oldest first."""
    found = connection.execute(_DISPUTES, {"intent": intent_id})
    return [Dispute(**{name: row._mapping[name] for name in Dispute.__slots__}) for row in found]


def put_dispute(connection: Connection, intent: PaymentIntent, found: Dispute) -> None:
    """Insert or replace."""
    values = asdict(found)
    key = and_(disputes.c.store_id == intent.store_id, disputes.c.id == found.id)
    if not connection.execute(update(disputes).where(key).values(**values)).rowcount:
        connection.execute(insert(disputes), {"store_id": intent.store_id, "intent_id": intent.id, **values})


def _refund(row: Row) -> Refund:
    found = Refund(
        id=row.reference or "",
        charge_id=row.charge_id,
        amount=row.amount,
        status=RefundStatus(row.status),
        reason=row.reason,
        operation_id=row.id,
        created=int(row.created),
    )
    return replace(found, failure=row.failure)
