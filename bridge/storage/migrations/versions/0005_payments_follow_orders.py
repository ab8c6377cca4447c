"""Payments follow their orders: why one was closed, what refunds had taken off, and what was looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("intents") as table:
        table.add_column(sa.Column("closed", sa.Text(), server_default=sa.text("('')"), nullable=False))
        table.add_column(sa.Column("deducted", sa.BigInteger(), server_default=sa.text("(0)"), nullable=False))
        table.add_column(sa.Column("order_seen", sa.Double(), server_default=sa.text("(0)"), nullable=False))
        table.add_column(sa.Column("notes_read", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
    with op.batch_alter_table("stores") as table:
        table.add_column(sa.Column("names_payments", sa.Boolean(), server_default=sa.text("(false)"), nullable=False))
