"""Forte Platforms as its API is: case D7, D8 and D9; of August 2026 by default, of May by the setting `api`."""

from dataclasses import replace

import pytest

from bridge.adapters import ProviderRefused, ProviderUnreachable, Status
from bridge.simulators.faults import Fault
from tests.adapters.forte_platform_provider import CUSTOMER, forte, payment
from tests.adapters.orders import ATTEMPT, KEY

MAY = {"api": "2026-05"}


@pytest.fixture
def world():
    with forte() as world:
        yield world


def creates(request):
    return request.method == "POST" and request.path.endswith("/payments")


def taken(world):
    return [entry.amount for entry in world.simulator.ledger.entries("captured")]


@pytest.mark.parametrize("currency", ["USD", "Usd", "usd"])
def test_d7_a_currency_is_compared_without_case(world, currency):
    adapter = world.adapter()
    world.answer_next("POST ", currency=currency)
    made = world.create(adapter)
    assert (made.status, made.currency) == (Status.REQUIRES_PAYMENT_METHOD, "USD")
    assert made.client_secret
    world.answer_next("GET ", currency=currency)
    assert adapter.fetch(made.reference).currency == "USD"


@pytest.mark.parametrize("members", [{"state": "WEIRD"}, {"stripeStatus": "weird"}, {"state": "PROCESSING"}])
def test_d9_what_nobody_knows_is_processing_without_anything_to_pay_with(world, members):
    world.answer_next("POST ", **members)
    outcome = world.create()
    assert outcome.status is Status.PROCESSING
    assert (outcome.client_secret, outcome.provider_data, outcome.next_action) == (None, None, None)


def test_d8_a_saved_method_that_the_caller_names_is_charged_off_session(world):
    method = world.simulator.add_payment_method(world.user)
    outcome = world.create(payment_method=method)
    assert (outcome.status, outcome.charge.amount) == (Status.SUCCEEDED, 1023)
    assert (outcome.client_secret, outcome.provider_data) == (None, None)
    [request] = world.created
    assert (request.body["paymentMethodId"], request.body["offSession"]) == (method, True)
    assert taken(world) == [1023]


def test_d8_a_method_of_somebody_else_is_not_charged(world):
    """The buyer chooses one in the browser, as if the caller had named none that Forte knows."""
    stranger = world.simulator.add_user(world.project, "bea@example.com")
    method = world.simulator.add_payment_method(stranger)
    outcome = world.create(payment_method=method)
    assert outcome.status is Status.REQUIRES_PAYMENT_METHOD
    assert outcome.client_secret
    [request] = world.created
    assert {"paymentMethodId", "offSession"} & set(request.body) == set()
    assert taken(world) == []


@pytest.mark.parametrize("card", ["pm_card_chargeDeclined", "pm_card_authenticationRequired"])
@pytest.mark.parametrize("kept", [True, False])
def test_d8_a_decline_is_a_value_whether_forte_keeps_the_payment_or_not(world, card, kept):
    method = world.simulator.add_payment_method(world.user, card)
    if not kept:
        empty = {"items": [], "hasNextPage": False}
        world.simulator.spoil_next(
            lambda body, status: (empty if "items" in body else body, status), match="GET ", times=9
        )
    outcome = world.create(payment_method=method)
    assert (outcome.status, outcome.decline.code) == (Status.CANCELED, "card_declined")
    assert outcome.decline.message
    assert (outcome.amount, outcome.currency, outcome.client_secret) == (1023, "USD", None)
    assert taken(world) == []


def test_d8_a_lost_answer_to_an_off_session_charge_is_found_and_never_sent_again(world):
    method = world.simulator.add_payment_method(world.user)
    adapter = world.adapter()
    request = adapter.prepare(payment(payment_method=method))
    world.faults.next(Fault.DROPPED, match=creates)
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.create(request, KEY)
    assert caught.value.sent
    found = adapter.find(request, KEY, world.clock.now - 60)
    assert (found.status, found.attempt_id) == (Status.SUCCEEDED, ATTEMPT)
    assert len(world.created) == 1
    assert taken(world) == [1023]


def test_d8_a_draft_that_is_being_charged_off_session_is_not_free(world):
    """Its secret was never ours, and yet it is not proven that nobody can pay it: Forte may be at it."""
    method = world.simulator.add_payment_method(world.user)
    adapter = world.adapter()
    made = world.create(adapter, payment_method=method)
    world.answer_next("GET ", state="DRAFT", stripeStatus="requires_payment_method")
    assert adapter.fetch(made.reference).status is Status.PROCESSING


def test_d8_saved_cards_are_listed_and_a_stranger_has_none(world):
    visa = world.simulator.add_payment_method(world.user)
    adapter = world.adapter()
    [shown] = adapter.payment_methods(CUSTOMER)
    assert (shown["id"], shown["type"]) == (visa, "card")
    assert shown["card"] == {"brand": "visa", "last4": "4242", "exp_month": 12, "exp_year": 2034}
    assert adapter.payment_methods("cus_nobody") == []


def test_d8_bank_accounts_are_not_listed(world):
    bank = {"id": "pm_1Bank", "type": "us_bank_account", "bankName": "Bank", "isDefault": False}
    world.simulator.add_payment_method(world.user)
    world.simulator.spoil_next(lambda body, status: ([*body, bank], status), match="payment-methods")
    assert [one["type"] for one in world.adapter().payment_methods(CUSTOMER)] == ["card"]


def test_d8_in_may_there_are_neither_saved_methods_nor_refunds():
    with forte(version="2026-05") as world:
        adapter = world.adapter(**MAY)
        assert {"refund", "payment_methods"} & adapter.operations == set()
        method = world.simulator.add_payment_method(world.user)
        made = world.create(adapter, payment_method=method)
        assert made.status is Status.REQUIRES_PAYMENT_METHOD
        [request] = world.created
        assert {"paymentMethodId", "offSession"} & set(request.body) == set()
        world.pay(made)
        assert adapter.fetch(made.reference).status is Status.SUCCEEDED
        assert [one.reference for one in adapter.listed(world.clock.now - 60)] == [made.reference]
        assert adapter.find(adapter.prepare(payment()), KEY, world.clock.now - 60).reference == made.reference
        world.simulator.refund_on_stripe(made.reference)
        assert [refund.amount for refund in adapter.fetch(made.reference).refunds] == [1023]


def test_d8_the_payments_of_may_have_none_of_what_came_later():
    with forte(version="2026-05") as world:
        shapes = []
        world.simulator.spoil_next(
            lambda body, status: (shapes.append(body["payment"]), (body, status))[1], match="POST "
        )
        world.create(world.adapter(**MAY))
        [shape] = shapes
        assert {"supportedPaymentMethods", "refundHistory", "refundedAmountCents"} & set(shape) == set()


@pytest.mark.parametrize("settings", [MAY, {}], ids=["May", "August"])
def test_d8_either_setting_works_at_the_api_of_august(world, settings):
    made = world.create(world.adapter(**settings))
    assert made.status is Status.REQUIRES_PAYMENT_METHOD
    world.pay(made)
    assert world.adapter(**settings).fetch(made.reference).status is Status.SUCCEEDED


def test_d8_the_api_of_may_answers_for_the_setting_of_august_too():
    """Only what is not there is refused, in words."""
    with forte(version="2026-05") as world:
        adapter = world.adapter()
        made = world.create(adapter)
        world.pay(made)
        assert adapter.fetch(made.reference).status is Status.SUCCEEDED
        request = replace_refund(made)
        with pytest.raises(ProviderRefused):
            adapter.refund(request, "op:refund")


def replace_refund(made):
    from bridge.adapters import RefundRequest

    return replace(RefundRequest(made.reference, "", 100, "USD", "", "op"), charge_id="ch_1")
