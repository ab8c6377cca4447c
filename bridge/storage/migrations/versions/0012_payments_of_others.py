"""Payments that others made: only known ones, tips, and when a store's card readers were last used (Unix seconds)."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0012", "0011"


def upgrade() -> None:
    op.add_column("intents", sa.Column("tip", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("intents", sa.Column("only_known", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("stores", sa.Column("readers_used", sa.Double(), server_default=sa.text("0"), nullable=False))
