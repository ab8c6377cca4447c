"""Consumer keys may have networks that they are used from, may be kept from refunds, and may be replaced by another one.

Keys of before may do what they could. Those that had an end were given it by a rotation: nothing else could.
"""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0018", "0017"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("networks", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("api_keys", sa.Column("may_refund", sa.Boolean(), nullable=False, server_default=sa.text("true")))
    op.add_column("api_keys", sa.Column("replaced", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.execute("update api_keys set replaced = true where expires is not null")
    op.create_index(
        "ix_api_keys_expires",
        "api_keys",
        ["expires"],
        sqlite_where=sa.text("expires is not null and revoked is null and replaced = 0"),
        postgresql_where=sa.text("expires is not null and revoked is null and not replaced"),
    )
