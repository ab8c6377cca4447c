"""Alembic's scripts. Run by `bridge.storage.migrate`."""
