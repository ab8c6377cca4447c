"""The tables, but for those of payments. Times are Unix seconds, amounts minor units, ids text; the rules that must
hold are constraints here."""

from collections.abc import Iterable

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    literal_column,
    text,
)

HEAD = "0019"
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
    Column("networks", Text, nullable=False, server_default=text("''")),  # with spaces between them
    Column("may_refund", Boolean, nullable=False, server_default=text("true")),
    Column("replaced", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("permissions in ('read', 'write', 'read_write')", name="permissions"),
)

Index(
    "ix_api_keys_store_problem",
    api_keys.c.store_id,
    sqlite_where=text("store_problem <> ''"),
    postgresql_where=text("store_problem <> ''"),
)

Index(
    "ix_api_keys_expires",
    api_keys.c.expires,
    sqlite_where=text("expires is not null and revoked is null and replaced = 0"),
    postgresql_where=text("expires is not null and revoked is null and not replaced"),
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

audit = Table(
    "audit",
    metadata,
    Column("number", Serial, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("who", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("act", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),  # JSON, as it was when its digest was made
    Column("digest", String(64), nullable=False),
)
Index("ix_audit_act", audit.c.act, audit.c.number)
Index("ix_audit_subject", audit.c.subject, audit.c.number)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    CheckConstraint("id = 1", name="one"),
)

EMPTY = literal_column("''", String)
"""No text."""


def word(value: str) -> ColumnElement[str]:
    """A state or status of ours. Never anything that came from outside: it is not escaped."""
    if not value.replace("_", "").isalpha():
        raise ValueError(value)
    return literal_column(f"'{value!s}'", String)


def words(values: Iterable[str]) -> list[ColumnElement[str]]:
    """In the order of the alphabet, as in the indexes: SQLite compares the texts."""
    return [word(value) for value in sorted(values)]
