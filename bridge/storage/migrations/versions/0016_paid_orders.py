"""Orders of payments that took money are read again now and then: when each is next, in Unix seconds.

What was paid within the last month, counted from the newest payment, is read soon after the upgrade.
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0016", "0015"


def upgrade() -> None:
    op.add_column("intents", sa.Column("order_due", sa.Double()))
    op.execute(
        "update intents set order_due = 0 where status = 'succeeded' "
        "and created > (select max(created) from intents) - 30 * 86400.0"
    )
    where = sa.text("order_due is not null")
    op.create_index(
        "ix_intents_order_due", "intents", ["store_id", "order_due"], sqlite_where=where, postgresql_where=where
    )
    op.execute("update jobs set due = 0 where name like 'sweep:%'")
