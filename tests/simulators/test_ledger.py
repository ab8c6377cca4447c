"""The ledger: append-only, filtered, and readable by another process."""

import json
import subprocess
import sys
import threading
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from bridge.simulators.ledger import Ledger, read_ledger


def captured(ledger: Ledger, amount: int = 1023, order: str = "12", account: str = "acct_1", charge: str = "ch_1"):
    return ledger.record(
        "captured",
        account=account,
        object_id="pi_1",
        charge_id=charge,
        amount=amount,
        currency="usd",
        destination="acct_2",
        on_behalf_of="acct_2",
        application_fee=50,
        metadata={"order_id": order},
    )


def test_an_entry_says_what_happened_when_and_to_whom():
    entry = captured(Ledger(clock=lambda: 1700000000.5))
    assert json.loads(entry.to_json()) == {
        "sequence": 1,
        "time": 1700000000.5,
        "kind": "captured",
        "account": "acct_1",
        "object_id": "pi_1",
        "charge_id": "ch_1",
        "amount": 1023,
        "currency": "usd",
        "destination": "acct_2",
        "on_behalf_of": "acct_2",
        "application_fee": 50,
        "metadata": {"order_id": "12"},
    }


def test_entries_cannot_be_changed_from_outside():
    ledger = Ledger()
    metadata = {"order_id": "12"}
    entry = ledger.record("refunded", account="acct_1", object_id="re_1", amount=5, currency="usd", metadata=metadata)
    metadata["order_id"] = "13"
    with pytest.raises(FrozenInstanceError):
        entry.amount = 6  # type: ignore[misc]
    with pytest.raises(TypeError):
        entry.metadata["order_id"] = "14"  # type: ignore[index]
    assert ledger.entries()[0].metadata == {"order_id": "12"}
    assert isinstance(ledger.entries(), tuple)


def test_entries_are_filtered_by_everything_that_is_given():
    ledger = Ledger()
    first = captured(ledger, order="12")
    second = captured(ledger, order="13", account="acct_9", charge="ch_2")
    ledger.record("refunded", account="acct_1", object_id="re_1", charge_id="ch_1", amount=5, currency="usd")
    assert ledger.entries("captured") == (first, second)
    assert ledger.entries("captured", account="acct_9") == (second,)
    assert ledger.entries(charge_id="ch_1", metadata={"order_id": "12"}) == (first,)
    assert ledger.entries("captured", metadata={"order_id": "12", "attempt_id": "a"}) == ()
    assert [entry.kind for entry in ledger.entries(charge_id="ch_1")] == ["captured", "refunded"]
    assert ledger.entries("captured", after=first.sequence) == (second,)
    assert ledger.entries(after=3) == ()


@pytest.mark.parametrize("amount", [-1, 1.5, True, "10"])
def test_an_amount_that_is_not_minor_units_is_refused(amount):
    ledger = Ledger()
    with pytest.raises(ValueError, match="minor units"):
        ledger.record("captured", account="a", object_id="o", amount=amount, currency="usd")
    assert ledger.entries() == ()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="not one of the ledger's kinds"):
        Ledger().record("stolen", account="a", object_id="o", amount=1, currency="usd")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["refund_failed", "disputed", "dispute_won", "dispute_lost"])
def test_what_comes_after_a_capture_has_a_word_each(tmp_path: Path, kind):
    path = tmp_path / "ledger.jsonl"
    Ledger(path).record(kind, account="acct_1", object_id="du_1", charge_id="ch_1", amount=5, currency="usd")
    [entry] = read_ledger(path)
    assert (entry.kind, entry.object_id, entry.amount) == (kind, "du_1", 5)


def test_another_process_reads_what_was_written(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    captured(ledger)
    code = (
        "import sys, pathlib; from bridge.simulators.ledger import read_ledger;"
        "[entry] = read_ledger(pathlib.Path(sys.argv[1])); print(entry.kind, entry.amount, entry.metadata['order_id'])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "captured 1023 12\n"
    assert read_ledger(path) == ledger.entries()
    assert path.stat().st_mode & 0o777 == 0o600


def test_two_ledgers_append_to_one_file(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    captured(Ledger(path), order="1")
    captured(Ledger(path), order="2")
    assert [entry.metadata["order_id"] for entry in read_ledger(path)] == ["1", "2"]


def test_a_line_that_is_no_entry_is_reported(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    path.write_text('{"kind":"captured"}\n')
    with pytest.raises(ValueError, match="not a ledger entry"):
        read_ledger(path)


def test_threads_never_share_a_sequence_number_nor_tear_a_line(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    threads = [threading.Thread(target=lambda: [captured(ledger) for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.sequence for entry in ledger.entries()] == list(range(1, 201))
    assert read_ledger(path) == ledger.entries()
