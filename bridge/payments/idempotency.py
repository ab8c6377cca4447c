"""One key, one answer: what a caller's `Idempotency-Key` stands for, and what was answered under it.

A key is written down before its work begins, so that a crash leaves it behind: once nobody is working on it any more, a
repeat carries on. The payments themselves are guarded by their own rules; this only lets a repeat get the same answer
again, and of a create what became of the payment that it began, and of no other.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from bridge.domain.deadlines import DAY
from bridge.domain.errors import Declined, InProgress, IntentNotFound, OrderNotFound, OrderNotPayable, StoreError
from bridge.domain.intents import FINAL, PaymentIntent, Status
from bridge.domain.judgement import misfit
from bridge.payments import leases
from bridge.payments.create import MAX_ROUNDS, as_stored, resolve_first, with_fresh_material
from bridge.payments.follow_order import require_payable_by
from bridge.payments.intents import IntentView, view_intent
from bridge.payments.orders import terms
from bridge.payments.record import WAITING
from bridge.services import Services, StoreHandle
from bridge.storage import idempotency, intents

KEY_RETENTION = DAY
"""Seconds for which a key stands for its first request, and until its caller has been told what became of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was: HTTP status, headers of its own, what its body says. Never with one-time material."""

    status: int
    headers: dict[str, str]
    payload: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """Where a request with a key stands.

    `mine`: nobody else is working on it, and it has no answer yet; then `again` tells whether an earlier run left it
    so. `same`: the key was used for this very request. `attempt_id` is reserved for the first run under the key.
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
    oldest = now - KEY_RETENTION
    with store.database.read() as connection:  # a repeat of what was answered waits for nobody who writes
        taken = idempotency.find_taken(connection, wanted, oldest)
    found, mine = (taken, False) if taken else _take(store, wanted, oldest)
    same = found.fingerprint == wanted.fingerprint
    answer = None
    if same and found.answer is not None:
        answer = Answer(**json.loads(store.vault.decrypt(found.answer)))
    return IdempotentRequest(found, mine, again=found is not wanted, same=same, answer=answer)


def _take(store: StoreHandle, wanted: idempotency.Entry, oldest: float) -> tuple[idempotency.Entry, bool]:
    with store.database.write() as connection:
        return idempotency.take(connection, wanted, oldest)


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


def repeat_create(store: StoreHandle, attempt_id: str) -> IntentView | None:
    """How the payment stands that began with this attempt; an unknown one is resolved first.

    None if nothing was ever made of it. Raises Declined, InProgress, OutcomeUnknown, and for one that waits for its
    buyer OrderNotPayable, StoreError.
    """
    for _ in range(MAX_ROUNDS):
        with store.database.read() as connection:
            intent = intents.find(connection, store.id, attempt_id)
            attempt = intents.unsettled(connection, intent.id) if intent else None
        if intent is None:
            return None
        if attempt is None:
            return _settled(store, intent, attempt_id)
        resolve_first(store, attempt, same=_may_resend(store, intent))
    raise InProgress("The payment is being resolved by another request.", outcome="unknown", attempt_id=attempt_id)


def _may_resend(store: StoreHandle, intent: PaymentIntent) -> bool:
    """Whether the order could still be paid by it: then the same request may be sent again, else the provider is only
    asked. Raises StoreError."""
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:
        return False
    with store.database.read() as connection:
        return misfit(order, terms(connection, store.config, intent)) is None


def running_attempt(store: StoreHandle, order_id: int) -> str | None:
    """The try that somebody is working on for an order, if there is one."""
    with store.database.read() as connection:
        of_order = intents.of_order(connection, store.id, order_id)
        attempts = [intents.unsettled(connection, intent.id) for intent in of_order]
    return next((attempt.id for attempt in reversed(attempts) if attempt), None)


def one_time_material(store: StoreHandle, intent_id: str) -> dict[str, Any] | None:
    """What a create has answered once and what is stored nowhere, as far as the provider tells it again.

    None if nobody may pay it any more. While the store cannot be asked there is nothing to pay with.
    """
    try:
        intent = view_intent(store, intent_id).intent
    except IntentNotFound:
        return {}
    if intent.status in FINAL:
        return None if intent.closed else {}
    try:
        if intent.status in WAITING and not intent.unknown:
            require_payable_by(store, intent)
    except OrderNotPayable:
        return None
    except StoreError:
        return {}
    shown = with_fresh_material(store, store.adapter, intent)
    return {
        "client_secret": shown.client_secret,
        "next_action": shown.next_action,
        "provider_data": shown.provider_data,
    }


def _settled(store: StoreHandle, intent: PaymentIntent, attempt_id: str) -> IntentView | None:
    error = intent.last_error
    if intent.status is Status.CANCELED and error:
        if error["type"] != "card_error":
            return None
        raise Declined(
            f"Error: {error['message']}",
            decline_code=error.get("decline_code") or error["code"],
            code=error["code"],
            outcome="failed",
            attempt_id=attempt_id,
            payment_intent=intent.shown_id,
            provider=store.config.adapter,
        )
    if intent.status in FINAL or intent.status is Status.REQUIRES_CAPTURE:
        return as_stored(store, intent)
    if intent.status in WAITING:
        require_payable_by(store, intent)
    return with_fresh_material(store, store.adapter, intent)
