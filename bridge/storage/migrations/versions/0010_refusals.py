"""How often credentials and messages were refused, and why."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0010", "0009"


def upgrade() -> None:
    op.create_table(
        "refusals",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "kind", "reason", name=op.f("pk_refusals")),
    )
    op.create_index("ix_refusals_last", "refusals", ["last"])
    op.create_index("ix_inbox_endpoint", "inbox", ["endpoint", "received"])
