"""What stands in the way of a store at its provider."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0003", "0002"


def upgrade() -> None:
    for name in ("account_problem", "webhook_problem"):
        op.add_column("stores", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
        where = sa.text(f"{name} <> ''")
        op.create_index(f"ix_stores_{name}", "stores", ["id"], sqlite_where=where, postgresql_where=where)
