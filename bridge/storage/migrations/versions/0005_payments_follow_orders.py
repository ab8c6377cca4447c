"""Payments follow their orders: why one was closed, what refunds had taken off, and what was looked at."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0005", "0004"


def upgrade() -> None:
    for table, name, kind, default in (
        ("intents", "closed", sa.Text(), "''"),
        ("intents", "deducted", sa.BigInteger(), "0"),
        ("intents", "order_seen", sa.Double(), "0"),
        ("intents", "notes_read", sa.Boolean(), "false"),
        ("stores", "names_payments", sa.Boolean(), "false"),
    ):
        op.add_column(table, sa.Column(name, kind, server_default=sa.text(default), nullable=False))
