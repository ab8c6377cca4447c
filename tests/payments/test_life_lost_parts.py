"""A capture of a part whose answer was lost: found by looking, and taken once, however it is asked for again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.cli.operator import operate
from tests.payments.orders import at, authorized
from tests.plugins.local import Local, MakeLocal, refusal

OUTAGE = 1800.0
"""Seconds, more than those within which the same again is a repeat."""
FIRST, SECOND = {"Idempotency-Key": "the-first-part"}, {"Idempotency-Key": "the-second-part"}
NO_KEY: dict[str, str] = {}


@pytest.fixture
def parts(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, capture="manual", settings={"multicapture": "yes"})


def capture(local: Local, intent: str, amount: int | None = None, headers: dict[str, str] = NO_KEY) -> TestResponse:
    path = f"/wp-json/wc/v3/payments/orders/{local.orders['payable']}/capture_authorization"
    wanted = {"payment_intent_id": intent} | ({} if amount is None else {"amount": amount})
    return local.post(path, wanted, headers=headers)


@contextmanager
def away(local: Local) -> Iterator[None]:
    """The provider cannot be reached: the sandbox has no books."""
    books = Path(local.store.settings["books"])
    hidden = books.rename(books.with_suffix(".hidden"))
    yield
    hidden.replace(books)


def never_arrives(local: Local, intent: str, amount: int | None, headers: dict[str, str] = NO_KEY) -> str:
    """Ask for a capture of which the provider never hears; its attempt."""
    with away(local):
        told = capture(local, intent, amount, headers).get_json()["data"]
    assert (told["outcome"], told["reason"]) == ("unknown", "outcome_unknown")
    return str(told["attempt_id"])


def lost(local: Local, intent: str, amount: int | None, headers: dict[str, str] = NO_KEY) -> str:
    """Ask for a capture that the provider makes, and does not answer; its attempt."""
    attempt = never_arrives(local, intent, amount, headers)
    provider(local).capture(intent, amount or 1023, f"{attempt}:capture")
    return attempt


def provider(local: Local) -> Any:
    return local.bridge.services.stores.adapter(local.store)


def taken(local: Local, intent: str) -> int:
    return int(provider(local).fetch(intent).charge.amount_captured)


def later(local: Local, seconds: float = 10.0) -> None:
    local.clock.advance(seconds)
    local.work()


@pytest.mark.parametrize("headers", [NO_KEY, FIRST], ids=["no key", "key"])
@pytest.mark.parametrize("amount", [300, 1023, None])
def test_it_is_found_by_looking_and_its_repeat_takes_nothing(
    parts: Local, amount: int | None, headers: dict[str, str]
) -> None:
    intent, now = authorized(parts), amount or 1023
    attempt = lost(parts, intent, amount, headers)
    assert parts.show(attempt).get_json()["outcome"] == "unknown"
    assert capture(parts, intent, amount, headers).get_json()["data"]["attempt_id"] == attempt
    later(parts)
    shown = parts.show(intent).get_json()
    assert ("outcome" in shown, shown["charge"]["amount_captured"]) == (False, now)
    for _ in range(2):
        answer = capture(parts, intent, amount, headers)
        assert answer.get_json() == {"status": "succeeded" if now == 1023 else "requires_capture", "id": intent}
        parts.work()
    assert taken(parts, intent) == now
    assert sum(f"A payment of {now / 100:.2f} USD was successfully captured" in note for note in parts.notes()) == 1


@pytest.mark.parametrize("headers", [NO_KEY, FIRST], ids=["no key", "key"])
def test_its_repeat_after_a_long_outage_takes_nothing(parts: Local, headers: dict[str, str]) -> None:
    intent = authorized(parts)
    lost(parts, intent, 300, headers)
    with away(parts):
        later(parts, OUTAGE)
    later(parts, OUTAGE)
    assert capture(parts, intent, 300, headers).status_code == 200
    assert taken(parts, intent) == 300
    parts.clock.advance(601)
    assert capture(parts, intent, 300, SECOND).status_code == 200
    assert taken(parts, intent) == 600


@pytest.mark.parametrize("wanted", [{"amount": 300}, {"amount": 200}, {}], ids=["as much", "less", "the rest"])
def test_the_next_part_waits_until_it_is_known(parts: Local, wanted: dict[str, int]) -> None:
    intent = authorized(parts)
    attempt = lost(parts, intent, 300, FIRST)
    for answer in (
        capture(parts, intent, wanted.get("amount"), SECOND),
        at(parts, "capture_authorization", "payable", intent, **wanted),
        at(parts, "cancel_authorization", "payable", intent),
    ):
        assert answer.status_code == 500
        assert answer.get_json()["data"].items() >= {"reason": "in_progress", "attempt_id": attempt}.items()
    assert taken(parts, intent) == 300
    later(parts)
    assert capture(parts, intent, wanted.get("amount"), SECOND).status_code == 200
    assert taken(parts, intent) == (300 + wanted["amount"] if wanted else 1023)


@pytest.mark.parametrize("headers", [NO_KEY, FIRST], ids=["no key", "key"])
def test_what_never_arrived_is_taken_by_its_repeat_and_once_if_that_is_lost_as_well(
    parts: Local, headers: dict[str, str]
) -> None:
    intent = authorized(parts)
    first = never_arrives(parts, intent, 300, headers)
    later(parts)
    assert parts.show(first).get_json()["outcome"] == "unknown"
    later(parts, OUTAGE)
    assert taken(parts, intent) == 0
    assert lost(parts, intent, 300, headers) != first
    later(parts)
    for _ in range(2):
        assert capture(parts, intent, 300, headers).status_code == 200
    assert taken(parts, intent) == 300


def test_what_somebody_else_takes_meanwhile_is_not_taken_for_it(parts: Local) -> None:
    intent = authorized(parts)
    attempt = never_arrives(parts, intent, 300)
    provider(parts).capture(intent, 100, "at the dashboard")
    later(parts)
    assert parts.show(attempt).get_json()["outcome"] == "unknown"
    later(parts, OUTAGE)
    assert "outcome" not in parts.show(attempt).get_json()
    assert capture(parts, intent, 300).status_code == 200
    assert taken(parts, intent) == 400


def test_what_somebody_else_has_taken_does_not_make_a_refused_capture_a_good_one(parts: Local) -> None:
    intent = authorized(parts)
    provider(parts).capture(intent, 600, "at the dashboard")
    assert refusal(capture(parts, intent, 500))[:2] == (400, "wcpay_capture_error")
    assert parts.show(intent).get_json()["charge"]["amount_captured"] == 600
    parts.work()
    assert any("A capture of 5.00 USD failed to complete" in note for note in parts.notes())


def test_a_part_is_settled_as_paid_on_a_persons_word_and_the_rest_waits(parts: Local) -> None:
    intent = authorized(parts)
    attempt = lost(parts, intent, 300)
    parts.clock.advance(60)
    told = ("settle", intent, "--as", "paid", "--reason", "seen at the provider")
    with away(parts):
        assert "could not be asked" in operate(parts, *told, code=1).stderr
        operate(parts, *told, "--unchecked")
        shown = parts.show(attempt).get_json()
    assert (shown["status"], shown["charge"]["amount_captured"]) == ("requires_capture", 300)
    assert capture(parts, intent).get_json()["status"] == "succeeded"
    assert taken(parts, intent) == 1023
