"""Sweeps are counted over all processes, and none begins while its store is told something: both are found at once."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0014", "0013"


def upgrade() -> None:
    busy = sa.text("busy_until > 0")
    op.create_index("ix_jobs_busy", "jobs", ["busy_until"], sqlite_where=busy, postgresql_where=busy)
    told = sa.text("state = 'pending' and busy_until > 0")
    op.create_index("ix_outbox_busy", "outbox", ["store_id"], sqlite_where=told, postgresql_where=told)
