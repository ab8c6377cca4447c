"""What is due, under way or asked for across stores is found by an index, however many stores and payments there are."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"

REPLACED = {
    "uq_intents_public_id": "intents",
    "ix_intents_order": "intents",
    "ix_intents_created": "intents",
    "ix_intents_open": "intents",
    "ix_attempts_reference": "attempts",
    "uq_inbox_event": "inbox",
    "ix_inbox_unowned": "inbox",
}
ENDPOINT = {
    "sqlite": "json_extract(settings, '$.webhook_endpoint')",
    "postgresql": "settings ->> 'webhook_endpoint'",
}


def upgrade() -> None:
    for name, table in REPLACED.items():
        op.drop_index(name, table)
    op.create_index("uq_intents_public_id", "intents", ["public_id", "store_id"], unique=True)
    op.create_index("ix_intents_order", "intents", ["order_id", "store_id", "created"])
    op.create_index("ix_intents_recent", "intents", ["created", "status"])
    _create_partial("ix_intents_open", "intents", "status", "status not in ('canceled', 'succeeded')")
    op.create_index("ix_attempts_reference", "attempts", ["reference", "store_id"])
    _create_partial("ix_attempts_material", "attempts", "created", "material is not null")
    op.create_index("uq_inbox_event", "inbox", ["event_id", "endpoint", "digest"], unique=True)
    _create_partial("ix_inbox_unowned", "inbox", "received", "intent_id is null and state in ('done', 'foreign')")
    op.create_index("ix_api_keys_store_id", "api_keys", ["store_id"])
    op.create_index("ix_api_keys_truncated", "api_keys", ["truncated"])
    _change_stores()
    _change_jobs()


def _change_stores() -> None:
    op.add_column("stores", sa.Column("webhook_endpoint", sa.Text()))
    endpoint = ENDPOINT[op.get_bind().dialect.name]
    op.execute(f"update stores set webhook_endpoint = nullif({endpoint}, '')")  # noqa: S608 (a constant)
    op.create_index("ix_stores_url", "stores", ["url"])
    _create_partial("ix_stores_webhook_endpoint", "stores", "webhook_endpoint", "webhook_endpoint is not null")
    _create_partial("ix_stores_held", "stores", "id", "awaits_reconcile")


def _change_jobs() -> None:
    op.add_column("jobs", sa.Column("failures", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.create_index("ix_jobs_due", "jobs", ["due"])
    _create_partial("ix_jobs_failing", "jobs", "name", "last_error <> ''")
    op.execute("insert into jobs (name, due, busy_until, last_error) values ('enroll', 0, 0, '')")


def _create_partial(name: str, table: str, column: str, where: str) -> None:
    op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
