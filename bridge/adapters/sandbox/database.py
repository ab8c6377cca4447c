"""The sandbox's data: payments, refunds, disputes and an append-only ledger in an SQLite file of their own, so that it
remembers, like a real provider, what it was asked before the bridge crashed. Knows rows, and not what they mean."""

import hashlib
import json
import sqlite3
import string
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bridge.adapters.sandbox.test_cards import TestCard, test_card_of
from bridge.domain.errors import ProviderRefused
from bridge.domain.intents import MONEY, Dispute, Refund, RefundStatus, Status

_SCHEMA = """
pragma journal_mode = wal;
create table if not exists payments (
  reference text primary key, key text not null unique, request text not null, status text not null, created real not
  null
);
create table if not exists presented (reference text primary key, payment_method text not null, at real not null);
create table if not exists captures (key text primary key);
create table if not exists refunds (
  id text primary key, key text not null unique, reference text not null, amount integer not null, status text not null,
  reason text not null, operation_id text not null, created real not null, failure text not null
);
create index if not exists refunds_reference on refunds (reference);
create table if not exists disputes (
  id text primary key, reference text not null, amount integer not null, status text not null, reason text not null,
  created real not null, due_by real not null
);
create index if not exists disputes_reference on disputes (reference);
create table if not exists ledger (
  seq integer primary key autoincrement, at real not null, kind text not null, reference text not null,
  amount integer not null, currency text not null, order_id integer
);
create index if not exists ledger_reference on ledger (reference);
"""
_PAYMENT = (
    "select p.reference, p.request, p.status, p.created, c.payment_method, c.at "
    "from payments p left join presented c using (reference) where "
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment as it was asked for and stands. `held_from` (Unix seconds) is when a card was used.

    `payment_method` is the one that was used, None while no card was presented to the reader.
    """

    reference: str
    request: dict[str, Any]
    status: Status
    created: float
    held_from: float
    payment_method: str | None

    @property
    def amount(self) -> int:
        return int(self.request["amount"])

    @property
    def magic(self) -> TestCard:
        return test_card_of(self.payment_method) if self.payment_method else TestCard()

    @property
    def asked_in_vain(self) -> bool:
        """Whether the payer's bank has asked the payer, and was not convinced."""
        return self.status is Status.REQUIRES_PAYMENT_METHOD and self.magic.status is Status.REQUIRES_ACTION

    @property
    def reader(self) -> str | None:
        """How a card reader takes the card; None for a payment without one."""
        methods = self.request.get("terminal")
        return ("card_present" if "card_present" in methods else "interac_present") if methods else None


class Page:
    """The data while one transaction has it open. `now` is Unix seconds."""

    def __init__(self, connection: sqlite3.Connection, now: float) -> None:
        self._sql = connection
        self.now = now

    def by_key(self, key: str, since: float = 0.0) -> Entry | None:
        return self._payment("p.key = ? and p.created >= ?", key, since)

    def find(self, reference: str) -> Entry:
        """Raises ProviderRefused if there is none."""
        found = self._payment("p.reference = ?", reference)
        if found is None:
            sentence = f"Error: No such payment_intent: '{reference}'"
            raise ProviderRefused(sentence, code="resource_missing", status=404)
        return found

    def since(self, moment: float) -> list[tuple[str, Entry]]:
        """Payments that were made or changed since then (Unix seconds), oldest first, with their keys."""
        query = (
            "select p.key, p.reference from payments p where p.created >= ? or exists (select 1 from ledger l "
            "where l.reference = p.reference and l.at >= ?) or exists (select 1 from disputes d "
            "where d.reference = p.reference and d.created >= ?) order by p.rowid"
        )
        rows = self._sql.execute(query, (moment, moment, moment)).fetchall()
        return [(key, self.find(reference)) for key, reference in rows]

    def add(self, reference: str, key: str, request: dict[str, Any], status: Status) -> Entry:
        self._sql.execute(
            "insert into payments (reference, key, request, status, created) values (?, ?, ?, ?, ?)",
            (reference, key, json.dumps(request), status.value, self.now),
        )
        return Entry(reference, request, status, self.now, self.now, request["payment_method"])

    def change(self, entry: Entry, status: Status) -> Entry:
        self._sql.execute("update payments set status = ? where reference = ?", (status.value, entry.reference))
        return replace(entry, status=status)

    def present(self, entry: Entry, payment_method: str) -> Entry:
        self._sql.execute(
            "insert or replace into presented (reference, payment_method, at) values (?, ?, ?)",
            (entry.reference, payment_method, self.now),
        )
        return replace(entry, payment_method=payment_method, held_from=self.now)

    def write(self, kind: str, entry: Entry, amount: int | None = None) -> None:
        """Add to the ledger, which is never changed; minor units, of the whole payment unless it says less."""
        request = entry.request
        self._sql.execute(
            "insert into ledger (at, kind, reference, amount, currency, order_id) values (?, ?, ?, ?, ?, ?)",
            (
                self.now,
                kind,
                entry.reference,
                entry.amount if amount is None else amount,
                request["currency"],
                request["metadata"].get("order_id"),
            ),
        )

    def sum(self, entry: Entry, *kinds: str) -> int:
        """What the ledger has of these kinds."""
        marks = ", ".join("?" * len(kinds))
        query = f"select coalesce(sum(amount), 0) from ledger where reference = ? and kind in ({marks})"  # noqa: S608
        return int(self._sql.execute(query, (entry.reference, *kinds)).fetchone()[0])

    def refunds(self, entry: Entry) -> list[Refund]:
        """Newest first. Only what was taken can have any."""
        if entry.status not in MONEY:
            return []
        rows = self._sql.execute(
            "select id, amount, status, reason, operation_id, created, failure from refunds where reference = ? "
            "order by rowid desc",
            (entry.reference,),
        ).fetchall()
        charge_id = charge_of(entry.reference) if rows else ""
        return [
            Refund(identifier, charge_id, amount, RefundStatus(status), reason, operation_id, int(created), failure)
            for identifier, amount, status, reason, operation_id, created, failure in rows
        ]

    def knows_capture(self, key: str) -> bool:
        """Whether a capture was made under the key."""
        return self._sql.execute("select 1 from captures where key = ?", (key,)).fetchone() is not None

    def add_capture(self, key: str) -> None:
        self._sql.execute("insert into captures values (?)", (key,))

    def refund_of_key(self, key: str) -> str | None:
        """The id of the refund that was made under the key."""
        row = self._sql.execute("select id from refunds where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def add_refund(self, entry: Entry, key: str, refund: Refund) -> None:
        self._sql.execute(
            "insert into refunds values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                refund.id,
                key,
                entry.reference,
                refund.amount,
                refund.status.value,
                refund.reason,
                refund.operation_id,
                self.now,
                "",
            ),
        )

    def change_refund(self, refund: Refund, status: RefundStatus, failure: str) -> None:
        self._sql.execute("update refunds set status = ?, failure = ? where id = ?", (status, failure, refund.id))

    def dispute(self, entry: Entry) -> Dispute | None:
        """The newest. Only what was taken can have one."""
        if entry.status is not Status.SUCCEEDED:
            return None
        row = self._sql.execute(
            "select id, amount, status, reason, due_by, created from disputes where reference = ? "
            "order by rowid desc limit 1",
            (entry.reference,),
        ).fetchone()
        if row is None:
            return None
        identifier, amount, status, reason, due_by, created = row
        return Dispute(identifier, charge_of(entry.reference), amount, status, reason, int(due_by), int(created))

    def add_dispute(self, entry: Entry, dispute: Dispute) -> None:
        self._sql.execute(
            "insert into disputes values (?, ?, ?, ?, ?, ?, ?)",
            (
                dispute.id,
                entry.reference,
                dispute.amount,
                dispute.status,
                dispute.reason,
                dispute.created,
                dispute.due_by,
            ),
        )

    def change_dispute(self, dispute: Dispute, status: str) -> None:
        self._sql.execute("update disputes set status = ? where id = ?", (status, dispute.id))

    def _payment(self, condition: str, *values: Any) -> Entry | None:
        row = self._sql.execute(_PAYMENT + condition, values).fetchone()
        if row is None:
            return None
        reference, request, status, created, presented, at = row
        asked = json.loads(request)
        used = presented or asked["payment_method"]
        return Entry(reference, asked, Status(status), created, at or created, used)


class SandboxDatabase:
    """The file, opened for one transaction at a time."""

    def __init__(self, file: str, clock: Callable[[], float]) -> None:
        self.file = file
        self._clock = clock
        self._begun = False

    @contextmanager
    def open(self) -> Iterator[Page]:
        """Nobody else writes meanwhile. Raises sqlite3.Error."""
        if not self._begun:
            Path(self.file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            Path(self.file).touch(mode=0o600)  # it has buyers' addresses in it; SQLite's own files beside it follow
        with closing(sqlite3.connect(self.file, timeout=10)) as connection:
            connection.execute("pragma synchronous = off")
            if not self._begun:
                connection.executescript(_SCHEMA)
                self._begun = True
            with connection:
                connection.execute("begin immediate")
                yield Page(connection, self._clock())


_ALPHABET = string.ascii_letters + string.digits


def name(prefix: str, seed: str, length: int = 24) -> str:
    """`prefix` and letters and digits that are always the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}{seed}".encode()).digest())
    characters = []
    for _ in range(length):
        number, index = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[index])
    return prefix + "".join(characters)


def charge_of(reference: str) -> str:
    """The id of a payment's charge."""
    return name("ch_", reference)
