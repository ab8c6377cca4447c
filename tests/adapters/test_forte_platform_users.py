"""Whose Forte user pays: the one who is in the table, or the only one with the order's address; never another."""

import pytest

from bridge.adapters import (
    ProviderConfused,
    ProviderRefused,
    ProviderUnreachable,
)
from tests.adapters.forte_platform_provider import ANN, forte
from tests.adapters.orders import CUSTOMER


@pytest.fixture
def world():
    with forte() as world:
        yield world


def refusal(world, adapter=None, **changes):
    with pytest.raises(ProviderRefused) as caught:
        world.create(adapter, **changes)
    return caught.value


def test_72_81_a_user_that_forte_does_not_know_is_told_before_anything_is_made(world):
    refused = refusal(world, world.adapter(users=f"{CUSTOMER}=usr_nobody"))
    assert refused.reason == "user_missing"
    assert str(refused) == "Error: Forte does not have the user usr_nobody in this project."
    assert world.created == []


def test_72_the_user_in_the_address_is_the_one_who_is_charged(world):
    world.create()
    assert world.created[0].path == f"/api/v1/projects/{world.project}/users/{world.user}/payments"
    world.answer_next("POST ", userId="usr_other")
    with pytest.raises(ProviderConfused):
        world.create(attempt_id="f" * 32)


def test_72_a_customer_can_be_the_one_user_with_the_orders_address(world):
    adapter = world.adapter(users="", user_lookup="email")
    world.simulator.add_user(world.project, "bea@example.com")
    outcome = world.create(adapter, customer="cus_any", billing=type(ANN)(email="ANN@example.com"))
    assert world.simulator.payment(outcome.reference)["userId"] == world.user


@pytest.mark.parametrize(
    ("emails", "states", "reason"),
    [
        ([], [], "user_missing"),
        (["zoe@example.com", "Zoe@Example.com"], ["ACTIVE", "ACTIVE"], "user_ambiguous"),
        (["zoe@example.com"], ["SUSPENDED"], "user_missing"),
    ],
)
def test_72_an_address_that_is_not_exactly_one_users_charges_nobody(world, emails, states, reason, caplog):
    for email, state in zip(emails, states, strict=True):
        world.simulator.add_user(world.project, email, state=state)
    adapter = world.adapter(user_lookup="email")
    refused = refusal(world, adapter, customer="cus_any", billing=type(ANN)(email="zoe@example.com"))
    assert refused.reason == reason
    assert "zoe" not in f"{refused} {refused.details}".lower()
    assert world.created == []


@pytest.mark.parametrize("contact", [{"verified": False}, {"verified": ...}, {"email": "ann@example.com.example"}])
def test_72_only_the_very_address_that_a_user_has_verified_counts(world, contact):
    known = {"email": "ann@example.com", "verified": True} | contact
    contacts = [{name: value for name, value in known.items() if value is not ...}]
    user = {"userId": world.user, "state": "ACTIVE", "contactMethods": contacts}
    world.replace_next("GET ", {"items": [user], "hasNextPage": False})
    refused = refusal(world, world.adapter(users="", user_lookup="email"), customer="cus_any")
    assert refused.reason == "user_missing"


def test_72_two_users_of_whom_one_is_suspended_are_one(world):
    world.simulator.add_user(world.project, "ann@example.com", state="SUSPENDED")
    assert world.create(world.adapter(users="", user_lookup="email"), customer="cus_any").client_secret


def test_72_a_list_of_users_that_makes_no_sense_charges_nobody(world):
    world.replace_next("GET ", {"items": [{"userId": 7}], "hasNextPage": False})
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(world.adapter(users="", user_lookup="email"))
    assert not caught.value.sent
