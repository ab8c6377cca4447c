"""Card data is known however it is written, ids and numbers of other kinds are not taken for it, in linear time."""

import time
from random import Random
from typing import Any

import pytest

from bridge.domain.card_data import holds_card_data
from tests.domain.card_numbers import ids

IDS, BATCH = 100_000, 20
BODY = 256 * 1024
LONGEST_SECONDS = 0.5
"""Of CPU, for a body of BODY bytes: it took three seconds when each digit was looked at again for each before it."""


def test_no_id_is_taken_for_a_card_number() -> None:
    random = Random(15)
    kinds = ids(random)
    names = [random.choice(list(kinds)) for _ in range(IDS)]
    made = [kinds[name]() for name in names]
    batches = [made[at : at + BATCH] for at in range(0, IDS, BATCH)]
    assert [batch for batch in batches if holds_card_data(batch, [f"About {each}." for each in batch])] == []


@pytest.mark.parametrize(
    "text",
    [
        "5 " * (BODY // 2),
        "55 " * (BODY // 3),
        "5" * BODY,
        "4.0." * (BODY // 4),
        "\u0665 " * (BODY // 3),
        "0 " * (BODY // 2),
        "5555555555555555 " * (BODY // 17),
        "5" * 15 + "a" * (BODY - 15),
        "4" + " " * BODY,
        "deadbeef" * (BODY // 8),
        "4444x" * (BODY // 5),
        "cvc " * (BODY // 4),
    ],
    ids=lambda text: text[:20],
)
def test_a_large_text_costs_little(text: str) -> None:
    begun = time.thread_time()
    holds_card_data({"reason": text})
    assert time.thread_time() - begun < LONGEST_SECONDS


@pytest.mark.parametrize("value", [["4242", "x", 1], {"a": None, "b": True}, float("1e300"), -(10**30), "", []])
def test_whatever_json_may_hold_can_be_looked_at(value: Any) -> None:
    assert not holds_card_data(value)
