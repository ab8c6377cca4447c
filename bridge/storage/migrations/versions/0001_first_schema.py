"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("busy_until", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_jobs")),
    )
    op.create_table(
        "oauth_nonces",
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", "timestamp", name=op.f("pk_oauth_nonces")),
    )
    with op.batch_alter_table("oauth_nonces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oauth_nonces_timestamp"), ["timestamp"], unique=False)

    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "stores",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("consumer_key", sa.Text(), nullable=False),
        sa.Column("consumer_secret", sa.Text(), nullable=False),
        sa.Column("ca_file", sa.Text(), nullable=True),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("capture", sa.String(length=16), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("awaits_reconcile", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.Column("removed", sa.Double(), nullable=True),
        sa.CheckConstraint("capture in ('automatic', 'manual')", name=op.f("ck_stores_capture")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stores")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("truncated", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("permissions", sa.String(length=16), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("last_used", sa.Double(), nullable=True),
        sa.Column("expires", sa.Double(), nullable=True),
        sa.Column("revoked", sa.Double(), nullable=True),
        sa.CheckConstraint("permissions in ('read', 'write', 'read_write')", name=op.f("ck_api_keys_permissions")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_api_keys_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_table(
        "customers",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("shopper", sa.String(length=80), nullable=False),
        sa.Column("customer", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_customers_store_id")),
        sa.PrimaryKeyConstraint("store_id", "shopper", name=op.f("pk_customers")),
    )
    with op.batch_alter_table("customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customers_customer"), ["customer"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("route", sa.String(length=120), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("attempt_id", sa.String(length=32), nullable=False),
        sa.Column("busy_until", sa.Double(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_idempotency_store_id")),
        sa.PrimaryKeyConstraint("store_id", "live", "route", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_created"), ["created"], unique=False)

    op.create_table(
        "intents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("public_id", sa.String(length=255), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("order_key", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("requested_payment_method", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("capture", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("unknown", sa.Boolean(), nullable=False),
        sa.Column("holding", sa.Boolean(), nullable=False),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("last_error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("flag", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("order_read", sa.Double(), nullable=False),
        sa.Column("look_at", sa.Double(), nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("updated", sa.Double(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_intents_amount")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_intents_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
    )
    with op.batch_alter_table("intents", schema=None) as batch_op:
        batch_op.create_index(
            "ix_intents_authorized",
            ["store_id"],
            unique=False,
            sqlite_where=sa.text("status = 'requires_capture'"),
            postgresql_where=sa.text("status = 'requires_capture'"),
        )
        batch_op.create_index("ix_intents_created", ["store_id", "created"], unique=False)
        batch_op.create_index(
            "ix_intents_flagged",
            ["updated"],
            unique=False,
            sqlite_where=sa.text("flag <> ''"),
            postgresql_where=sa.text("flag <> ''"),
        )
        batch_op.create_index(
            "ix_intents_look_at",
            ["look_at"],
            unique=False,
            sqlite_where=sa.text("look_at is not null"),
            postgresql_where=sa.text("look_at is not null"),
        )
        batch_op.create_index(
            "ix_intents_open",
            ["status"],
            unique=False,
            sqlite_where=sa.text("status not in ('succeeded', 'canceled')"),
            postgresql_where=sa.text("status not in ('succeeded', 'canceled')"),
        )
        batch_op.create_index("ix_intents_order", ["store_id", "order_id", "created"], unique=False)
        batch_op.create_index("ix_intents_updated", ["store_id", "updated"], unique=False)
        batch_op.create_index(
            "uq_intents_holding",
            ["store_id", "order_id", "order_key"],
            unique=True,
            sqlite_where=sa.text("holding"),
            postgresql_where=sa.text("holding"),
        )
        batch_op.create_index("uq_intents_public_id", ["store_id", "public_id"], unique=True)

    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("exposed", sa.Boolean(), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=False),
        sa.Column("busy_until", sa.Double(), nullable=False),
        sa.Column("next_check_at", sa.Double(), nullable=False),
        sa.Column("checks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("answered", sa.Double(), nullable=True),
        sa.Column("material", sa.Text(), nullable=True),
        sa.CheckConstraint("state in ('sent', 'unknown', 'done', 'abandoned')", name=op.f("ck_attempts_state")),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_attempts_intent_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_attempts_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("key", name=op.f("uq_attempts_key")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempts_intent_id"), ["intent_id"], unique=False)
        batch_op.create_index("ix_attempts_reference", ["store_id", "reference"], unique=False)
        batch_op.create_index(
            "ix_attempts_unsettled",
            ["next_check_at"],
            unique=False,
            sqlite_where=sa.text("state in ('sent', 'unknown')"),
            postgresql_where=sa.text("state in ('sent', 'unknown')"),
        )

    op.create_table(
        "charges",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_captured", sa.BigInteger(), nullable=False),
        sa.Column("amount_refunded", sa.BigInteger(), nullable=False),
        sa.Column("application_fee_amount", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("captured", sa.Boolean(), nullable=False),
        sa.Column("balance_transaction", sa.String(length=255), nullable=True),
        sa.Column("billing_details", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("card", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("payment_method_type", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_captured <= amount", name=op.f("ck_charges_captured")),
        sa.CheckConstraint("amount_refunded <= amount_captured", name=op.f("ck_charges_refunded")),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_charges_intent_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_charges_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_charges")),
    )
    with op.batch_alter_table("charges", schema=None) as batch_op:
        batch_op.create_index("ix_charges_balance_transaction", ["store_id", "balance_transaction"], unique=False)
        batch_op.create_index("ix_charges_created", ["store_id", "created"], unique=False)
        batch_op.create_index(batch_op.f("ix_charges_intent_id"), ["intent_id"], unique=False)

    op.create_table(
        "disputes",
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("charge_id", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_by", sa.BigInteger(), nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_disputes_intent_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_disputes_store_id")),
        sa.PrimaryKeyConstraint("store_id", "id", name=op.f("pk_disputes")),
    )
    with op.batch_alter_table("disputes", schema=None) as batch_op:
        batch_op.create_index("ix_disputes_created", ["store_id", "created"], unique=False)
        batch_op.create_index(batch_op.f("ix_disputes_intent_id"), ["intent_id"], unique=False)

    op.create_table(
        "inbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("endpoint", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("busy_until", sa.Double(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("received", sa.Double(), nullable=False),
        sa.CheckConstraint("state in ('new', 'done', 'foreign', 'dead')", name=op.f("ck_inbox_state")),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_inbox_intent_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_inbox")),
        sa.UniqueConstraint("id", name=op.f("uq_inbox_id")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_dead",
            ["received"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            "ix_inbox_new",
            ["due"],
            unique=False,
            sqlite_where=sa.text("state = 'new'"),
            postgresql_where=sa.text("state = 'new'"),
        )
        batch_op.create_index(
            "ix_inbox_unowned",
            ["received"],
            unique=False,
            sqlite_where=sa.text("intent_id is null and state <> 'new'"),
            postgresql_where=sa.text("intent_id is null and state <> 'new'"),
        )
        batch_op.create_index("uq_inbox_event", ["endpoint", "event_id", "digest"], unique=True)

    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("attempt_id", sa.String(length=32), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_journal_intent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_journal_intent_id"), ["intent_id"], unique=False)

    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("busy_until", sa.Double(), nullable=False),
        sa.Column("last_error", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("delivered", sa.Double(), nullable=True),
        sa.CheckConstraint("state in ('pending', 'delivered', 'dead')", name=op.f("ck_outbox_state")),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_outbox_intent_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_outbox_store_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_outbox_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_dead",
            ["created"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )
        batch_op.create_index(
            "ix_outbox_delivered",
            ["delivered"],
            unique=False,
            sqlite_where=sa.text("state = 'delivered'"),
            postgresql_where=sa.text("state = 'delivered'"),
        )
        batch_op.create_index(batch_op.f("ix_outbox_intent_id"), ["intent_id"], unique=False)
        batch_op.create_index("ix_outbox_order", ["store_id", "order_id"], unique=False)
        batch_op.create_index(
            "ix_outbox_pending",
            ["due"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )

    op.create_table(
        "refunds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("reference", sa.String(length=255), nullable=True),
        sa.Column("store_id", sa.String(length=64), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("charge_id", sa.String(length=255), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.CheckConstraint("status in ('pending', 'succeeded', 'failed', 'canceled')", name=op.f("ck_refunds_status")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount")),
        sa.ForeignKeyConstraint(["intent_id"], ["intents.id"], name=op.f("fk_refunds_intent_id")),
        sa.ForeignKeyConstraint(["store_id"], ["stores.id"], name=op.f("fk_refunds_store_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index("ix_refunds_created", ["store_id", "created"], unique=False)
        batch_op.create_index(batch_op.f("ix_refunds_intent_id"), ["intent_id"], unique=False)
        batch_op.create_index("uq_refunds_reference", ["store_id", "reference"], unique=True)
