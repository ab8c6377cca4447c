"""The tables. Times are Unix seconds, amounts minor units, ids text; the rules that must hold are constraints here."""

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
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

HEAD = "0016"
"""The newest migration; a test compares it with the migrations themselves."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Serial = BigInteger().with_variant(Integer, "sqlite")

secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

shops = Table(
    "shops",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("created", Double, nullable=False),
)

shop_addresses = Table(
    "shop_addresses",
    metadata,
    Column("address", Text, primary_key=True),
    Column("shop_id", ForeignKey("shops.id"), nullable=False, index=True),
    Column("since", Double, nullable=False),
    Column("until", Double),
)

shop_history = Table(
    "shop_history",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("shop_id", ForeignKey("shops.id"), nullable=False, index=True),
    Column("store_id", String(64), nullable=False),
    Column("at", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", String(16), nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
)

stores = Table(
    "stores",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("shop_id", String(32), nullable=False),
    Column("url", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("consumer_key", Text, nullable=False),
    Column("consumer_secret", Text, nullable=False),
    Column("ca_file", Text),
    Column("adapter", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("options", JSON, nullable=False),
    Column("capture", String(16), nullable=False),
    Column("live", Boolean, nullable=False),
    Column("awaits_reconcile", Boolean, nullable=False, server_default=text("false")),
    Column("account_problem", Text, nullable=False, server_default=text("''")),
    Column("webhook_problem", Text, nullable=False, server_default=text("''")),
    Column("currency", String(3), nullable=False, server_default=text("''")),
    Column("webhooks_restored", JSON, nullable=False, server_default=text("'[]'")),
    Column("names_payments", Boolean, nullable=False, server_default=text("false")),
    Column("readers_used", Double, nullable=False, server_default=text("0")),
    Column("generation", Integer, nullable=False, server_default=text("0")),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("removed", Double),
    Column("webhook_endpoint", Text),  # what `settings` says, to find a shared endpoint's stores by
    CheckConstraint("capture in ('automatic', 'manual')", name="capture"),
)
Index("ix_stores_url", stores.c.url)
Index("ix_stores_shop", stores.c.shop_id)
Index(
    "ix_stores_webhook_endpoint",
    stores.c.webhook_endpoint,
    sqlite_where=text("webhook_endpoint is not null"),
    postgresql_where=text("webhook_endpoint is not null"),
)
for _problem in (stores.c.account_problem, stores.c.webhook_problem):
    Index(
        f"ix_stores_{_problem.name}",
        stores.c.id,
        sqlite_where=text(f"{_problem.name} <> ''"),
        postgresql_where=text(f"{_problem.name} <> ''"),
    )
Index(
    "ix_stores_held",
    stores.c.id,
    sqlite_where=text("awaits_reconcile"),
    postgresql_where=text("awaits_reconcile"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False, index=True),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("truncated", String(16), nullable=False, index=True),
    Column("secret", Text, nullable=False),
    Column("permissions", String(16), nullable=False),
    Column("description", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("last_used", Double),
    Column("expires", Double),
    Column("revoked", Double),
    Column("origin", String(16), nullable=False, server_default=text("''")),
    Column("store_permissions", String(16), nullable=False, server_default=text("''")),
    Column("store_problem", Text, nullable=False, server_default=text("''")),
    Column("consumer_key", Text),  # encrypted; of a key that the store has made, to ask it with
    CheckConstraint("permissions in ('read', 'write', 'read_write')", name="permissions"),
)

Index(
    "ix_api_keys_store_problem",
    api_keys.c.store_id,
    sqlite_where=text("store_problem <> ''"),
    postgresql_where=text("store_problem <> ''"),
)

oauth_nonces = Table(
    "oauth_nonces",
    metadata,
    Column("key_id", String(32), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("timestamp", BigInteger, nullable=False, index=True),
    PrimaryKeyConstraint("key_id", "nonce", "timestamp"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("live", Boolean, nullable=False),
    Column("route", String(120), nullable=False),
    Column("key", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("attempt_id", String(32), nullable=False),
    Column("busy_until", Double, nullable=False),
    Column("answer", Text),
    Column("created", Double, nullable=False, index=True),
    PrimaryKeyConstraint("store_id", "live", "route", "key"),
)

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
Index("ix_intents_number", intents.c.order_number, sqlite_where=text(OWN_NUMBER), postgresql_where=text(OWN_NUMBER))
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

customers = Table(
    "customers",
    metadata,
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("shopper", String(80), nullable=False),
    Column("customer", String(255), nullable=False, index=True),
    PrimaryKeyConstraint("store_id", "shopper"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("endpoint", String(64), nullable=False),
    Column("event_id", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("event", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Column("intent_id", ForeignKey("intents.id")),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("busy_until", Double, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("received", Double, nullable=False),
    CheckConstraint("state in ('new', 'done', 'foreign', 'dead')", name="state"),
)
Index("ix_inbox_endpoint", inbox.c.endpoint, inbox.c.received)
Index("uq_inbox_event", inbox.c.event_id, inbox.c.endpoint, inbox.c.digest, unique=True)
Index("ix_inbox_new", inbox.c.due, sqlite_where=text("state = 'new'"), postgresql_where=text("state = 'new'"))
Index("ix_inbox_dead", inbox.c.received, sqlite_where=text("state = 'dead'"), postgresql_where=text("state = 'dead'"))
Index(
    "ix_inbox_unowned",
    inbox.c.received,
    sqlite_where=text("intent_id is null and state in ('done', 'foreign')"),
    postgresql_where=text("intent_id is null and state in ('done', 'foreign')"),
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

outbox = Table(
    "outbox",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("store_id", ForeignKey("stores.id"), nullable=False),
    Column("intent_id", ForeignKey("intents.id"), nullable=False, index=True),
    Column("order_id", BigInteger, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due", Double, nullable=False),
    Column("busy_until", Double, nullable=False),
    Column("last_error", Text, nullable=False, server_default=text("''")),
    Column("created", Double, nullable=False),
    Column("delivered", Double),
    CheckConstraint("state in ('pending', 'delivered', 'dead')", name="state"),
)
Index(
    "ix_outbox_pending",
    outbox.c.due,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)
Index(
    "ix_outbox_busy",
    outbox.c.store_id,
    sqlite_where=text("state = 'pending' and busy_until > 0"),
    postgresql_where=text("state = 'pending' and busy_until > 0"),
)
Index("ix_outbox_order", outbox.c.store_id, outbox.c.order_id)
Index("ix_outbox_dead", outbox.c.created, sqlite_where=text("state = 'dead'"), postgresql_where=text("state = 'dead'"))
Index(
    "ix_outbox_delivered",
    outbox.c.delivered,
    sqlite_where=text("state = 'delivered'"),
    postgresql_where=text("state = 'delivered'"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("due", Double, nullable=False, index=True),
    Column("busy_until", Double, nullable=False),
    Column("seen", Double),
    Column("last_error", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default=text("0")),
)
Index("ix_jobs_busy", jobs.c.busy_until, sqlite_where=text("busy_until > 0"), postgresql_where=text("busy_until > 0"))
Index("ix_jobs_failing", jobs.c.name, sqlite_where=text("last_error <> ''"), postgresql_where=text("last_error <> ''"))

refusals = Table(
    "refusals",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("reason", String(40), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Column("last", Double, nullable=False),
)
Index("ix_refusals_last", refusals.c.last)
