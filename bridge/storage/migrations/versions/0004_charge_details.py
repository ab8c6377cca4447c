"""Charges keep what else the provider says of them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("charges", sa.Column("details", sa.JSON(none_as_null=True), nullable=True))
