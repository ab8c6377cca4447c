"""That answers are held against the SDK's types would show what is not right."""

import pytest
import stripe

from .resource_types import wrong


@pytest.fixture
def charge(call, pay):
    return pay(expand=["latest_charge"])["latest_charge"]


def test_an_answer_of_the_simulator_is_right(charge):
    assert list(wrong(charge, stripe.Charge, "charge")) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "1023"}, "charge.amount"),
        ({"amount": None}, "charge.amount is null"),
        ({"captured": 1}, "charge.captured"),
        ({"status": "weird"}, "charge.status is 'weird', not one of"),
        ({"no_such_member": 1}, "charge.no_such_member is not known"),
        ({"outcome": {"kind": "authorized"}}, "charge.outcome.kind is not known"),
        ({"billing_details": {"address": {"zip": "1"}}}, "charge.billing_details.address.zip is not known"),
    ],
)
def test_what_the_sdk_does_not_know_is_named(charge, changes, said):
    [found] = wrong(charge | changes, stripe.Charge, "charge")
    assert found.startswith(said)
