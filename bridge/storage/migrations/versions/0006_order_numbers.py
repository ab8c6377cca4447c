"""Orders are found by the numbers that shops show, where those are not their ids."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0006", "0005"


def upgrade() -> None:
    _create("ix_intents_number", "order_number", "order_number <> cast(order_id as text)")
    # The copy of the table by 0005 has made the others newer: of indexes that cost the same SQLite takes the newest.
    op.drop_index("ix_intents_authorized", "intents")
    _create("ix_intents_authorized", "store_id", "status = 'requires_capture'")


def _create(name: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "intents", [column], sqlite_where=where, postgresql_where=where)
