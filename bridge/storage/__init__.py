"""SQLAlchemy Core tables and the functions that query them. SQLite by default, PostgreSQL by URL."""

from bridge.storage.compiled import Connection
from bridge.storage.engine import Database, migrate

__all__ = ["Connection", "Database", "migrate"]
