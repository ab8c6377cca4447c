"""Previews and payments: totals, tax, limits, and who may be charged."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from .conftest import OYSTER_POINT, cart, line

INVALID = (400, "REQUEST_VALIDATION_FAILED")


def preview(merchant, *lines, **changes):
    return merchant.done("POST", f"{merchant.payments}/preview", cart(*lines, **changes))


def test_the_guide_s_example_costs_what_the_guide_says(merchant):
    assert preview(merchant, customerAddress=OYSTER_POINT) == {
        "subtotalCents": 2500,
        "taxCents": 219,
        "amountCents": 2719,
        "currency": "usd",
        "lineItems": [line(taxAmountCents=219)],
        "customerAddress": OYSTER_POINT,
    }


def test_without_an_address_there_is_no_tax(merchant):
    assert preview(merchant) == {
        "subtotalCents": 2500,
        "amountCents": 2500,
        "currency": "usd",
        "lineItems": [line()],
    }


def test_tax_is_added_line_by_line(merchant):
    lines = [
        line(unitAmountCents=333, quantity=3, taxCode=...),
        line(taxCode="txcd_00000000"),
        line(unitAmountCents=0),
        line(description="Shipping", unitAmountCents=500, taxCode="txcd_92010001"),
    ]
    quote = preview(merchant, *lines, customerAddress=OYSTER_POINT)
    assert [one["taxAmountCents"] for one in quote["lineItems"]] == [87, 0, 0, 44]
    assert (quote["subtotalCents"], quote["taxCents"], quote["amountCents"]) == (3999, 131, 4130)


@pytest.mark.parametrize(
    ("place", "tax"),
    [
        ({"postalCode": "94080-1234"}, 219),
        ({"postalCode": "90001"}, 181),
        ({"state": "OR", "postalCode": "97035"}, 0),
        ({"country": "DE", "state": ..., "postalCode": "10115"}, 475),
        ({"country": "BR", "state": ..., "postalCode": "01310"}, 0),
    ],
)
def test_the_place_decides_on_the_tax(merchant, place, tax):
    address = {name: value for name, value in {**OYSTER_POINT, **place}.items() if value is not ...}
    assert preview(merchant, customerAddress=address)["taxCents"] == tax


def test_goods_are_taxed_where_they_are_shipped_to(merchant):
    berlin = {"line1": "1", "city": "Berlin", "postalCode": "10115", "country": "DE"}
    quote = preview(merchant, customerAddress=OYSTER_POINT, shippingAddress=berlin)
    assert quote["taxCents"] == 475
    assert "taxCents" not in preview(merchant, shippingAddress=berlin)


@pytest.mark.parametrize("wrong", [{"country": "us"}, {"country": "USA"}, {"state": "California"}, {"postalCode": "1"}])
def test_an_address_that_is_no_place_cannot_be_taxed(merchant, wrong):
    body = cart(customerAddress={**OYSTER_POINT, **wrong})
    assert merchant.refused("POST", merchant.payments, body) == (400, "PAYMENT_TAX_ADDRESS_INVALID")


def test_a_preview_leaves_no_trace(merchant, simulator):
    assert preview(merchant, customerAddress=OYSTER_POINT) == preview(merchant, customerAddress=OYSTER_POINT)
    assert simulator.payments == ()
    assert simulator.audit_trail(merchant.user) == ()
    assert simulator.ledger.entries() == ()


def test_a_new_payment_is_a_draft_with_what_a_browser_needs(merchant, simulator):
    made = merchant.create(description="May 2026 invoice", metadata={"wc_order_id": "7"}, customerAddress=OYSTER_POINT)
    payment = made["payment"]
    project = simulator.project(merchant.project)
    assert payment == {
        "id": payment["id"],
        "projectId": merchant.project,
        "userId": merchant.user,
        "state": "DRAFT",
        "subtotalCents": 2500,
        "taxCents": 219,
        "amountCents": 2719,
        "currency": "usd",
        "description": "May 2026 invoice",
        "lineItems": [line(taxAmountCents=219)],
        "metadata": {"wc_order_id": "7"},
        "customerAddress": OYSTER_POINT,
        "supportedPaymentMethods": ["CREDIT_CARD"],
        "stripePaymentIntentId": payment["stripePaymentIntentId"],
        "stripeStatus": "requires_payment_method",
        "stripeTaxCalculationId": payment["stripeTaxCalculationId"],
        "stateHistory": [{"timestamp": "2026-05-10T18:42:11.123Z", "state": "DRAFT"}],
        "refundHistory": [],
        "createdAt": "2026-05-10T18:42:11.123Z",
    }
    assert made["stripeConnectedAccountId"] == project.account
    assert made["stripePublishableKey"] == project.publishable_key
    shapes = {
        r"pay_\w{20,}": payment["id"],
        r"pi_3\w{20,}": payment["stripePaymentIntentId"],
        r"taxcalc_1\w+": payment["stripeTaxCalculationId"],
        rf"{payment['stripePaymentIntentId']}_secret_\w+": made["stripeClientSecret"],
        r"pk_test_\w+": made["stripePublishableKey"],
        r"acct_1\w{15}": made["stripeConnectedAccountId"],
    }
    assert [value for pattern, value in shapes.items() if not re.fullmatch(pattern, value)] == []
    assert merchant.get(payment["id"]) == payment
    assert [(entry.payment_id, entry.action) for entry in simulator.audit_trail(merchant.user)] == [
        (payment["id"], "PAYMENT_DRAFT")
    ]
    assert simulator.ledger.entries() == ()


def test_two_equal_requests_make_two_payments(merchant, simulator):
    headers = {"Authorization": f"Bearer {simulator.api_key}", "Idempotency-Key": "once"}
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(merchant.done, "POST", merchant.payments, cart(), headers=headers) for _ in range(4)]
    made = {call.result()["payment"]["id"] for call in calls}
    assert made == {payment["id"] for payment in simulator.payments}
    assert len(made) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "USD"},
        {"currency": "us"},
        {"currency": ...},
        {"currency": None},
        {"lineItems": ...},
        {"lineItems": [line()] * 51},
        {"lineItems": [line(description="")]},
        {"lineItems": [line(description="x" * 251)]},
        {"lineItems": [line(unitAmountCents=-1)]},
        {"lineItems": [line(unitAmountCents=25.0)]},
        {"lineItems": [line(unitAmountCents="25")]},
        {"lineItems": [line(quantity=0)]},
        {"lineItems": [line(quantity=True)]},
        {"lineItems": [line(taxCode="txcd_1")]},
        {"lineItems": [line(sku="x")]},
        {"lineItems": ["Pro plan"]},
        {"customerAddress": {**OYSTER_POINT, "line1": None}},
        {"customerAddress": {**OYSTER_POINT, "zip": "94080"}},
        {"paymentMethodId": "pm-x"},
        {"paymentMethodId": "card_x"},
        {"offSession": "true"},
        {"supportedPaymentMethods": ["CASH"]},
        {"amountCents": 2500},
    ],
)
def test_what_breaks_a_limit_is_refused_by_both(merchant, simulator, wrong):
    body = cart(**wrong)
    assert merchant.refused("POST", merchant.payments, body) == INVALID
    assert merchant.refused("POST", f"{merchant.payments}/preview", body) == INVALID
    assert simulator.payments == ()


@pytest.mark.parametrize(
    "right",
    [
        {"lineItems": [line(unitAmountCents=50)] * 50},
        {"lineItems": [line(description="x" * 250)]},
        {"lineItems": [line(taxCode=None)]},
        {"currency": "jpy"},
    ],
)
def test_what_keeps_to_the_limits_passes(merchant, right):
    assert preview(merchant, **right)["amountCents"] == 2500


def test_an_error_names_the_field(merchant):
    problem = merchant("POST", merchant.payments, cart(line(), line(quantity=0))).json()
    assert problem["message"] == "lineItems[1].quantity: must be greater than or equal to 1"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"description": "x" * 501}, "REQUEST_VALIDATION_FAILED"),
        ({"metadata": {"a": 1}}, "REQUEST_VALIDATION_FAILED"),
        ({"metadata": []}, "REQUEST_VALIDATION_FAILED"),
        ({"metadata": {"a" * 41: "1"}}, "PAYMENTS_PROVIDER_REJECTED"),
        ({"metadata": {"a": "1" * 501}}, "PAYMENTS_PROVIDER_REJECTED"),
        ({"metadata": {str(number): "1" for number in range(51)}}, "PAYMENTS_PROVIDER_REJECTED"),
        ({"lineItems": []}, "PAYMENT_LINE_ITEMS_REQUIRED"),
        ({"currency": "abc"}, "PAYMENT_CURRENCY_INVALID"),
        ({"lineItems": [line(unitAmountCents=0)]}, "PAYMENT_AMOUNT_INVALID"),
        ({"lineItems": [line(unitAmountCents=49)]}, "PAYMENT_BELOW_MINIMUM"),
        ({"lineItems": [line(unitAmountCents=99_999_999, quantity=2)]}, "PAYMENT_AMOUNT_INVALID"),
    ],
)
def test_a_payment_has_limits_of_its_own(merchant, simulator, wrong, code):
    assert merchant.refused("POST", merchant.payments, cart(**wrong)) == (400, code)
    assert simulator.payments == ()


def test_a_preview_has_neither_description_nor_metadata(merchant):
    for more in ({"description": "x"}, {"metadata": {}}):
        assert merchant.refused("POST", f"{merchant.payments}/preview", cart(**more)) == INVALID


def test_a_live_project_needs_approved_compliance(merchant, simulator):
    merchant.project = simulator.add_project(sandbox=False, compliance="PENDING")
    merchant.user = simulator.add_user(merchant.project)
    refused = (403, "PAYMENTS_REQUIRE_APPROVED_COMPLIANCE")
    assert merchant.refused("POST", merchant.payments, cart()) == refused
    assert merchant.refused("POST", f"{merchant.payments}/preview", cart()) == refused
    simulator.update_project(merchant.project, compliance="APPROVED")
    assert merchant.create()["stripePublishableKey"].startswith("pk_live_")


def test_a_sandbox_bypasses_compliance_but_not_the_onboarding(merchant, simulator):
    simulator.update_project(merchant.project, compliance="NOT_STARTED")
    merchant.create()
    simulator.update_project(merchant.project, payments_set_up=False)
    refused = (400, "PAYMENTS_NOT_CONFIGURED_ON_PROJECT_OWNER")
    assert merchant.refused("POST", merchant.payments, cart()) == refused
    assert merchant.refused("POST", f"{merchant.payments}/preview", cart()) == refused


def test_only_an_active_user_of_the_project_is_charged(merchant, simulator):
    stranger = simulator.add_user(simulator.add_project())
    assert merchant.refused("POST", f"users/{stranger}/payments", cart()) == (404, None)
    assert merchant.refused("POST", "users/usr_unheard/payments/preview", cart()) == (404, None)
    for state, code in (("SUSPENDED", "USER_SUSPENDED"), ("DELETED", "USER_NOT_ACTIVE")):
        simulator.set_user_state(merchant.user, state)
        assert merchant.refused("POST", merchant.payments, cart()) == (403, code)
    simulator.set_user_state(merchant.user, "ACTIVE")
    assert merchant.create()["payment"]["userId"] == merchant.user


def test_a_payment_of_another_project_is_not_found(merchant, simulator):
    payment = merchant.create()["payment"]["id"]
    merchant.project = simulator.add_project()
    assert merchant.refused("GET", f"payments/{payment}") == (404, None)


def test_getting_one_payment_can_be_switched_off(make_merchant):
    merchant = make_merchant(fetch_one=False)
    payment = merchant.create()["payment"]
    assert merchant.refused("GET", f"payments/{payment['id']}") == (404, None)
    assert merchant.done("GET", merchant.payments)["items"] == [payment]


def test_what_was_never_added_cannot_be_used(simulator):
    for attempt in (simulator.project, simulator.add_user, simulator.add_service, simulator.payment):
        with pytest.raises(LookupError, match="unheard"):
            attempt("unheard")
