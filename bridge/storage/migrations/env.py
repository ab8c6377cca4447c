"""Alembic's environment: the connection comes from `bridge.storage.migrate`."""

from alembic import context

from bridge.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
