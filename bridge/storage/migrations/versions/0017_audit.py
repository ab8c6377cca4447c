"""Administrative acts are written down, each chained to the one before; no statement changes or removes one."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "0017", "0016"

REFUSAL = "the audit trail is append-only"
POSTGRESQL_FUNCTION = f"""
create or replace function audit_is_append_only() returns trigger language plpgsql as
$$ begin raise exception '{REFUSAL}'; end $$
"""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_act", "audit", ["act", "number"])
    op.create_index("ix_audit_subject", "audit", ["subject", "number"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one")),
    )
    op.execute("insert into audit_head (id, number, digest) values (1, 0, '')")
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    op.execute(POSTGRESQL_FUNCTION)
    op.execute(
        "create trigger audit_append_only before update or delete or truncate on audit "
        "for each statement execute function audit_is_append_only()"
    )


def _guard_sqlite() -> None:
    for act in ("update", "delete"):
        op.execute(f"create trigger audit_no_{act} before {act} on audit begin select raise(abort, '{REFUSAL}'); end")
