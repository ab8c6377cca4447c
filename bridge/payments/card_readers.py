"""Stores whose card readers are used. Apps make payments at readers themselves and may never tell of them: as long as a
store's readers were used within a day, the provider's list is looked at every minute (`bridge.worker.jobs`)."""

from bridge.services import Services, StoreHandle
from bridge.storage import jobs, stores


def mark_readers_used(store: StoreHandle) -> None:
    """A card reader of the store was used, or its app asks for a token."""
    now = store.clock()
    with store.database.write() as connection:
        stores.change(connection, store.id, readers_used=now)
        jobs.hurry_readers(connection, store.id, now)


def readers_in_use(services: Services, store_id: str) -> bool:
    """Whether any was within a day."""
    with services.database.read() as connection:
        return services.clock() - stores.readers_used(connection, store_id) < jobs.DAY
