"""One key, one answer: what a caller's `Idempotency-Key` stands for, and what was answered under it.

A key is written down before its work begins, so that a crash leaves it behind: once nobody is at it any more, a repeat
carries on. The payments themselves are guarded by their own rules; this only lets a repeat hear the same again.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.payments import leases
from bridge.services import Services, StoreHandle
from bridge.storage import idempotency

KEY_RETENTION = 24 * 3600.0
"""Seconds for which a key stands for its first request, and until its caller has heard what became of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was: HTTP status, headers of its own, what its body says. Never with one-time material."""

    status: int
    headers: dict[str, str]
    payload: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """Where a request with a key stands.

    `mine`: nobody else is at it, and it has no answer yet; then `again` tells whether an earlier run left it so.
    `same`: the key was used for this very request. `attempt_id` is reserved for the first run under the key.
    """

    entry: idempotency.Entry = field(repr=False)
    mine: bool
    again: bool
    same: bool
    answer: Answer | None = field(default=None, repr=False)

    @property
    def attempt_id(self) -> str:
        return self.entry.attempt_id


def begin_request(store: StoreHandle, route: str, key: str, request: str) -> IdempotentRequest:
    """Write the key down, or find what it stands for. `request` is the same text for the same request only."""
    now = store.clock()
    wanted = idempotency.Entry(
        store_id=store.id,
        live=store.config.live,
        route=route,
        key=store.vault.lookup_hash(f"idempotency key {key}"),
        fingerprint=store.vault.lookup_hash(f"request {request}"),
        attempt_id=store.ids.attempt(),
        created=now,
        busy_until=leases.lease_end(store, leases.REQUEST_TIMEOUTS),
    )
    with store.database.write() as connection:
        found, mine = idempotency.take(connection, wanted, now - KEY_RETENTION)
    same = found.fingerprint == wanted.fingerprint
    answer = None
    if same and found.answer is not None:
        answer = Answer(**json.loads(store.vault.decrypt(found.answer)))
    return IdempotentRequest(found, mine, again=found is not wanted, same=same, answer=answer)


def keep_answer(services: Services, turn: IdempotentRequest, answer: Answer) -> None:
    """Every repeat gets this answer from now on."""
    sealed = services.vault.encrypt(json.dumps(asdict(answer), separators=(",", ":")))
    with services.database.write() as connection:
        idempotency.conclude(connection, turn.entry, sealed)


def leave_unanswered(services: Services, turn: IdempotentRequest) -> None:
    """A repeat of the same request looks at how things stand then."""
    with services.database.write() as connection:
        idempotency.conclude(connection, turn.entry, None)


def forget_key(services: Services, turn: IdempotentRequest) -> None:
    """Nothing was done under the key, and it can be used for any request again."""
    with services.database.write() as connection:
        idempotency.forget(connection, turn.entry)
