"""Orders of open payments are read again and again: when each was, and since when its store does not have it."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0008", "0007"


def upgrade() -> None:
    op.add_column("intents", sa.Column("order_swept", sa.Double(), server_default=sa.text("0"), nullable=False))
    op.add_column("intents", sa.Column("order_missed", sa.Double()))
    where = sa.text("status not in ('canceled', 'succeeded')")
    op.create_index("ix_intents_swept", "intents", ["store_id"], sqlite_where=where, postgresql_where=where)
    op.execute("update jobs set due = 0 where name = 'enroll'")  # stores have one more job each
