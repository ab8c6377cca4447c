"""What becomes of an intent: statuses, the end of a session, the ledger, and the operator's hand."""

from uuid import uuid4

import pytest
from werkzeug.test import Client

from .conftest import INTENT, STATUSES, payment

ENDS = [("approve", "Approved"), ("decline", "Declined"), ("expire", "Expired")]


def test_a_new_intent_is_created(merchant):
    intent = merchant.create()["payment_intent_id"]
    assert merchant.statuses(intent) == [{"payment_intent_id": intent, "status": "Created"}]


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_the_end_of_an_intent_is_its_status(merchant, end, status):
    intent = merchant.create()["payment_intent_id"]
    assert getattr(merchant.simulator, end)(intent).status == status
    assert merchant.statuses(intent) == [{"payment_intent_id": intent, "status": status}]


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_an_end_is_final_and_happens_once(merchant, end, status):
    intent = merchant.create()["payment_intent_id"]
    getattr(merchant.simulator, end)(intent)
    entries = merchant.simulator.ledger.entries()
    assert getattr(merchant.simulator, end)(intent).status == status
    for other in {"approve", "decline", "expire", "submit"} - {end}:
        with pytest.raises(ValueError, match=f"is {status}"):
            getattr(merchant.simulator, other)(intent)
    assert merchant.simulator.ledger.entries() == entries


def test_an_approval_is_a_charge_in_the_ledger(merchant):
    intent = merchant.create(currency="EUR")["payment_intent_id"]
    assert merchant.simulator.ledger.entries() == ()
    merchant.simulator.approve(intent)
    entries = merchant.simulator.ledger.entries()
    assert [entry.kind for entry in entries] == ["authorised", "captured"]
    for entry in entries:
        assert (entry.account, entry.object_id, entry.amount, entry.currency) == ("shop", intent, 999, "eur")
        assert entry.metadata == {"reference": "42:attempt-1", "idempotency_key": "attempt-1"}


def test_an_intent_without_a_reference_is_found_by_its_key(merchant):
    merchant.simulator.approve(merchant.create(reference=...)["payment_intent_id"])
    (entry,) = merchant.simulator.ledger.entries("captured")
    assert entry.metadata == {"idempotency_key": "attempt-1"}


@pytest.mark.parametrize("end", ["decline", "expire", "submit"])
def test_anything_but_an_approval_moves_no_money(merchant, end):
    getattr(merchant.simulator, end)(merchant.create()["payment_intent_id"])
    assert merchant.simulator.ledger.entries() == ()


@pytest.mark.parametrize(("seconds", "status"), [(3599, "Created"), (3600, "Expired")])
def test_a_session_ends_by_the_clock(merchant, clock, seconds, status):
    intent = merchant.create()["payment_intent_id"]
    merchant.log_in()
    clock.advance(seconds)
    merchant.log_in()
    assert merchant.statuses(intent)[0]["status"] == status
    assert [one.status for one in merchant.simulator.intents] == [status]


def test_a_session_can_be_shorter(make_merchant, clock):
    merchant = make_merchant(session_seconds=60)
    intent = merchant.create()["payment_intent_id"]
    clock.advance(60)
    with pytest.raises(ValueError, match="is Expired"):
        merchant.simulator.approve(intent)


def test_a_submitted_payment_does_not_expire(merchant, clock):
    intent = merchant.create()["payment_intent_id"]
    merchant.simulator.submit(intent)
    clock.advance(10_000)
    merchant.log_in()
    assert merchant.statuses(intent)[0]["status"] == "Created"
    assert merchant.simulator.approve(intent).status == "Approved"


def test_many_are_asked_for_at_once_and_unknown_ones_are_left_out(merchant):
    one = merchant.create()["payment_intent_id"]
    two = merchant.create(idempotency_key="attempt-2")["payment_intent_id"]
    answer = merchant.statuses(two, str(uuid4()), one.upper(), two)
    assert [status["payment_intent_id"] for status in answer] == [two, one]


@pytest.mark.parametrize(
    ("ids", "status"),
    [
        ([], 400),
        ([str(uuid4())] * 100, 200),
        ([str(uuid4())] * 101, 400),
        (["pi_123"], 400),
        ([uuid4().hex], 400),
        ([7], 400),
        ("x", 400),
    ],
    ids=["none", "hundred", "too many", "no uuid", "no hyphens", "number", "string"],
)
def test_a_request_names_one_to_a_hundred_uuids(merchant, ids, status):
    assert merchant("POST", STATUSES, {"payment_intent_ids": ids}).status_code == status


@pytest.mark.parametrize(("field", "expected"), [("id", {"id", "status"}), (None, {"status"})])
def test_how_a_status_names_its_intent_can_be_chosen(make_merchant, field, expected):
    merchant = make_merchant(status_id_field=field)
    (status,) = merchant.statuses(merchant.create()["payment_intent_id"])
    assert set(status) == expected


def test_what_does_not_exist_cannot_be_ended(merchant):
    with pytest.raises(LookupError, match="no payment intent"):
        merchant.simulator.approve("nothing")
    assert merchant.simulator.find_by_reference("nothing") == ()


@pytest.mark.parametrize(("end", "status"), ENDS)
def test_another_process_on_this_machine_can_end_an_intent(merchant, end, status):
    merchant.redirect()
    listed = merchant.session.get(f"{merchant.url}/__sim/intents?reference=42:attempt-1", timeout=5).json()["data"]
    assert [intent["status"] for intent in listed] == ["Created"]
    intent = listed[0]["payment_intent_id"]
    answer = merchant.session.post(f"{merchant.url}/__sim/intents/{intent}/{end}", timeout=5)
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "payment_intent_id": intent,
        "reference": "42:attempt-1",
        "status": status,
        "transaction_type": "BUY_VDA",
        "amount": "9.99",
        "currency": "USD",
        "buyer": {"id": "shop:7"},
    }
    assert merchant.simulator.intent(intent).status == status


def test_the_operator_hears_what_cannot_be(merchant):
    intent = merchant.create()["payment_intent_id"]
    merchant.simulator.decline(intent)
    paths = {f"{intent}/approve": 409, f"{intent}/decline": 200, f"{intent}/refund": 404, "nothing/approve": 404}
    for path, status in paths.items():
        assert merchant.session.post(f"{merchant.url}/__sim/intents/{path}", timeout=5).status_code == status
    assert merchant.session.get(f"{merchant.url}/__sim/intents?reference=other", timeout=5).json() == {"data": []}


def test_the_operator_is_on_this_machine(merchant):
    client = Client(merchant.simulator)
    elsewhere = client.get("/__sim/intents", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    here = client.get("/__sim/intents", environ_overrides={"REMOTE_ADDR": "::1"})
    assert (elsewhere.status_code, here.status_code) == (403, 200)


def test_the_merchants_calls_need_no_operator(merchant):
    assert merchant("POST", INTENT, payment()).headers["X-Simulator"] == "forte-a"
