"""Alembic's environment: the connection comes from `bridge.storage.migrate`."""

from alembic import context

from bridge.storage.payment_tables import intents

context.configure(
    connection=context.config.attributes["connection"], target_metadata=intents.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
