"""Keys know who made them and what their store says of them; stores count how often their payments' place has changed.

Who has made the keys that are here already is not known, nor the keys themselves, but for a hash: when one is used, it
is kept, encrypted, and its store is asked (`bridge.registry.store_keys`).
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0015", "0014"


def upgrade() -> None:
    empty = sa.text("''")
    op.add_column("api_keys", sa.Column("origin", sa.String(length=16), server_default=empty, nullable=False))
    op.add_column(
        "api_keys", sa.Column("store_permissions", sa.String(length=16), server_default=empty, nullable=False)
    )
    op.add_column("api_keys", sa.Column("store_problem", sa.Text(), server_default=empty, nullable=False))
    op.add_column("api_keys", sa.Column("consumer_key", sa.Text()))
    where = sa.text("store_problem <> ''")
    op.create_index("ix_api_keys_store_problem", "api_keys", ["store_id"], sqlite_where=where, postgresql_where=where)
    op.add_column("stores", sa.Column("generation", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.execute("update jobs set due = 0 where name = 'enroll'")  # stores have one more job each
