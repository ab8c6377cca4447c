"""Currencies of their own: a store's, and a dispute's."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0007", "0006"


def upgrade() -> None:
    for table in ("stores", "disputes"):
        op.add_column(table, sa.Column("currency", sa.String(length=3), server_default=sa.text("''"), nullable=False))
