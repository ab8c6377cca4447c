"""Disputes: what a payer's bank takes, and returns or keeps."""

import pytest
import stripe

from .conftest import SHOP


@pytest.fixture
def disputed(pay, simulator):
    """A payment of 10.23 USD that was disputed: its intent, and its dispute as it was at first."""

    def disputed(reason: str = "fraudulent", amount: int | None = None, inquiry: bool = False, **params):
        intent = pay(**params)
        return intent, simulator.dispute(intent["latest_charge"], reason, amount, inquiry)

    return disputed


def lines(call, **params):
    """The balance transactions about an object, oldest first."""
    found = call("get", "balance_transactions", limit=100, **params)["data"]
    return [(line["reporting_category"], line["amount"], line["fee"], line["net"]) for line in reversed(found)]


def test_a_dispute_takes_the_money_and_a_fee_at_once(disputed, call, told, happened, clock):
    intent, dispute = disputed("product_not_received", metadata={"order_id": "12"})
    expected = {
        "amount": 1023,
        "charge": intent["latest_charge"],
        "currency": "usd",
        "is_charge_refundable": False,
        "livemode": False,
        "network_reason_code": "13.1",
        "payment_intent": intent["id"],
        "reason": "product_not_received",
        "status": "needs_response",
    }
    assert {name: dispute[name] for name in expected} == expected
    assert dispute["id"].startswith("du_1")
    assert dispute["evidence_details"]["due_by"] > clock()
    [line] = dispute["balance_transactions"]
    assert (line["type"], line["source"], line["fee_details"][0]["description"]) == (
        "adjustment",
        dispute["id"],
        "Dispute fee",
    )
    assert lines(call, source=dispute["id"]) == [("dispute", -1023, 1500, -2523)]
    assert call("get", f"charges/{intent['latest_charge']}")["disputed"] is True
    assert happened()[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert told()[2:] == [("disputed", 1023)]
    assert told("object_id", "charge_id", "metadata")[-1] == (
        dispute["id"],
        intent["latest_charge"],
        {"order_id": "12"},
    )


def test_a_dispute_that_is_won_returns_both(disputed, call, simulator, told, happened):
    intent, dispute = disputed()
    happened()
    won = simulator.close_dispute(dispute["id"], won=True)
    assert (won["status"], won["is_charge_refundable"], len(won["balance_transactions"])) == ("won", True, 2)
    assert lines(call, source=dispute["id"])[1:] == [("dispute_reversal", 1023, -1500, 2523)]
    assert happened() == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    assert told()[2:] == [("disputed", 1023), ("dispute_won", 1023)]
    assert call("get", f"charges/{intent['latest_charge']}")["disputed"] is True
    assert call("post", "refunds", payment_intent=intent["id"])["amount"] == 1023


def test_a_dispute_that_is_lost_keeps_the_money(disputed, call, simulator, told, happened):
    intent, dispute = disputed(amount=500)
    happened()
    assert simulator.close_dispute(dispute["id"], won=False)["status"] == "lost"
    assert lines(call, source=dispute["id"]) == [("dispute", -500, 1500, -2000)]
    assert happened() == ["charge.dispute.closed"]
    assert told()[2:] == [("disputed", 500), ("dispute_lost", 500)]
    with pytest.raises(ValueError, match="is closed: it is lost"):
        simulator.close_dispute(dispute["id"], won=True)
    with pytest.raises(ValueError, match="what is captured and not refunded is 523"):
        simulator.dispute(intent["latest_charge"], amount=524)


@pytest.mark.parametrize("won", [None, False])
def test_a_charge_whose_money_is_with_the_bank_cannot_be_refunded(disputed, call, simulator, told, won):
    intent, dispute = disputed()
    if won is not None:
        simulator.close_dispute(dispute["id"], won=won)
    before = told()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("post", "refunds", charge=intent["latest_charge"], amount=1)
    assert (caught.value.http_status, caught.value.code) == (400, "charge_disputed")
    assert told() == before


def test_an_inquiry_takes_nothing_unless_it_becomes_a_dispute(disputed, call, simulator, told, happened):
    intent, inquiry = disputed(inquiry=True)
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    assert inquiry["payment_method_details"]["card"]["case_type"] == "inquiry"
    assert call("post", "refunds", charge=intent["latest_charge"], amount=23)["status"] == "succeeded"
    happened()
    dispute = simulator.escalate_dispute(inquiry["id"])
    assert (dispute["status"], dispute["amount"], dispute["id"]) == ("needs_response", 1000, inquiry["id"])
    assert dispute["payment_method_details"]["card"]["case_type"] == "chargeback"
    assert happened() == ["charge.dispute.updated", "charge.dispute.funds_withdrawn"]
    assert told()[3:] == [("disputed", 1000)]
    with pytest.raises(ValueError, match="no open inquiry"):
        simulator.escalate_dispute(inquiry["id"])


@pytest.mark.parametrize("won", [True, False])
def test_an_inquiry_that_ends_has_moved_nothing(disputed, simulator, told, happened, won):
    _, inquiry = disputed(inquiry=True)
    happened()
    assert simulator.close_dispute(inquiry["id"], won)["status"] == "warning_closed"
    assert happened() == ["charge.dispute.closed"]
    assert len(told()) == 2


def test_an_inquiry_about_what_has_been_refunded_leads_nowhere(disputed, call, simulator):
    intent, inquiry = disputed(inquiry=True)
    call("post", "refunds", charge=intent["latest_charge"])
    with pytest.raises(ValueError, match="nothing to take"):
        simulator.escalate_dispute(inquiry["id"])


def test_what_cannot_be_disputed_is_not(pay, call, simulator, disputed):
    with pytest.raises(ValueError, match="one of the reasons"):
        simulator.dispute(pay()["latest_charge"], "boredom")
    with pytest.raises(ValueError, match="0 cannot be disputed"):
        simulator.dispute(pay(capture_method="manual")["latest_charge"])
    with pytest.raises(ValueError, match="is being disputed already"):
        simulator.dispute(disputed(amount=500)[0]["latest_charge"], amount=1)
    with pytest.raises(LookupError):
        simulator.dispute("ch_unknown")
    pay(transfer_data={"destination": SHOP})
    with pytest.raises(ValueError, match="came by a transfer"):
        simulator.dispute(call("get", "transfers")["data"][0]["destination_payment"])


def test_disputes_are_listed_on_the_account_of_their_charge(disputed, call):
    intent, dispute = disputed(stripe_account=SHOP)
    disputed(stripe_account=SHOP)

    def ids(**params):
        return [one["id"] for one in call("get", "disputes", **params)["data"]]

    assert len(ids(stripe_account=SHOP)) == 2
    assert ids(stripe_account=SHOP, charge=intent["latest_charge"]) == [dispute["id"]]
    assert ids(stripe_account=SHOP, payment_intent=intent["id"]) == [dispute["id"]]
    assert ids() == []
    found = call("get", f"disputes/{dispute['id']}", stripe_account=SHOP, expand=["charge", "payment_intent"])
    assert (found["charge"]["disputed"], found["payment_intent"]["id"]) == (True, intent["id"])
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call("get", f"disputes/{dispute['id']}")
    assert (caught.value.code, caught.value.param) == ("resource_missing", "dispute")


def test_a_dispute_of_a_destination_charge_is_the_platforms(disputed, simulator, told):
    disputed(transfer_data={"destination": SHOP}, application_fee_amount=100)
    assert told("kind", "account", "amount", "destination")[-1] == ("disputed", simulator.platform, 1023, SHOP)


@pytest.mark.parametrize(
    ("card", "reason", "status"),
    [
        ("pm_card_createDispute", "fraudulent", "needs_response"),
        ("pm_card_createDisputeProductNotReceived", "product_not_received", "needs_response"),
        ("pm_card_createDisputeInquiry", "fraudulent", "warning_needs_response"),
    ],
)
def test_some_test_cards_dispute_by_themselves_what_they_paid(pay, call, card, reason, status):
    intent = pay(payment_method=card, expand=["latest_charge"])
    assert (intent["status"], intent["latest_charge"]["disputed"]) == ("succeeded", False)
    [dispute] = call("get", "disputes", payment_intent=intent["id"])["data"]
    assert (dispute["reason"], dispute["status"], dispute["amount"]) == (reason, status, 1023)


def test_a_test_card_disputes_when_money_was_taken(pay, call, happened):
    intent = pay(payment_method="pm_card_createDispute", capture_method="manual")
    assert call("get", "disputes")["data"] == []
    call("post", f"payment_intents/{intent['id']}/capture", amount_to_capture=1000)
    assert [dispute["amount"] for dispute in call("get", "disputes")["data"]] == [1000]


@pytest.mark.parametrize(
    ("word", "inquiry", "status"),
    [
        ("winning_evidence", False, "won"),
        ("losing_evidence", False, "lost"),
        ("winning_evidence", True, "warning_closed"),
        ("escalate_inquiry_evidence", True, "needs_response"),
        ("escalate_inquiry_evidence", False, "under_review"),
        ("I have a receipt", False, "under_review"),
    ],
)
def test_the_evidence_decides_as_stripes_test_words_say(disputed, call, happened, word, inquiry, status):
    _, dispute = disputed(inquiry=inquiry)
    path = f"disputes/{dispute['id']}"
    staged = call("post", path, evidence={"customer_name": "Jo"}, submit=False, metadata={"a": "1"})
    assert (staged["status"], staged["evidence_details"]["submission_count"]) == (dispute["status"], 0)
    happened()
    submitted = call("post", path, evidence={"uncategorized_text": word})
    assert submitted["status"] == dispute["status"].replace("needs_response", "under_review")
    assert (submitted["evidence"]["customer_name"], submitted["metadata"]) == ("Jo", {"a": "1"})
    assert submitted["evidence_details"]["submission_count"] == 1
    assert call("get", path)["status"] == status
    assert happened()[0] == "charge.dispute.updated"


def test_a_merchant_can_give_in_once(disputed, call, told):
    _, dispute = disputed()
    path = f"disputes/{dispute['id']}"
    assert call("post", f"{path}/close")["status"] == "lost"
    assert told()[-1] == ("dispute_lost", 1023)
    for verb, params in (("/close", {}), ("", {"evidence": {"uncategorized_text": "winning_evidence"}})):
        with pytest.raises(stripe.InvalidRequestError):
            call("post", path + verb, **params)
    assert call("post", path, metadata={"a": "1"})["metadata"] == {"a": "1"}
