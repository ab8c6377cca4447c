"""What Forte Platforms' answers about a payment mean: its state, its sum, what is missing, and what makes no sense."""

import threading
from decimal import Decimal

import pytest
import responses

from bridge.adapters import (
    AdapterContext,
    ProviderConfused,
    ProviderRefused,
    ProviderUnreachable,
    Status,
)
from bridge.simulators.faults import Fault
from tests.adapters.forte_platform_provider import adapter as forte_adapter
from tests.adapters.forte_platform_provider import forte, line, payment
from tests.adapters.orders import CUSTOMER, KEY, TIMEOUT

FORTE_TAX = {"tax_mode": "forte", "tax_code": "txcd_10000000"}


@pytest.fixture
def world():
    with forte() as world:
        yield world


def _lines(total):
    return (line(total=total, subtotal=total),)


def creates(request):
    return request.method == "POST" and request.path.endswith("/payments")


def refusal(world, adapter=None, **changes):
    with pytest.raises(ProviderRefused) as caught:
        world.create(adapter, **changes)
    return caught.value


def test_110_a_paid_payment_has_a_charge_and_nothing_invented(world):
    adapter = world.adapter()
    outcome = world.create(adapter)
    world.clock.advance(60)
    world.pay(outcome)
    charge = adapter.fetch(outcome.reference).charge
    assert charge.id == f"ch_{outcome.reference.removeprefix('pay_')}"
    assert (charge.amount, charge.captured, charge.amount_captured, charge.amount_refunded) == (1023, True, 1023, 0)
    assert (charge.card, charge.billing_details, charge.application_fee_amount) == (None, None, None)
    assert charge.created == int(world.clock.now)


@pytest.mark.parametrize(
    ("state", "stripe", "status"),
    [
        ("DRAFT", ..., Status.REQUIRES_PAYMENT_METHOD),
        ("DRAFT", "requires_payment_method", Status.REQUIRES_PAYMENT_METHOD),
        ("DRAFT", "requires_confirmation", Status.REQUIRES_CONFIRMATION),
        ("DRAFT", "requires_action", Status.REQUIRES_ACTION),
        ("DRAFT", "requires_capture", Status.REQUIRES_CAPTURE),
        ("DRAFT", "succeeded", Status.PROCESSING),
        ("DRAFT", "something_new", Status.PROCESSING),
        ("PROCESSING", "processing", Status.PROCESSING),
        ("COMPLETED", "succeeded", Status.SUCCEEDED),
        ("COMPLETED", ..., Status.SUCCEEDED),
        ("CANCELLED", "canceled", Status.CANCELED),
        ("FAILED", "requires_payment_method", Status.CANCELED),
        ("REFUNDED", "succeeded", Status.SUCCEEDED),
        ("PARTIALLY_REFUNDED", "succeeded", Status.SUCCEEDED),
        ("WAITING", "succeeded", Status.PROCESSING),
    ],
)
def test_79_109_the_state_is_fortes_and_one_that_nobody_knows_is_not_paid(world, caplog, state, stripe, status):
    adapter = world.adapter()
    outcome = world.create(adapter)
    world.answer_next("GET ", state=state, stripeStatus=stripe)
    fetched = adapter.fetch(outcome.reference)
    assert fetched.status is status
    assert ("not one of the states" in caplog.text) is (state == "WAITING")
    assert (fetched.decline is not None) is (state == "FAILED")
    held = status in (Status.SUCCEEDED, Status.REQUIRES_CAPTURE)
    assert (fetched.charge is not None) is held
    if held:
        assert fetched.charge.captured is (status is Status.SUCCEEDED)


def test_75_the_secret_is_not_handed_out_for_another_sum(world):
    world.answer_next("POST ", amountCents=1024)
    refused = refusal(world)
    assert refused.reason == "amount_differs"
    assert str(refused) == "Error: Forte would charge 10.24 USD for an order of 10.23 USD. Nothing was charged."
    assert "_secret_" not in f"{refused!r} {refused.details}"


def test_75_with_fortes_tax_another_total_is_refused_before_there_is_a_payment(world):
    refused = refusal(world, world.adapter(**FORTE_TAX), lines=_lines("25.00"), amount=2500)
    assert (refused.reason, "27.19 USD" in str(refused)) == ("amount_differs", True)
    assert (world.created, world.simulator.payments) == ([], ())


def test_75_the_owner_may_let_forte_put_its_tax_on_top(world):
    adapter = world.adapter(**FORTE_TAX, allow_tax_difference="yes")
    outcome = world.create(adapter, lines=_lines("25.00"), amount=2500)
    assert (outcome.amount, outcome.raw["taxCents"], outcome.raw["amountCents"]) == (2500, 219, 2719)
    world.pay(outcome)
    fetched = adapter.fetch(outcome.reference)
    assert (fetched.amount, fetched.charge.amount, fetched.charge.amount_captured) == (2500, 2719, 2719)
    assert fetched.charge.billing_details["address"]["postal_code"] == "94080"


def test_75_a_payment_keeps_its_tax_on_top_when_the_setting_is_changed(world):
    outcome = world.create(world.adapter(**FORTE_TAX, allow_tax_difference="yes"), lines=_lines("25.00"), amount=2500)
    world.pay(outcome)
    for settings in ({}, FORTE_TAX):
        fetched = world.adapter(**settings).fetch(outcome.reference)
        assert (fetched.amount, fetched.charge.amount) == (2500, 2719)


def test_75_a_difference_that_is_no_tax_is_never_allowed(world):
    adapter = world.adapter(**FORTE_TAX, allow_tax_difference="yes")
    world.answer_next("POST ", amountCents=2720)
    assert refusal(world, adapter, lines=_lines("25.00"), amount=2500).reason == "amount_differs"


def test_80_a_publishable_key_of_the_other_mode_is_not_handed_out(world):
    live = world.simulator.add_project(sandbox=False)
    user = world.simulator.add_user(live)
    refused = refusal(world, world.adapter(project=live, users=f"{CUSTOMER}={user}"))
    assert (refused.reason, "test mode" in str(refused)) == ("mode_differs", True)


def test_80_a_live_store_hands_out_no_key_of_a_sandbox():
    made = forte_adapter(live=True)
    request = made.prepare(payment())
    sent = request["body"]
    below = f"https://api.forteplatforms.com/api/v1/projects/{request['project']}/users/{request['user']}/payments"
    told = {
        **{"id": "pay_1", "projectId": request["project"], "userId": request["user"], "state": "DRAFT"},
        **{"subtotalCents": 1023, "amountCents": 1023, "currency": "usd", "lineItems": sent["lineItems"]},
        **{"metadata": sent["metadata"], "stripePaymentIntentId": "pi_1", "stateHistory": []},
        "createdAt": "2026-05-10T18:42:11.123Z",
    }
    for key, refused in (("pk_test_x", True), ("pk_live_x", False)):
        answer = {"payment": told, "stripeClientSecret": "pi_1_secret_x", "stripePublishableKey": key}
        with responses.RequestsMock() as mock:
            mock.get(below, json={"items": [], "hasNextPage": False})
            mock.post(below, json={**answer, "stripeConnectedAccountId": "acct_1"})
            if refused:
                with pytest.raises(ProviderRefused) as caught:
                    made.create(request, KEY)
                assert (caught.value.reason, "live mode" in str(caught.value)) == ("mode_differs", True)
            else:
                assert made.create(request, KEY).client_secret == "pi_1_secret_x"
    made.close()


def test_80_a_payment_that_was_prepared_for_another_project_is_not_sent(world):
    request = world.adapter().prepare(payment())
    for changed in ({"project": "prj_other"}, {"live": True}):
        with pytest.raises(ProviderUnreachable) as caught:
            world.adapter().create({**request, **changed}, KEY)
        assert not caught.value.sent
    assert world.door.sent == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("PAYMENTS_REQUIRE_APPROVED_COMPLIANCE", "compliance_not_approved"),
        ("COMPLIANCE_REGISTRATION_NOT_APPROVED", "compliance_not_approved"),
        ("PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER", "payments_not_set_up"),
        ("NO_AUTHORIZATION_CREDENTIAL", "api_key_refused"),
        ("INSUFFICIENT_PERMISSIONS", "api_key_refused"),
        ("USER_SUSPENDED", "user_not_active"),
        ("ACCOUNT_BILLING_SUSPENDED", "account_suspended"),
        ("PAYMENTS_PROVIDER_REJECTED", "provider_refused"),
        ("PAYMENT_BELOW_MINIMUM", "provider_refused"),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422, 500])
def test_81_what_is_missing_is_told_by_its_code_whatever_the_status(code, reason, status):
    with forte(statuses={code: status}) as world:
        world.simulator.refuse_next(code, match="POST ")
        refused = refusal(world)
        assert (refused.reason, refused.code, refused.retryable) == (reason, code, False)
        assert str(refused).startswith("Error: ")


def test_81_a_live_project_without_compliance_is_told_to_the_merchant_and_not_tried_again():
    with forte() as world:
        live = world.simulator.add_project(sandbox=False, compliance="PENDING")
        user = world.simulator.add_user(live)
        refused = refusal(world, world.adapter(project=live, users=f"{CUSTOMER}={user}"))
        assert refused.reason == "compliance_not_approved"
        assert "has not approved the compliance registration" in str(refused)
        assert len(world.created) == 1


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", ...),
        ("amountCents", ...),
        ("amountCents", "1023"),
        ("subtotalCents", ...),
        ("currency", "eur"),
        ("state", ...),
        ("stripePaymentIntentId", "seti_1"),
        ("metadata", {}),
        ("metadata", {"bridge_attempt": "f" * 32}),
        ("projectId", "prj_other"),
    ],
)
def test_79_an_answer_that_is_not_about_our_payment_is_no_answer(world, member, value):
    world.answer_next("POST ", **{member: value})
    with pytest.raises(ProviderConfused):
        world.create()


@pytest.mark.parametrize(
    "change", [{"currency": "USD"}, {"taxCents": ...}, {"later": {"x": 1}}, {"stripeStatus": None}]
)
def test_79_what_later_versions_say_more_or_less_does_not_matter(world, change):
    if "currency" in change:  # a list and a single payment may differ in case
        outcome = world.create()
        world.answer_next("GET ", **change)
        assert world.adapter().fetch(outcome.reference).currency == "USD"
    else:
        world.answer_next("POST ", **change)
        assert world.create().status is Status.REQUIRES_PAYMENT_METHOD


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (404, {"message": "No endpoint."}, ProviderRefused, False),
        (400, "<html>", ProviderRefused, False),
        (400, {"message": 7}, ProviderRefused, False),
        (400, {"errorCode": "SOMETHING_NEW", "message": "x" * 900}, ProviderRefused, False),
        (401, {}, ProviderRefused, False),
        (403, "<html>", ProviderRefused, False),
        (429, {}, ProviderRefused, True),
        (408, {}, ProviderUnreachable, True),
        (409, {}, ProviderUnreachable, True),
        (502, "<html>", ProviderUnreachable, True),
        (500, {"errorCode": "EXTERNAL_API_ERROR"}, ProviderUnreachable, True),
        (302, {}, ProviderConfused, True),
        (200, [], ProviderConfused, True),
        (200, None, ProviderConfused, True),
    ],
)
def test_48_errors_of_all_kinds_are_told_apart(world, status, body, kind, retryable):
    world.replace_next("POST ", body, status)
    with pytest.raises(kind) as caught:
        world.create()
    assert caught.value.retryable is retryable
    assert len(str(caught.value)) < 600


def test_114_nothing_waits_for_ever(world):
    release = threading.Event()
    world.faults.next(Fault.STALLED, match=creates, until=release)
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(world.adapter(timeout=TIMEOUT))
    assert caught.value.sent
    release.set()


def test_a_server_that_is_not_there_proves_that_nothing_was_sent(world):
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(world.adapter(host="http://127.0.0.1:9"))
    assert not caught.value.sent


def test_114_an_answer_that_does_not_end_is_none(world):
    world.replace_next("POST ", "x" * 5_000_001)
    with pytest.raises(ProviderConfused):
        world.create()


def test_114_private_addresses_are_not_talked_to_unless_the_owner_says_so():
    made = forte_adapter(AdapterContext(), host="http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable, match="Only https is allowed") as caught:
        made.create(made.prepare(payment()), KEY)
    assert not caught.value.sent
    made.close()


def test_105_the_amount_is_in_minor_units_of_the_orders_currency(world):
    outcome = world.create(world.adapter(), currency="EUR", amount=1023, lines=(line(total=str(Decimal("10.23"))),))
    assert world.simulator.payment(outcome.reference)["currency"] == "eur"
    assert (outcome.amount, outcome.currency) == (1023, "EUR")
