"""The life of a payment after it was made, between the adapter and the project's own Stripe, to the cent."""

import pytest

from bridge.adapters import ProviderRefused, ProviderUnreachable, RefundRequest, RefundStatus, Status
from bridge.simulators.faults import Fault
from tests.adapters.payments import ATTEMPT
from tests.adapters.stripe_world import KEY, pay

DAY = 24 * 3600


def refund(outcome, amount, operation, reason=""):
    return RefundRequest(outcome.reference, outcome.charge.id, amount, "USD", reason, operation * 32)


@pytest.mark.parametrize(
    ("charge_type", "passed_on", "passed_back"),
    [
        ("direct", [], [[], [], []]),
        (
            "destination",
            [("transfer", 1000)],
            [[("transfer_reversed", 300)], [("transfer_reversed", 300)], [("transfer_reversed", 100)]],
        ),
    ],
)
def test_authorise_capture_refund_in_three_dispute_and_lose_it(world, charge_type, passed_on, passed_back):
    adapter = world.adapter(charge_type=charge_type, fee="2.9%+30")
    held = pay(world, adapter, platform=charge_type == "destination", capture="manual")
    assert adapter.capture(held.reference, 1000, f"{ATTEMPT}:capture").charge.application_fee_amount == 59
    for amount, operation in ((300, "a"), (300, "b"), (100, "c")):
        request = refund(held, amount, operation, "requested_by_customer")
        adapter.refund(request, f"{operation}:refund")
    world.simulator.dispute(held.charge.id)
    disputed = adapter.fetch(held.reference)
    world.simulator.close_dispute(disputed.dispute.id, won=False)
    lost = adapter.fetch(held.reference)

    assert [(one.amount, one.operation_id) for one in lost.refunds] == [
        (100, "c" * 32),
        (300, "b" * 32),
        (300, "a" * 32),
    ]
    assert (disputed.dispute.status, disputed.dispute.amount) == ("needs_response", 300)
    assert (lost.dispute.id, lost.dispute.status) == (disputed.dispute.id, "lost")
    assert (lost.charge.amount_captured, lost.charge.amount_refunded) == (1000, 700)
    books = world.books()
    assert books[:3] == [("authorised", 1023), ("captured", 1000), ("released", 23)]
    sent_back = [amount for kind, amount in books if kind == "refunded"]
    fees = [(kind, amount) for kind, amount in books if kind.startswith("fee")]
    moved = [(kind, amount) for kind, amount in books if kind.startswith("transfer")]
    assert sent_back == [300, 300, 100]
    assert fees == [("fee", 59), ("fee_refunded", 17), ("fee_refunded", 18), ("fee_refunded", 6)]
    assert moved == [*passed_on, *(entry for entries in passed_back for entry in entries)]
    assert ("disputed", 300) in books
    assert ("dispute_lost", 300) in books


def test_a_fee_that_was_agreed_stays_agreed_when_the_settings_change(world):
    before, after = world.adapter(fee="60"), world.adapter(fee="none")
    held = pay(world, before, capture="manual")
    assert after.capture(held.reference, 1023, "1").charge.application_fee_amount == 60
    after.refund(refund(held, 1023, "a"), "2")
    assert ("fee_refunded", 60) in world.books()


def test_a_fee_that_was_not_agreed_is_neither_taken_nor_sent_back(world):
    before, after = world.adapter(fee="none"), world.adapter(fee="60")
    held = pay(world, before, capture="manual")
    after.capture(held.reference, 500, "1")
    after.refund(refund(held, 500, "a"), "2")
    assert [kind for kind, _ in world.books()] == ["authorised", "captured", "released", "refunded"]


def test_a_capture_whose_answer_is_lost_was_made_once(world):
    adapter = world.adapter(fee="2.9%", max_retries="0")
    held = pay(world, adapter, capture="manual")
    world.faults.next(Fault.DROPPED, match=f"POST /v1/payment_intents/{held.reference}/capture")
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.capture(held.reference, 500, "1")
    assert caught.value.sent
    assert adapter.capture(held.reference, 500, "1").charge.amount_captured == 500
    assert world.books().count(("captured", 500)) == 1


def test_a_refund_whose_answer_is_lost_was_made_once_and_is_known_by_its_name(world):
    adapter = world.adapter(max_retries="0")
    paid = pay(world, adapter)
    world.faults.next(Fault.DROPPED, match="POST /v1/refunds")
    with pytest.raises(ProviderUnreachable) as caught:
        adapter.refund(refund(paid, 500, "a"), "1")
    assert caught.value.sent
    [found] = adapter.fetch(paid.reference).refunds
    assert (found.operation_id, found.amount) == ("a" * 32, 500)
    assert adapter.refund(refund(paid, 500, "a"), "1") == found
    assert world.books().count(("refunded", 500)) == 1


def test_a_refund_that_somebody_makes_at_stripe_has_none_of_our_names(world):
    """A store that has many of them sees them all."""
    adapter = world.adapter()
    paid = pay(world, adapter)
    for number in range(12):
        adapter.refund(refund(paid, 50, "0"), f"{number}")
    assert [one.amount for one in adapter.fetch(paid.reference).refunds] == [50] * 12


@pytest.mark.parametrize(
    ("method", "at_first", "at_last"),
    [
        ("pm_card_pendingRefund", RefundStatus.PENDING, RefundStatus.SUCCEEDED),
        ("pm_card_refundFail", RefundStatus.SUCCEEDED, RefundStatus.FAILED),
    ],
)
def test_a_refund_may_end_otherwise(world, method, at_first, at_last):
    adapter = world.adapter()
    paid = pay(world, adapter, payment_method=method)
    assert adapter.refund(refund(paid, 500, "a"), "1").status is at_first
    world.clock.now += 3600
    [found] = adapter.fetch(paid.reference).refunds
    assert (found.status, bool(found.failure)) == (at_last, at_last is RefundStatus.FAILED)


def test_a_hold_runs_out_by_itself(world):
    adapter = world.adapter()
    held = pay(world, adapter, capture="manual")
    world.clock.now = held.charge.card["capture_before"]
    outcome = adapter.capture(held.reference, 1023, "1")
    assert (outcome.status, outcome.expired) == (Status.CANCELED, True)
    assert world.books() == [("authorised", 1023), ("canceled", 1023)]


def test_a_hold_that_we_voided_has_not_run_out(world):
    adapter = world.adapter()
    held = pay(world, adapter, capture="manual")
    assert not adapter.cancel(held.reference, "1").expired
    assert not adapter.fetch(held.reference).expired


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost")])
def test_a_dispute_that_a_card_begins_by_itself_is_seen_to_its_end(world, won, status):
    adapter = world.adapter()
    paid = pay(world, adapter, payment_method="pm_card_createDispute")
    dispute = adapter.fetch(paid.reference).dispute
    assert (dispute.reason, dispute.is_closed, dispute.due_by > world.clock.now) == ("fraudulent", False, True)
    world.simulator.close_dispute(dispute.id, won=won)
    assert adapter.fetch(paid.reference).dispute.status == status


def test_what_is_disputed_is_refused_in_stripes_words(world):
    adapter = world.adapter()
    paid = pay(world, adapter)
    world.simulator.dispute(paid.charge.id)
    with pytest.raises(ProviderRefused, match="has been charged back") as caught:
        adapter.refund(refund(paid, 500, "a"), "1")
    assert (caught.value.code, caught.value.details["status"]) == ("charge_disputed", 400)


@pytest.mark.parametrize(
    ("currency", "methods", "card", "kind", "status"),
    [
        ("USD", ["card_present"], "pm_card_visa", "card_present", Status.REQUIRES_CAPTURE),
        ("CAD", ["card_present", "interac_present"], "pm_card_interac", "interac_present", Status.SUCCEEDED),
    ],
)
def test_a_card_at_a_reader(world, currency, methods, card, kind, status):
    adapter = world.adapter(fee="60")
    payment = world.payment(capture="manual", payment_method="", currency=currency)
    made = adapter.create(adapter.prepare_terminal(payment, methods, {"note": "left"}), KEY)
    assert (made.status, made.decline) == (Status.REQUIRES_PAYMENT_METHOD, None)
    assert made.client_secret.startswith(f"{made.reference}_secret_")
    assert adapter.connection_token()["secret"].startswith("pst_test_")
    world.simulator.present_card(made.reference, card)
    seen = adapter.fetch(made.reference)
    assert (seen.status, seen.charge.payment_method_type, seen.customer) == (status, kind, payment.customer)
    assert adapter.capture(made.reference, 1023, "1").status is Status.SUCCEEDED
    assert world.books()[:2] == [("authorised", 1023), ("captured", 1023)]


def test_a_card_that_is_declined_at_a_reader_can_be_followed_by_another(world):
    adapter = world.adapter()
    made = adapter.create(adapter.prepare_terminal(world.payment(payment_method=""), ["card_present"], {}), KEY)
    world.simulator.present_card(made.reference, "pm_card_chargeDeclined")
    declined = adapter.fetch(made.reference)
    assert (declined.status, declined.decline.code) == (Status.REQUIRES_PAYMENT_METHOD, "card_declined")
    world.simulator.present_card(made.reference)
    assert adapter.fetch(made.reference).status is Status.SUCCEEDED


def test_only_saved_cards_are_shown(world):
    customer = world.simulator.add_customer(world.account)
    for name in ("pm_card_amex", "link", "sepa_debit"):
        world.simulator.add_payment_method(name, customer, world.account)
    assert [one["type"] for one in world.adapter().payment_methods(customer)] == ["card"]


def test_a_signed_event_is_about_its_payment_and_its_account(world):
    secret = "whsec_World"
    endpoint = world.simulator.add_webhook_endpoint("https://bridge.example/", connect=True, secrets=[secret])
    adapter, other = world.adapter(webhook_secret=secret), world.adapter(account=world.simulator.add_account())
    paid = pay(world, adapter, capture="manual")
    adapter.capture(paid.reference, 1023, "1")
    adapter.refund(refund(paid, 500, "a"), "2")
    world.simulator.dispute(paid.charge.id)
    heard = {}
    for event in world.simulator.events:
        if event.get("account") != world.account:
            continue
        sent = world.simulator.signed(event["id"], endpoint.id)
        read = adapter.receive({name.lower(): value for name, value in sent.headers.items()}, sent.body)
        assert (adapter.owns(read), other.owns(read)) == (True, False)
        heard[read.type] = (read.reference, read.attempt_id)
    of_payment = (paid.reference, ATTEMPT)
    assert {name: heard[name] for name in ("charge.captured", "payment_intent.succeeded", "charge.refunded")} == {
        "charge.captured": of_payment,
        "payment_intent.succeeded": of_payment,
        "charge.refunded": of_payment,
    }
    assert heard["refund.created"] == (paid.reference, "a" * 32)
    assert heard["charge.dispute.created"] == (paid.reference, None)
