"""The tables of payments: intents, attempts, charges, refunds, disputes and the journal. `tables` has the rest."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from bridge.storage.tables import Serial, metadata

intents = Table(
    "intents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("public_id", String(255)),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("shop_id", String(32), nullable=False),
    Column("rival", Integer, nullable=False, server_default=text("0")),
    Column("adapter", String(64), nullable=False),
    Column("live", Boolean, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("order_number", Text, nullable=False),
    Column("order_key", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("customer", Text, nullable=False),
    Column("payment_method", Text, nullable=False),
    Column("requested_payment_method", Text, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("capture", String(16), nullable=False),
    Column("status", String(32), nullable=False),
    Column("unknown", Boolean, nullable=False),
    Column("holding", Boolean, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("last_error", JSON(none_as_null=True)),
    Column("flag", Text, nullable=False, server_default=text("''")),
    Column("closed", Text, nullable=False, server_default=text("''")),
    Column("deducted", BigInteger, nullable=False, server_default=text("0")),
    Column("order_seen", Double, nullable=False, server_default=text("0")),
    Column("order_swept", Double, nullable=False, server_default=text("0")),
    Column("order_missed", Double),
    Column("order_due", Double),  # of a payment that took money
    Column("notes_read", Boolean, nullable=False, server_default=text("false")),
    Column("tip", BigInteger, nullable=False, server_default=text("0")),
    Column("only_known", Boolean, nullable=False, server_default=text("false")),
    Column("order_read", Double, nullable=False),
    Column("look_at", Double),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
)
# What the owner asks for without naming a store begins with what is asked for.
Index("uq_intents_public_id", intents.c.public_id, intents.c.store_id, unique=True)
Index("ix_intents_order", intents.c.order_id, intents.c.shop_id, intents.c.created)
Index("ix_intents_recent", intents.c.created, intents.c.status)
Index(
    "ix_intents_look_at",
    intents.c.look_at,
    sqlite_where=text("look_at is not null"),
    postgresql_where=text("look_at is not null"),
)
Index(
    "ix_intents_open",
    intents.c.status,
    sqlite_where=text("status not in ('canceled', 'succeeded')"),
    postgresql_where=text("status not in ('canceled', 'succeeded')"),
)
Index(
    "ix_intents_swept",
    intents.c.store_id,
    sqlite_where=text("status not in ('canceled', 'succeeded')"),
    postgresql_where=text("status not in ('canceled', 'succeeded')"),
)
Index(
    "ix_intents_order_due",
    intents.c.store_id,
    intents.c.order_due,
    sqlite_where=text("order_due is not null"),
    postgresql_where=text("order_due is not null"),
)
Index("ix_intents_flagged", intents.c.updated, sqlite_where=text("flag <> ''"), postgresql_where=text("flag <> ''"))
Index("ix_intents_updated", intents.c.store_id, intents.c.updated)
OWN_NUMBER = "order_number <> cast(order_id as text)"
"""Of an order that its shop numbers otherwise than by its id: the others need no index for that."""
Index(
    "ix_intents_number",
    intents.c.order_number,
    intents.c.store_id,
    sqlite_where=text(OWN_NUMBER),
    postgresql_where=text(OWN_NUMBER),
)
Index(
    "ix_intents_authorized",
    intents.c.store_id,
    sqlite_where=text("status = 'requires_capture'"),
    postgresql_where=text("status = 'requires_capture'"),
)
# One live payment per order of a shop, through whichever entry: whatever else goes wrong, the database refuses the
# second (rule 2). `rival` is 0, but for those that two entries had begun before they were known as one shop's.
Index(
    "uq_intents_holding",
    intents.c.shop_id,
    intents.c.live,
    intents.c.order_id,
    intents.c.order_key,
    intents.c.rival,
    unique=True,
    sqlite_where=text("holding"),
    postgresql_where=text("holding"),
)

Index("ix_intents_rival", intents.c.rival, sqlite_where=text("rival > 0"), postgresql_where=text("rival > 0"))

attempts = Table(
    "attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("intent_id", ForeignKey("intents.id"), nullable=False, index=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("operation", String(16), nullable=False),
    Column("key", String(255), nullable=False, unique=True),
    Column("request", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("exposed", Boolean, nullable=False),
    Column("reference", String(255)),
    Column("created", Double, nullable=False),
    Column("sent_at", Double, nullable=False),
    Column("sent_again_at", Double),
    Column("busy_until", Double, nullable=False),
    Column("next_check_at", Double, nullable=False),
    Column("checks", Integer, nullable=False, server_default=text("0")),
    Column("answered", Double),
    Column("material", Text),
    CheckConstraint("state in ('sent', 'unknown', 'done', 'abandoned')", name="state"),
)
Index("ix_attempts_reference", attempts.c.reference, attempts.c.store_id)
Index(
    "ix_attempts_material",
    attempts.c.created,
    sqlite_where=text("material is not null"),
    postgresql_where=text("material is not null"),
)
Index(
    "ix_attempts_unsettled",
    attempts.c.next_check_at,
    sqlite_where=text("state in ('sent', 'unknown')"),
    postgresql_where=text("state in ('sent', 'unknown')"),
)

charges = Table(
    "charges",
    metadata,
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("id", String(255), nullable=False),
    Column("intent_id", ForeignKey("intents.id"), nullable=False, index=True),
    Column("amount", BigInteger, nullable=False),
    Column("amount_captured", BigInteger, nullable=False),
    Column("amount_refunded", BigInteger, nullable=False),
    Column("application_fee_amount", BigInteger),
    Column("status", String(32), nullable=False),
    Column("captured", Boolean, nullable=False),
    Column("balance_transaction", String(255)),
    Column("billing_details", JSON(none_as_null=True)),
    Column("card", JSON(none_as_null=True)),
    Column("payment_method_type", String(32), nullable=False),
    Column("outcome", JSON(none_as_null=True)),
    Column("details", JSON(none_as_null=True)),
    Column("created", BigInteger, nullable=False),
    PrimaryKeyConstraint("store_id", "id"),
    CheckConstraint("amount_captured <= amount", name="captured"),
    CheckConstraint("amount_refunded <= amount_captured", name="refunded"),
)
Index("ix_charges_created", charges.c.store_id, charges.c.created)
Index("ix_charges_balance_transaction", charges.c.store_id, charges.c.balance_transaction)

refunds = Table(
    "refunds",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("reference", String(255)),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("intent_id", ForeignKey("intents.id"), nullable=False, index=True),
    Column("charge_id", String(255), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("failure", Text, nullable=False),
    Column("origin", String(32), nullable=False),
    Column("created", Double, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("status in ('pending', 'succeeded', 'failed', 'canceled')", name="status"),
)
Index("uq_refunds_reference", refunds.c.store_id, refunds.c.reference, unique=True)
Index("ix_refunds_created", refunds.c.store_id, refunds.c.created)
Index("ix_refunds_charge", refunds.c.charge_id, refunds.c.store_id)

disputes = Table(
    "disputes",
    metadata,
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("id", String(255), nullable=False),
    Column("intent_id", ForeignKey("intents.id"), nullable=False, index=True),
    Column("charge_id", String(255), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("status", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("due_by", BigInteger),
    Column("created", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("currency", String(3), nullable=False, server_default=text("''")),
    PrimaryKeyConstraint("store_id", "id"),
)
Index("ix_disputes_created", disputes.c.store_id, disputes.c.created)
Index(
    "ix_disputes_won",
    disputes.c.store_id,
    disputes.c.closed,
    sqlite_where=text("status = 'won'"),
    postgresql_where=text("status = 'won'"),
)

journal = Table(
    "journal",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("intent_id", ForeignKey("intents.id"), nullable=False, index=True),
    Column("attempt_id", String(32)),
    Column("at", Double, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("detail", JSON, nullable=False),
)
