"""What is forgotten of rows that stay, or that have no file of their own."""

from sqlalchemy import Connection, delete, select, tuple_, update

from bridge.domain.intents import FINAL
from bridge.storage.tables import attempts, intents, oauth_nonces


def forget_material(connection: Connection, before: float, limit: int) -> int:
    """Drop what the buyer's page needed of payments that are over, and began before then (Unix seconds); how many."""
    over = select(intents.c.id).where(intents.c.status.in_(sorted(FINAL)))
    old = (
        select(attempts.c.id)
        .where(attempts.c.material.is_not(None), attempts.c.created < before, attempts.c.intent_id.in_(over))
        .limit(limit)
    )
    return connection.execute(update(attempts).where(attempts.c.id.in_(old)).values(material=None)).rowcount


def drop_nonces(connection: Connection, before: float, limit: int) -> int:
    """Drop the nonces of timestamps before then (Unix seconds); how many."""
    key = (oauth_nonces.c.key_id, oauth_nonces.c.nonce, oauth_nonces.c.timestamp)
    old = select(*key).where(oauth_nonces.c.timestamp < int(before)).limit(limit)
    return connection.execute(delete(oauth_nonces).where(tuple_(*key).in_(old))).rowcount
