"""A whole life of a payment over a bad network: the store ends as over a good one, with every effect once."""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from bridge.domain.orders import UpdateKind

from .conftest import Shop

LIFE: tuple[tuple[UpdateKind, dict[str, Any]], ...] = (
    (UpdateKind.AUTHORIZED, {}),
    (UpdateKind.PAID, {}),
    (UpdateKind.REFUNDED, {"refund_id": "re_1", "refund_amount": 300}),
    (UpdateKind.REFUNDED, {"refund_id": "re_2", "refund_amount": 300}),
    (UpdateKind.REFUND_FAILED, {"refund_id": "re_1", "refund_amount": 300}),
    (UpdateKind.DISPUTED, {"refund_id": "dp_1"}),
    (UpdateKind.DISPUTE_WON, {"refund_id": "dp_1"}),
    (UpdateKind.DISPUTED, {"refund_id": "dp_2"}),
    (UpdateKind.DISPUTE_LOST, {"refund_id": "dp_2", "refund_amount": 723, "refund_reason": "Dispute lost."}),
)
STATUSES = ["Pending payment", "On hold", "Processing", "On hold", "Processing", "On hold", "Refunded"]


@pytest.mark.parametrize("seed", range(12))
def test_a_bad_network_changes_nothing_about_how_it_ends(open_shop: Callable[..., Shop], seed: int) -> None:
    shop = open_shop(weather=Random(seed))
    order_id = shop.simulator.add_order(total="10.23")
    for number, (kind, more) in enumerate(LIFE):
        update = shop.update(kind, order_id, operation_id=f"operation-{number}", note=f"Step {number}", **more)
        assert shop.insist(update).done

    assert len(shop.faults.injected) > 5
    steps = [f"Order status changed from {one} to {next_}." for one, next_ in pairwise(STATUSES)]
    notes = [note["note"].partition(" [ref ")[0] for note in shop.simulator.notes(order_id)]
    assert [note for note in notes if note in steps] == steps
    assert sorted(set(notes) - set(steps)) == [f"Step {number}" for number in range(len(LIFE))]
    assert len(notes) == len(steps) + len(LIFE)
    refunds = [(one["amount"], one["reason"]) for one in shop.simulator.refunds(order_id)]
    assert refunds == [("3.00", ""), ("7.23", "Dispute lost.")]
    assert shop.status(order_id) == "refunded"
