"""Orders are found by the numbers that shops show, where those are not their ids."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    where = sa.text("order_number <> cast(order_id as text)")
    op.create_index("ix_intents_number", "intents", ["order_number"], sqlite_where=where, postgresql_where=where)
