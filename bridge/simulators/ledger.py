"""The judge's book: an append-only ledger of money facts, as a simulated provider saw them.

Every simulator writes here what really happened to money, so that a test, or a judge in another process that
reads the file, can compare it with what the bridge believes. Knows nothing of any provider, nor of HTTP.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

Kind = Literal[
    "authorised",  # money is held on the payer's side
    "captured",  # money was taken; a payment without a separate capture has both entries
    "released",  # the part of a hold that a partial capture let go
    "canceled",  # the payment can no longer be taken; the amount is the hold that it let go, 0 if there was none
    "refunded",  # money was sent back, or is on its way
    "refund_failed",  # a refund did not reach the payer: its amount is the merchant's again
    "disputed",  # a payer's bank took the amount back for the time of a dispute
    "dispute_won",  # and returned it
    "dispute_lost",  # or keeps it for good: nothing moves any more
    "fee",  # the platform's application fee
    "fee_refunded",
    "transfer",
    "transfer_reversed",
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One money fact. `amount` and `application_fee` are minor units of `currency` (lower-case ISO code), `time` is
    Unix seconds, `account` the account that holds `object_id`; `metadata` is read-only."""

    sequence: int
    time: float
    kind: Kind
    account: str
    object_id: str
    charge_id: str | None
    amount: int
    currency: str
    destination: str | None = None
    on_behalf_of: str | None = None
    application_fee: int | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def to_json(self) -> str:
        """The entry as one line of JSON, without the line end."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**values, "metadata": dict(self.metadata)}, separators=(",", ":"))


class Ledger:
    """Entries in the order in which they happened; safe to share between threads and simulators.

    With `path` each entry is also appended to that file as one JSON line in one write, so a reader in another
    process never sees half an entry. What the file held before stays there and is not read.
    """

    def __init__(self, path: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[LedgerEntry] = []

    def record(
        self,
        kind: Kind,
        *,
        account: str,
        object_id: str,
        amount: int,
        currency: str,
        charge_id: str | None = None,
        destination: str | None = None,
        on_behalf_of: str | None = None,
        application_fee: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> LedgerEntry:
        """Append one fact and return it. ValueError for an unknown kind or an amount that is not an integer >= 0."""
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not one of the ledger's kinds: {', '.join(KINDS)}")
        if type(amount) is not int or amount < 0:
            raise ValueError(f"an amount in minor units is an integer of at least 0, not {amount!r}")
        with self._lock:
            entry = LedgerEntry(
                sequence=len(self._entries) + 1,
                time=self._clock(),
                kind=kind,
                account=account,
                object_id=object_id,
                charge_id=charge_id,
                amount=amount,
                currency=currency,
                destination=destination,
                on_behalf_of=on_behalf_of,
                application_fee=application_fee,
                metadata=MappingProxyType(dict(metadata or {})),
            )
            if self._path is not None:
                _append_line(self._path, entry.to_json())
            self._entries.append(entry)
        return entry

    def entries(
        self,
        kind: Kind | None = None,
        *,
        account: str | None = None,
        object_id: str | None = None,
        charge_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
        after: int = 0,
    ) -> tuple[LedgerEntry, ...]:
        """The entries that match everything given, oldest first; `metadata` matches if all its pairs are there.

        With `after` only those that have a higher `sequence`: a reader who comes again reads what is new.
        """
        asked = {"kind": kind, "account": account, "object_id": object_id, "charge_id": charge_id}
        wanted = {name: value for name, value in asked.items() if value is not None}
        pairs = (metadata or {}).items()
        with self._lock:
            every = tuple(self._entries[after:])
        return tuple(
            entry
            for entry in every
            if all(getattr(entry, name) == value for name, value in wanted.items()) and pairs <= entry.metadata.items()
        )


def read_ledger(path: Path) -> tuple[LedgerEntry, ...]:
    """The entries of a ledger file, in file order. OSError if it cannot be read, ValueError for any other line."""
    return tuple(_entry(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())


def _entry(values: Any) -> LedgerEntry:
    try:
        return LedgerEntry(**{**values, "metadata": MappingProxyType(values["metadata"])})
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a ledger entry: {error}") from error


def _append_line(path: Path, line: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)
