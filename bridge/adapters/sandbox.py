"""The sandbox: a provider of our own that never moves money, with Stripe's public names for test cards.

It keeps its books (payments and an append-only ledger) in an SQLite file of its own, so that it remembers, like a
real provider, what it was asked before the bridge crashed. Which payment method does what is in MAGIC; anything else
that looks like a payment method is a Visa card that works.
"""

import hashlib
import json
import re
import sqlite3
import string
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bridge.adapters.context import AdapterContext
from bridge.adapters.identifiers import stripe_identifier
from bridge.domain.errors import ConfigurationError, CurrencyNotSupported, ProviderRefused, ProviderUnreachable
from bridge.domain.intents import Charge, Status
from bridge.domain.money import step
from bridge.domain.outcomes import Decline, Outcome, Payment
from bridge.domain.ports import Finding, Setting

DAY = 24 * 3600
AUTHORIZATION_SECONDS = 7 * DAY


@dataclass(frozen=True, slots=True)
class Magic:
    """What a payment method does: `status` if the payer's bank has nothing against it, else `decline`."""

    brand: str = "visa"
    last4: str = "4242"
    status: Status = Status.SUCCEEDED
    decline: Decline | None = None
    fault: str = ""


def _declines(code: str, message: str, decline_code: str | None = None, last4: str = "0002") -> Magic:
    return Magic(last4=last4, status=Status.REQUIRES_PAYMENT_METHOD, decline=Decline(code, message, decline_code))


_DECLINED = "Your card was declined."
MAGIC: dict[str, Magic] = {
    "pm_card_visa": Magic(),
    "pm_card_mastercard": Magic("mastercard", "4444"),
    "pm_card_amex": Magic("amex", "8431"),
    "pm_card_discover": Magic("discover", "9424"),
    "pm_card_chargeDeclined": _declines("card_declined", _DECLINED, "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": _declines(
        "card_declined", "Your card has insufficient funds.", "insufficient_funds", "9995"
    ),
    "pm_card_chargeDeclinedLostCard": _declines("card_declined", _DECLINED, "lost_card", "9987"),
    "pm_card_chargeDeclinedStolenCard": _declines("card_declined", _DECLINED, "stolen_card", "9979"),
    "pm_card_chargeDeclinedFraudulent": _declines("card_declined", _DECLINED, "fraudulent", "0019"),
    "pm_card_chargeDeclinedExpiredCard": _declines("expired_card", "Your card has expired.", None, "0069"),
    "pm_card_chargeDeclinedIncorrectCvc": _declines(
        "incorrect_cvc", "Your card's security code is incorrect.", None, "0127"
    ),
    "pm_card_chargeDeclinedProcessingError": _declines(
        "processing_error", "An error occurred while processing your card. Try again in a little bit.", None, "0119"
    ),
    "pm_card_authenticationRequired": Magic(last4="3184", status=Status.REQUIRES_ACTION),
    "pm_card_threeDSecure2Required": Magic(last4="3220", status=Status.REQUIRES_ACTION),
    "pm_sandbox_processing": Magic(status=Status.PROCESSING),
    "pm_sandbox_unreachable": Magic(fault="unreachable"),
    "pm_sandbox_lost_answer": Magic(fault="lost_answer"),
}
"""Source of the `pm_card_` names.

Stripe, "Testing". `pm_card_visa_` and `pm_card_` decline alike. The `pm_sandbox_` names are ours.
"""


class SandboxAdapter:
    """A payment provider in a file. Needs no settings, refuses live stores."""

    name: ClassVar[str] = "sandbox"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting("books", "SQLite file for the sandbox's own books; default: sandbox.sqlite beside the database", ""),
    )
    operations: ClassVar[frozenset[str]] = frozenset({"create", "fetch", "find", "cancel"})
    replay_window: ClassVar[float] = DAY

    def __init__(self, settings: Mapping[str, str], *, live: bool, context: AdapterContext) -> None:
        if live:
            raise ConfigurationError("The sandbox never moves money and refuses a live store. Add it with --test.")
        self._clock = context.clock
        self._begun = False
        self._file = settings["books"] or str(context.directory / "sandbox.sqlite")

    def smallest(self, currency: str) -> int:
        if not re.fullmatch("[A-Z]{3}", currency):
            raise CurrencyNotSupported(currency)
        return step(currency)

    def prepare(self, payment: Payment) -> dict[str, Any]:
        billing = payment.order.billing
        return {
            "amount": payment.amount,
            "currency": payment.currency.lower(),
            "customer": stripe_identifier("customer", payment.customer),
            "payment_method": stripe_identifier("payment_method", payment.payment_method),
            "capture_method": payment.capture,
            "description": payment.description,
            "metadata": payment.metadata,
            "billing_details": {
                "address": {
                    "city": billing.city or None,
                    "country": billing.country or None,
                    "line1": billing.line1 or None,
                    "line2": billing.line2 or None,
                    "postal_code": billing.postal_code or None,
                    "state": billing.state or None,
                },
                "email": billing.email or None,
                "name": billing.name or None,
                "phone": billing.phone or None,
            },
        }

    def create(self, request: dict[str, Any], key: str) -> Outcome:
        magic = _magic(request["payment_method"])
        if magic.fault == "unreachable":
            raise ProviderUnreachable("The sandbox plays a provider that is down.", sent=False)
        with self._books() as books:
            known = books.execute("select 1 from payments where key = ?", (key,)).fetchone()
            if not known:
                self._pay(books, request, key, magic)
            outcome = _outcome(books, "key", key)
        if magic.fault == "lost_answer" and not known:
            raise ProviderUnreachable("The sandbox plays a provider whose answer is lost.")
        return outcome

    def find(self, request: dict[str, Any], key: str, since: float) -> Outcome | None:  # noqa: ARG002
        with self._books() as books:
            known = books.execute("select 1 from payments where key = ? and created >= ?", (key, since)).fetchone()
            return _outcome(books, "key", key) if known else None

    def fetch(self, reference: str) -> Outcome:
        with self._books() as books:
            return _outcome(books, "reference", reference)

    def cancel(self, reference: str, key: str) -> Outcome:  # noqa: ARG002
        with self._books() as books:
            voided = books.execute(
                "update payments set status = 'canceled' "
                "where reference = ? and status not in ('succeeded', 'canceled')",
                (reference,),
            )
            if voided.rowcount:
                self._enter(books, "canceled", reference)
            return _outcome(books, "reference", reference)

    def check(self) -> list[Finding]:
        try:
            with self._books():
                return [Finding(True, f"The sandbox keeps its books in {self._file}; no money moves.")]
        except sqlite3.Error as error:
            return [Finding(False, f"The sandbox cannot keep its books in {self._file}: {error}.")]

    def _pay(self, books: sqlite3.Connection, request: dict[str, Any], key: str, magic: Magic) -> None:
        status = magic.status
        if status is Status.SUCCEEDED and request["capture_method"] == "manual":
            status = Status.REQUIRES_CAPTURE
        reference = _name("pi_", key)
        books.execute(
            "insert into payments (reference, key, request, status, created) values (?, ?, ?, ?, ?)",
            (reference, key, json.dumps(request), status.value, self._clock()),
        )
        entry = {
            Status.SUCCEEDED: "charged",
            Status.REQUIRES_CAPTURE: "authorized",
            Status.REQUIRES_PAYMENT_METHOD: "declined",
        }.get(status, "started")
        self._enter(books, entry, reference)

    def _enter(self, books: sqlite3.Connection, kind: str, reference: str) -> None:
        """Add to the ledger, which is never changed."""
        books.execute(
            "insert into ledger (at, kind, reference, amount, currency, order_id) "
            "select ?, ?, reference, json_extract(request, '$.amount'), json_extract(request, '$.currency'), "
            "json_extract(request, '$.metadata.order_id') from payments where reference = ?",
            (self._clock(), kind, reference),
        )

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        if not self._begun:
            Path(self._file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=10)) as connection:
            connection.execute("pragma synchronous = off")
            if not self._begun:
                connection.executescript(_BOOKS)
                self._begun = True
            with connection:
                connection.execute("begin immediate")
                yield connection


_BOOKS = """
pragma journal_mode = wal;
create table if not exists payments (
  reference text primary key, key text not null unique, request text not null, status text not null, created real not
  null
);
create table if not exists ledger (
  seq integer primary key autoincrement, at real not null, kind text not null, reference text not null,
  amount integer not null, currency text not null, order_id integer
);
"""


def _outcome(books: sqlite3.Connection, column: str, value: str) -> Outcome:
    row = books.execute(
        f"select reference, request, status, created from payments where {column} = ?",  # noqa: S608 a constant
        (value,),
    ).fetchone()
    if row is None:
        raise ProviderRefused(f"Error: No such payment_intent: '{value}'", code="resource_missing")
    reference, request, status, created = row[0], json.loads(row[1]), Status(row[2]), row[3]
    magic = _magic(request["payment_method"])
    return Outcome(
        status=status,
        reference=reference,
        public_id=reference,
        amount=request["amount"],
        currency=request["currency"].upper(),
        customer=request["customer"],
        payment_method=request["payment_method"],
        charge=_charge(reference, request, status, magic, created),
        decline=magic.decline,
        created=created,
        next_action={"type": "use_stripe_sdk"} if status is Status.REQUIRES_ACTION else None,
        client_secret=_name(f"{reference}_secret_", reference) if status is Status.REQUIRES_ACTION else None,
        raw={"status": status.value, "reference": reference},
    )


def _magic(payment_method: str) -> Magic:
    name = payment_method.replace("pm_card_visa_", "pm_card_")
    if name not in MAGIC and name.startswith(("pm_card_", "pm_sandbox_")):
        raise ProviderRefused(f"Error: No such PaymentMethod: '{payment_method}'", code="resource_missing")
    return MAGIC.get(name, Magic())


def _name(prefix: str, seed: str) -> str:
    """`prefix` and 24 letters and digits that are always the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}{seed}".encode()).digest())
    alphabet = string.ascii_letters + string.digits
    characters = []
    for _ in range(24):
        number, index = divmod(number, len(alphabet))
        characters.append(alphabet[index])
    return prefix + "".join(characters)


def _charge(reference: str, request: dict[str, Any], status: Status, magic: Magic, created: float) -> Charge | None:
    if status in (Status.REQUIRES_ACTION, Status.REQUIRES_CONFIRMATION):
        return None
    captured = status is Status.SUCCEEDED
    failed = magic.decline is not None
    manual = request["capture_method"] == "manual" and not failed
    return Charge(
        id=_name("ch_", reference),
        amount=request["amount"],
        status="failed" if failed else "pending" if status is Status.PROCESSING else "succeeded",
        captured=captured,
        amount_captured=request["amount"] if captured else 0,
        balance_transaction=_name("txn_", reference) if captured else None,
        billing_details=request["billing_details"],
        card={
            "amount_authorized": None if failed else request["amount"],
            "brand": magic.brand,
            "capture_before": int(created) + AUTHORIZATION_SECONDS if manual else None,
            "country": "US",
            "exp_month": 12,
            "exp_year": 2034,
            "last4": magic.last4,
            "three_d_secure": None,
        },
        created=int(created),
    )
