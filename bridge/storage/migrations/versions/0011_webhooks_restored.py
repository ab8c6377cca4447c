"""Stores remember when their webhooks were put back, in Unix seconds, and have a job that looks at them."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0011", "0010"


def upgrade() -> None:
    op.add_column("stores", sa.Column("webhooks_restored", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.execute("update jobs set due = 0 where name = 'enroll'")  # stores have one more job each
