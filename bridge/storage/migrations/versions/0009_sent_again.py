"""Attempts remember when their request was sent for the last time."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0009", "0008"


def upgrade() -> None:
    op.add_column("attempts", sa.Column("sent_again_at", sa.Double()))
