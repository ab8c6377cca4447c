"""What is waiting, and what went wrong on its way: for the owner's own commands."""

from dataclasses import asdict
from typing import Any

from bridge.domain.errors import Refused
from bridge.services import Queue, Services
from bridge.storage import inbox, outbox, shops


def messages(services: Services, state: str | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """The newest messages of providers, newest first."""
    with services.database.read() as connection:
        return [_told(letter) for letter in inbox.latest(connection, state, limit)]


def message(services: Services, name: str) -> dict[str, Any]:
    """One message, by our id or its own, with its body. Raises Refused."""
    with services.database.read() as connection:
        found = inbox.one(connection, name)
    if found is None:
        raise Refused(f"There is no message {name}.")
    letter, body = found
    return _told(letter) | {"body": services.vault.decrypt(body)}


def replay(services: Services, name: str) -> None:
    """Process a message once more. Raises Refused."""
    letter_id = message(services, name)["id"]
    now = services.clock()
    with services.database.write() as connection:
        inbox.change(connection, letter_id, state="new", due=now, busy_until=0.0, received=now, tries=0)
        services.audit_act(connection, "events.replay", letter_id)
    services.wake(Queue.MESSAGES)


def updates(
    services: Services, state: str | None = None, limit: int = 50, order: str | None = None
) -> list[dict[str, Any]]:
    """The newest updates that stores received, will receive or could not receive, newest first; of one `order` (id or
    number)."""
    with services.database.read() as connection:
        found = outbox.latest(connection, state, limit, order)
        others = shops.beside(connection, {row["store_id"] for row in found})
        return [
            row | {"kind": row.pop("payload")["kind"], "other_entries": others.get(row["store_id"], [])}
            for row in found
        ]


def retry(services: Services, name: str | None) -> int:
    """Deliver an update, those of an order, or all dead letters again; how many. Raises Refused if there is none."""
    with services.database.write() as connection:
        count = outbox.retry(connection, services.clock(), name)
        if not count:
            raise Refused(f"There is no update {name} to deliver." if name else "There are no dead letters.")
        services.audit_act(connection, "outbox.retry", name or "all dead letters", count=count)
    services.wake()
    return count


def _told(letter: inbox.InboxMessage) -> dict[str, Any]:
    return {
        "id": letter.id,
        "endpoint": letter.endpoint,
        "event": asdict(letter.event),
        "state": letter.state,
        "tries": letter.tries,
        "received": letter.received,
        "payment_intent": letter.intent_id,
        "last_error": letter.last_error or None,
    }
