"""Payments that somebody else made, and that name an order of the store (rule 13).

One that a caller names, or that a card reader took, is taken over if site, order, order key, amount, currency, account
and mode are the order's: from then on it is a payment like any other. Another one that fits is only tracked: nothing is
written, captured, voided or refunded for it, and nothing else is charged while it has or holds money. What does not fit
blocks nothing. Metadata prove nothing: amount, currency, account and money that was taken do.

The order of a payment that is only known is watched: if it is still unpaid some minutes after money was taken, its
maker may have failed to tell the store, and an operator is told. Apps make payments at card readers themselves and may
never tell of them: as long as a store's readers were used within a day, the provider's list is looked at every minute.
"""

import re
from dataclasses import dataclass, replace

from bridge.domain.claims import read_claim
from bridge.domain.deadlines import DAY
from bridge.domain.errors import InProgress, IntentNotFound, OrderNotFound, ProviderRefused, Refused
from bridge.domain.intents import FINAL, MONEY, Attempt, AttemptState, JournalKind, Operation, PaymentIntent, Status
from bridge.domain.judgement import OTHERS, Bar, is_paid, is_paid_by, is_unpaid_beside, misfit_of_others
from bridge.domain.money import Money
from bridge.domain.orders import Order
from bridge.domain.outcomes import Outcome
from bridge.domain.ports import Adapter, HasAddresses
from bridge.domain.shops import is_same_site
from bridge.domain.stores import Store
from bridge.payments import flags, order_updates
from bridge.payments.attempts import call_adapter
from bridge.payments.close_checkout import close_payment
from bridge.payments.create import MAX_ROUNDS, release_refunded
from bridge.payments.intents import found_intent
from bridge.payments.orders import amount_due
from bridge.payments.poll_schedule import MAX_POLL_SECONDS
from bridge.payments.record import WAITING, IntentWriter, record, record_in
from bridge.payments.shops import entry_of, is_address
from bridge.services import Services, StoreHandle
from bridge.storage import Connection, intents, jobs, order_locks, outbox, stores

NAMED_BY_APP, TAKEN_BY_READER = "an app named it", "a card reader took it"
"""Why a payment was taken over."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a payment is not the store's. `order` is what a person calls the order that it names. `took_nothing`: that is
    all that is against it. `is_grave`: money was taken that names the unpaid order rightly, but for its amount."""

    why: str
    order: str
    took_nothing: bool = False
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """What came of a payment that the database did not have: its `intent`, or the payment that holds its order already
    (`holder`), or why it fits nothing; nothing of that for one that is about no order, or another store's."""

    intent: PaymentIntent | None = None
    holder: PaymentIntent | None = None
    misfit: Misfit | None = None


class Site:
    """Where a store is, as it says itself. It is asked at most once, and only about what no address of its shop is."""

    def __init__(self, store: StoreHandle) -> None:
        self._store = store
        self._addresses: list[str] | None = None

    def is_named(self, address: str) -> bool:
        """Raises StoreError."""
        known = is_address(self._store, address)
        return known or any(is_same_site(address, one) for one in self._asked())

    def _asked(self) -> list[str]:
        if self._addresses is None:
            book = self._store.order_book
            self._addresses = book.addresses() if isinstance(book, HasAddresses) else [book.identify()]
        return self._addresses


def match_named_payment(store: StoreHandle, order: Order, name: str) -> Match:
    """The payment that a caller names, by the provider's id, as this order's, and that somebody else has made.

    Raises IntentNotFound if the provider has none; else as `match_payment`.
    """
    adapter = store.adapter
    missing = IntentNotFound(f"No such payment_intent: '{name}'", id=name)
    if not adapter.names_orders or not re.fullmatch(r"\w{1,255}", name, re.ASCII):
        raise missing
    try:
        outcome = call_adapter(lambda: adapter.fetch(name))
    except ProviderRefused as error:
        if error.code != "resource_missing":
            raise
        raise missing from None
    return match_payment(store, outcome, Site(store), order=order)


def match_payment(store: StoreHandle, outcome: Outcome, site: Site, *, order: Order | None = None) -> Match:
    """A payment that the database does not have: take it over, or know of it, if it is one of the store's orders'.

    `order` is the one for which a caller names it, as it was just read. Raises InProgress, to be asked again, while
    another payment of the order is not resolved; StoreError, ProviderError.
    """
    if not outcome.reference or _is_elsewhere(store, outcome):
        return Match()
    found = _examined(store, outcome, site, order)
    if not isinstance(found, Order):
        return Match(misfit=found)
    why = NAMED_BY_APP if order is not None else TAKEN_BY_READER if outcome.is_in_person else ""
    met = _settled_in(store, found, outcome, why)
    if outcome.is_in_person:
        mark_readers_used(store)
    store.wake()
    return met


def has_money(outcome: Outcome) -> bool:
    """Whether money is held, taken or on its way, and was not refunded in full."""
    if outcome.status not in (*MONEY, Status.PROCESSING):
        return False
    return not (outcome.charge and outcome.charge.is_sent_back)


def _is_elsewhere(store: StoreHandle, outcome: Outcome) -> bool:
    """Whether it is another store's on the same account, or carries an attempt of ours."""
    with store.database.read() as connection:
        if any(known.store_id != store.id for known in intents.everywhere(connection, str(outcome.reference))):
            return True
        name = outcome.attempt_id
        if name is None:
            return False
        return not re.fullmatch(r"[0-9a-f]{32}", name) or bool(intents.everywhere(connection, name))


def _examined(store: StoreHandle, outcome: Outcome, site: Site, order: Order | None) -> Order | Misfit | None:
    """The order that it fits, or why it fits none; None if it names none."""
    claim = read_claim(outcome.metadata)
    if claim is None:
        return None
    named = str(claim.order_id)
    if order is None and not has_money(outcome):  # of those are many, and no store is asked for them
        return _took_nothing(outcome, named)
    if not outcome.is_for_account:  # on a platform there are those of all its stores
        is_ours = is_same_site(claim.site, store.config.identity)
        return Misfit("its money goes to another account", named) if is_ours else None
    if not site.is_named(claim.site):
        return Misfit(f"it names the site {claim.site}" if claim.site else "it names no site", named)
    try:
        order = order or store.order_book.read(claim.order_id)
    except OrderNotFound:
        return Misfit("the store has no such order", named)
    if order.id != claim.order_id:
        return Misfit("it names another order", named)
    adapter, is_held = store.adapter, outcome.status is Status.REQUIRES_CAPTURE
    owed, amount, currency = _owed(store.config, adapter, order), outcome.amount - outcome.tip, outcome.currency.upper()
    found = misfit_of_others(order, claim.order_key, amount, currency, owed, held=is_held)
    if found:
        is_grave = order.key == claim.order_key and has_money(outcome) and not is_paid(order)
        return Misfit(f"order {order.number} {found.words}", order.number, is_grave=is_grave)
    return order if has_money(outcome) else _took_nothing(outcome, order.number)


def _took_nothing(outcome: Outcome, order: str) -> Misfit:
    is_back = outcome.status in MONEY
    return Misfit("it was sent back" if is_back else "it took nothing", order, took_nothing=True)


def _owed(store: Store, adapter: Adapter, order: Order) -> int | None:
    """Minor units; None for an amount that could not be charged."""
    try:
        return amount_due(store, adapter, order).amount
    except Refused:
        return None


def _settled_in(store: StoreHandle, order: Order, outcome: Outcome, why: str) -> Match:
    """Let it hold its order. With `why` it is taken over, else it is only known."""
    for _ in range(MAX_ROUNDS):
        with store.database.read() as connection:
            known = intents.find(connection, store.id, str(outcome.reference))
            holder = order_locks.holding(connection, store.id, store.config.live, order.id, order.key)
        if known is not None:
            return Match(_promoted(store, known, outcome, why) if why and known.only_known else known)
        if holder is None:
            if (intent := _claimed(store, order, outcome, why)) is not None:
                return Match(intent)
        elif holder.public_id == outcome.reference:  # another entry of the shop has met it: it is one payment, not two
            return Match()
        elif not release_refunded(store, holder, order) and not _made_way(store, holder, outcome):
            return Match(holder=holder)
    raise InProgress(f"Order {order.number} is being paid by another request.", outcome="unknown")


def _made_way(store: StoreHandle, holder: PaymentIntent, outcome: Outcome) -> bool:
    """Void a payment that only waits for its buyer: the order's money has come otherwise. False if `holder` has money,
    so that the order is paid twice: then an operator is told.

    Raises InProgress while nobody knows.
    """
    if holder.status not in MONEY and holder.unknown:
        raise InProgress(f"The outcome of {holder.shown_id} is not known yet.", outcome="unknown")
    if holder.status in WAITING:
        found = Bar(OTHERS, f"is paid by {outcome.reference}, which was not made here")
        holder = close_payment(entry_of(store, holder), holder, found)
        if holder.status is Status.CANCELED:
            return True
        if holder.status in WAITING:
            raise InProgress(f"{holder.shown_id} could not be voided yet.", outcome="unknown")
    with store.database.write() as connection:
        locked = intents.get(connection, holder.id, lock=True)
        IntentWriter(store, connection, locked, store.clock()).report_second(outcome)
    return False


def _claimed(store: StoreHandle, order: Order, outcome: Outcome, why: str) -> PaymentIntent | None:
    """Its row, with all that the provider says of it, in one transaction; None if the order was claimed meanwhile."""
    now, attempt_id = store.clock(), outcome.attempt_id or store.ids.attempt()
    intent = replace(
        found_intent(store.config, order, outcome, attempt_id, now, "automatic"),
        public_id=outcome.public_id,
        status=Status.REQUIRES_CONFIRMATION,  # from where the outcome takes it on, within this transaction
        unknown=False,
        look_at=None if why else first_watch(outcome, now),
        tip=outcome.tip,
        only_known=not why,
    )
    attempt = Attempt(
        id=attempt_id,
        intent_id=attempt_id,
        store_id=store.id,
        operation=Operation.CREATE,
        request={},
        key=f"{attempt_id}:create",
        state=AttemptState.DONE,
        exposed=False,
        reference=outcome.reference,
        created=now,
        sent_at=now,
        answered=now,
    )
    told = {
        "provider": store.config.adapter,
        "order": order.number,
        "amount": outcome.amount,
        "currency": intent.currency,
    }
    told |= {"reference": outcome.reference, "why": why or "somebody else made it", "tip": outcome.tip}

    def write_down(connection: Connection) -> None:
        record_in(store, connection, intent.id, outcome)
        if why and is_paid_by(order, {intent.shown_id}):
            outbox.known_by_the_shop(connection, intent.id, now)

    is_ours_now = order_locks.claim(
        store.database,
        intent,
        attempt,
        told,
        generation=store.config.generation,
        moves_money=False,
        kind=JournalKind.TAKEN_OVER if why else JournalKind.KNOWN,
        then=write_down,
    )
    if not is_ours_now:
        return None
    with store.database.read() as connection:
        return intents.get(connection, intent.id)


def _promoted(services: Services, known: PaymentIntent, outcome: Outcome, why: str) -> PaymentIntent:
    """What was only known is taken over: a caller names it. The store is told how it stands."""
    record(services, known.id, outcome)
    now = services.clock()
    with services.database.write() as connection:
        known = intents.get(connection, known.id, lock=True)
        if not known.only_known:
            return known
        channel = "terminal" if outcome.is_in_person else "online"
        intents.change(connection, known.id, only_known=False, channel=channel, look_at=now, updated=now)
        writer = IntentWriter(services, connection, intents.get(connection, known.id), now)
        writer.log(
            JournalKind.TAKEN_OVER, None, reference=outcome.reference, why=why, amount=known.amount, tip=known.tip
        )
        if words := order_updates.reached(known):
            writer.notify_store(words)
        flags.clear_order_flag(connection, known.id, why, now)
        return intents.get(connection, known.id)


UNPAID_FLAG_SECONDS = 600.0
"""Seconds after which the store should show that its order is paid."""


def first_watch(outcome: Outcome, now: float) -> float:
    """When the order is looked at (Unix seconds)."""
    return max((outcome.charge.created if outcome.charge else now) + UNPAID_FLAG_SECONDS, now)


def watch_order(store: StoreHandle, intent: PaymentIntent) -> None:
    """Read the order of a payment that was just looked at, and say when to look again. Raises StoreError."""
    order: Order | None
    try:
        order = store.order_book.read(intent.order_id)
    except OrderNotFound:
        order = None
    watch(store, intent, order)
    again = None if intent.status in FINAL else store.clock() + MAX_POLL_SECONDS
    with store.database.write() as connection:
        intents.change(connection, intent.id, look_at=again)


def watch(services: Services, intent: PaymentIntent, order: Order | None) -> PaymentIntent:
    """Flag it, or take the flag away, as its order was just read. `order` is None if the store no longer has it."""
    now = services.clock()
    is_same = order is not None and order.key == intent.order_key
    if order is None or not is_same or not intent.has_or_holds_money or not is_unpaid_beside(order):
        with services.database.write() as connection:
            flags.clear_order_flag(connection, intent.id, "its order is not unpaid beside it", now)
            return intents.get(connection, intent.id)
    begun = intent.charge.created if intent.charge else intent.created
    if now - begun < UNPAID_FLAG_SECONDS:
        return intent
    money = Money(intent.amount, intent.currency)
    told = f"Order {order.number} is {order.status}, and has a payment of {money} that was not made here"
    with services.database.write() as connection:
        why = f"{flags.ORDER_FLAG}{told} ({intent.shown_id})."
        flags.put_unless_graver(connection, intent.id, why, now)
        return intents.get(connection, intent.id)


def mark_readers_used(store: StoreHandle) -> None:
    """A card reader of the store was used, or its app asks for a token."""
    now = store.clock()
    with store.database.write() as connection:
        stores.change(connection, store.id, readers_used=now)
        jobs.hurry_readers(connection, store.id, now)


def readers_in_use(services: Services, store_id: str) -> bool:
    """Whether any was within a day."""
    with services.database.read() as connection:
        return services.clock() - stores.readers_used(connection, store_id) < DAY
