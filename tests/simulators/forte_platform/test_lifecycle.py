"""How a payment moves with Stripe's status, what the ledger says of it, and refunds."""

import json

import pytest

from .conftest import OYSTER_POINT

DAY = 24 * 3600


def facts(simulator):
    return [(entry.kind, entry.amount) for entry in simulator.ledger.entries()]


def words(payment):
    return [step["state"] for step in payment["stateHistory"]]


@pytest.fixture
def draft(merchant):
    return merchant.create(metadata={"wc_order_id": "7"})["payment"]["id"]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requires_confirmation", "DRAFT"),
        ("requires_action", "DRAFT"),
        ("requires_capture", "DRAFT"),
        ("processing", "PROCESSING"),
        ("succeeded", "COMPLETED"),
        ("canceled", "CANCELLED"),
        ("requires_reauthorization", "FAILED"),
    ],
)
def test_forte_s_state_follows_stripe_s_status(merchant, simulator, draft, clock, status, state):
    clock.advance(1.5)
    simulator.set_stripe_status(draft, status)
    payment = merchant.get(draft)
    assert (payment["state"], payment["stripeStatus"]) == (state, status)
    assert payment["updatedAt"] == "2026-05-10T18:42:12.623Z"
    assert words(payment) == ["DRAFT"] if state == "DRAFT" else ["DRAFT", state]
    assert payment == simulator.payment(draft)


def test_the_history_has_every_state_with_its_time(merchant, simulator, draft, clock):
    for status in ("processing", "requires_payment_method", "requires_action", "succeeded"):
        clock.advance(60)
        simulator.set_stripe_status(draft, status)
    assert merchant.get(draft)["stateHistory"] == [
        {"timestamp": "2026-05-10T18:42:11.123Z", "state": "DRAFT"},
        {"timestamp": "2026-05-10T18:43:11.123Z", "state": "PROCESSING"},
        {"timestamp": "2026-05-10T18:44:11.123Z", "state": "DRAFT"},
        {"timestamp": "2026-05-10T18:46:11.123Z", "state": "COMPLETED"},
    ]
    assert [entry.action for entry in simulator.audit_trail(merchant.user)] == [
        "PAYMENT_DRAFT",
        "PAYMENT_PROCESSING",
        "PAYMENT_DRAFT",
        "PAYMENT_COMPLETED",
    ]


@pytest.mark.parametrize(
    ("first", "then"),
    [("succeeded", "canceled"), ("canceled", "succeeded"), ("requires_capture", "requires_action")],
)
def test_a_payment_intent_s_final_word_stands(merchant, simulator, draft, first, then):
    simulator.set_stripe_status(draft, first)
    before = merchant.get(draft)
    with pytest.raises(ValueError, match=f"from {first} to {then}"):
        simulator.set_stripe_status(draft, then)
    simulator.set_stripe_status(draft, first)
    assert merchant.get(draft) == before


def test_a_completed_payment_is_in_the_ledger_once(merchant, simulator, draft, clock):
    simulator.set_stripe_status(draft, "succeeded")
    simulator.set_stripe_status(draft, "succeeded")
    held, taken = simulator.ledger.entries(object_id=draft)
    assert json.loads(taken.to_json()) == {
        "sequence": 2,
        "time": clock.now,
        "kind": "captured",
        "account": simulator.project(merchant.project).account,
        "object_id": draft,
        "charge_id": held.charge_id,
        "amount": 2500,
        "currency": "usd",
        "destination": None,
        "on_behalf_of": None,
        "application_fee": None,
        "metadata": {"wc_order_id": "7"},
    }
    assert (held.kind, held.amount) == ("authorised", 2500)
    assert held.charge_id.startswith("ch_")


@pytest.mark.parametrize(
    ("statuses", "booked"),
    [
        (["requires_capture", "succeeded"], [("authorised", 2500), ("captured", 2500)]),
        (["requires_capture", "canceled"], [("authorised", 2500), ("canceled", 2500)]),
        (["canceled"], [("canceled", 0)]),
        (["processing", "requires_payment_method"], []),
    ],
)
def test_the_ledger_tells_holds_from_takings(simulator, draft, statuses, booked):
    for status in statuses:
        simulator.set_stripe_status(draft, status)
    assert facts(simulator) == booked


def test_tax_is_finalised_when_a_taxed_payment_completes(merchant):
    taxed = merchant.get(merchant.pay(customerAddress=OYSTER_POINT))
    assert taxed["stripeTaxTransactionId"].startswith("tax_1")
    assert "stripeTaxTransactionId" not in merchant.get(merchant.pay())


def test_a_draft_is_cancelled_after_a_day(merchant, simulator, draft, clock):
    held = merchant.create()["payment"]["id"]
    simulator.set_stripe_status(held, "requires_capture")
    clock.advance(DAY - 1)
    assert merchant.get(draft)["state"] == "DRAFT"
    clock.advance(3601)
    payment = merchant.done("GET", f"{merchant.payments}?state=CANCELLED")["items"][0]
    assert (payment["id"], payment["stripeStatus"]) == (draft, "canceled")
    assert payment["stateHistory"][-1] == {"timestamp": "2026-05-11T18:42:11.123Z", "state": "CANCELLED"}
    assert merchant.get(held)["state"] == "DRAFT"
    with pytest.raises(ValueError, match="from canceled to succeeded"):
        simulator.set_stripe_status(draft, "succeeded")


def refund(merchant, payment, **query):
    return merchant("POST", f"{merchant.payments}/{payment}/refund", params=query)


def test_a_payment_is_refunded_in_full_unless_an_amount_is_asked_for(merchant, simulator, clock):
    payment = merchant.pay()
    clock.advance(60)
    answer = refund(merchant, payment)
    refunded = answer.json()
    assert (answer.status_code, refunded) == (200, merchant.get(payment))
    assert (refunded["state"], refunded["refundedAmountCents"]) == ("REFUNDED", 2500)
    (record,) = refunded["refundHistory"]
    assert record == {
        "amountCents": 2500,
        "timestamp": "2026-05-10T18:43:11.123Z",
        "stripeRefundId": record["stripeRefundId"],
    }
    assert record["stripeRefundId"].startswith("re_3")
    assert facts(simulator)[2:] == [("refunded", 2500)]


def test_partial_refunds_add_up_to_a_full_one(merchant, simulator):
    payment = merchant.pay()
    for amount, state, total in ((1000, "PARTIALLY_REFUNDED", 1000), (500, "PARTIALLY_REFUNDED", 1500)):
        partly = refund(merchant, payment, refundAmountCents=amount).json()
        assert (partly["state"], partly["refundedAmountCents"]) == (state, total)
    whole = refund(merchant, payment, keepSubscriptionActive="true").json()
    assert (whole["state"], whole["refundedAmountCents"]) == ("REFUNDED", 2500)
    assert [record["amountCents"] for record in whole["refundHistory"]] == [1000, 500, 1000]
    assert words(whole) == ["DRAFT", "COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"]
    assert facts(simulator)[2:] == [("refunded", 1000), ("refunded", 500), ("refunded", 1000)]


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "INVALID_REFUND_AMOUNT"),
        ("-1", "INVALID_REFUND_AMOUNT"),
        ("2501", "INVALID_REFUND_AMOUNT"),
        ("ten", "REQUEST_VALIDATION_FAILED"),
        ("1.5", "REQUEST_VALIDATION_FAILED"),
    ],
)
def test_an_amount_that_is_not_there_is_not_refunded(merchant, simulator, amount, code):
    answer = refund(merchant, merchant.pay(), refundAmountCents=amount)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert "refunded" not in dict(facts(simulator))


def test_only_what_was_paid_can_be_refunded_and_once(merchant, simulator, draft):
    path = f"{merchant.payments}/{draft}/refund"
    assert merchant.refused("POST", path) == (400, "PAYMENT_NOT_REFUNDABLE")
    simulator.set_stripe_status(draft, "succeeded")
    merchant.done("POST", path)
    assert merchant.refused("POST", path) == (400, "PAYMENT_ALREADY_REFUNDED")


def test_a_refund_needs_the_payment_s_own_user_and_no_body(merchant, simulator):
    payment = merchant.pay()
    other = simulator.add_user(merchant.project)
    assert merchant.refused("POST", f"users/{other}/payments/{payment}/refund") == (404, None)
    assert merchant.refused("POST", f"{merchant.payments}/pay_unheard/refund") == (404, None)
    path = f"{merchant.payments}/{payment}/refund"
    assert merchant.refused("POST", path, {"amountCents": 1}) == (400, "REQUEST_VALIDATION_FAILED")
    assert merchant.refused("POST", f"{path}?keepSubscriptionActive=1") == (400, "REQUEST_VALIDATION_FAILED")
    assert merchant.get(payment)["state"] == "COMPLETED"


def test_a_refund_on_stripe_s_dashboard_shows_in_the_payment(merchant, simulator, draft):
    with pytest.raises(ValueError, match="DRAFT"):
        simulator.refund_on_stripe(draft)
    simulator.set_stripe_status(draft, "succeeded")
    simulator.refund_on_stripe(draft, 1000)
    assert merchant.get(draft)["state"] == "PARTIALLY_REFUNDED"
    simulator.refund_on_stripe(draft)
    assert merchant.get(draft)["state"] == "REFUNDED"
    assert facts(simulator)[2:] == [("refunded", 1000), ("refunded", 1500)]


def test_an_operator_moves_payments_over_http(merchant, simulator, draft):
    path = f"/__sim/payments/{draft}"
    moved = merchant.done("POST", f"{path}/stripe-status", {"status": "succeeded"}, headers={})
    assert moved == merchant.get(draft)
    assert moved["state"] == "COMPLETED"
    merchant.done("POST", f"{path}/stripe-refund", {"amountCents": 1000})
    assert merchant.done("POST", f"{path}/stripe-refund")["state"] == "REFUNDED"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "pay_unheard/stripe-status", {"status": "succeeded"}, 404),
        ("POST", "{}/stripe-status", {"status": 1}, 400),
        ("POST", "{}/stripe-status", {}, 400),
        ("POST", "{}/stripe-refund", None, 400),
        ("POST", "{}/explode", {}, 404),
        ("GET", "{}/stripe-status", None, 405),
    ],
)
def test_an_operator_s_mistakes_are_refused(merchant, draft, method, path, body, status):
    assert merchant.refused(method, f"/__sim/payments/{path.format(draft)}", body)[0] == status
    assert merchant.get(draft)["state"] == "DRAFT"
