"""A store's refunds of a charge, its won disputes by date, and its orders by their numbers are found by an index."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0019", "0018"


def upgrade() -> None:
    op.create_index("ix_refunds_charge", "refunds", ["charge_id", "store_id"])
    won = sa.text("status = 'won'")
    op.create_index("ix_disputes_won", "disputes", ["store_id", "closed"], sqlite_where=won, postgresql_where=won)
    op.drop_index("ix_intents_number", "intents")
    of_its_own = sa.text("order_number <> cast(order_id as text)")
    op.create_index(
        "ix_intents_number",
        "intents",
        ["order_number", "store_id"],
        sqlite_where=of_its_own,
        postgresql_where=of_its_own,
    )
