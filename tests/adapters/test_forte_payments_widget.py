"""The widget: what Forte answers to a create, well and badly, and how a payment stands.

The numbers are those of the checklist for Forte.
"""

import base64
import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bridge.adapters import (
    Address,
    ProviderConfused,
    ProviderError,
    ProviderRefused,
    ProviderUnreachable,
    Status,
    Unsupported,
)
from bridge.domain.outcomes import RefundRequest
from bridge.simulators.faults import Fault
from tests.adapters.forte_payments_provider import World, adapter, forte, full, payment
from tests.adapters.forte_payments_wire import INTENT, MANIFEST, STATUSES
from tests.adapters.orders import ATTEMPT, KEY, TIMEOUT

UUID = "440b0e4e-ae70-4886-ad6b-1521cc22cbca"
OTHER_KEY = f"{'b' * 32}:create"


@pytest.fixture
def world() -> Iterator[World]:
    with forte() as world:
        yield world


def mailbox(name):
    return {"billing": Address(email=f"{name}@example.com")}


def pay(world, made=None, **changes):
    """A payment and the adapter that made it."""
    made = made or world.adapter()
    return made, world.create(made, **changes)


# What a create is answered with


def test_24_an_intent_waits_for_the_buyer(world):
    _, outcome = pay(world)
    [intent] = world.simulator.intents
    assert (outcome.status, outcome.reference) == (Status.REQUIRES_ACTION, intent.id)
    assert (outcome.amount, outcome.currency) == (1023, "USD") == (intent.amount, intent.currency)
    assert (outcome.charge, outcome.decline, outcome.client_secret, outcome.public_id) == (None, None, None, None)
    assert (intent.reference, intent.idempotency_key) == (f"12:{ATTEMPT}", KEY)
    assert world.simulator.ledger.entries() == ()


@pytest.mark.parametrize("absent", [..., None, ""])
def test_25_a_200_without_an_id_is_no_error(world, absent):
    world.answer_next(INTENT, status=200, payment_intent_id=absent, error_code="ERR01")
    _, outcome = pay(world)
    assert (outcome.status, outcome.reference, outcome.decline) == (Status.REQUIRES_ACTION, None, None)
    assert outcome.provider_data["data"]["error_code"] == "ERR01"
    assert len(world.door.to(INTENT)) == 1


def test_26_the_id_decides_and_not_the_status(world, caplog):
    caplog.set_level(logging.WARNING)
    world.answer_next(INTENT, status=200)
    _, with_id = pay(world)
    assert with_id.reference
    assert "200 with a payment intent's id" in caplog.text
    caplog.clear()
    world.answer_next(INTENT, status=201, payment_intent_id=None)
    _, without = pay(world, key=OTHER_KEY)
    assert (without.status, without.reference) == (Status.REQUIRES_ACTION, None)
    assert "201 without a payment intent's id" in caplog.text


def test_27_data_is_passed_on_whole_and_as_it_is(world):
    sent = {
        "zeta": 1,
        "notes": ["a", {"b": [None, 1.5]}],
        "widget_data": " eyJhY2Nlc3NfdG9rZW4i... ",
        "payment_intent_id": UUID,
        "flow": "SOMETHING",
        "error_code": None,
    }
    world.replace_next(INTENT, {"data": sent}, 201)
    _, outcome = pay(world)
    for widget in (outcome.provider_data, outcome.next_action["forte_widget"]):
        assert widget["data"] == sent
        assert list(widget["data"]) == list(sent)
    assert outcome.provider_data["kind"] == outcome.next_action["type"] == "forte_widget"


@pytest.mark.parametrize("code", ["ERR01", "ERR03", "ERR06", "ERR15", "ERR99", "whatever", 7])
@pytest.mark.parametrize("status", [200, 201])
def test_28_an_error_code_is_carried_and_never_raised(world, code, status):
    world.answer_next(INTENT, status=status, error_code=code)
    _, outcome = pay(world)
    assert outcome.provider_data["error_code"] == outcome.raw["error_code"] == code
    assert outcome.provider_data["data"]["error_code"] == code
    assert outcome.status is Status.REQUIRES_ACTION


def test_28_without_a_code_there_is_none(world):
    _, outcome = pay(world)
    assert outcome.provider_data["error_code"] is None


@pytest.mark.parametrize(("name", "code"), [("banned", "ERR01"), ("sanctioned", "ERR03"), ("kyc", "ERR06")])
def test_29_the_widget_speaks_for_itself_to_a_refused_buyer(world, name, code):
    _, outcome = pay(world, **mailbox(name))
    assert outcome.reference is None
    assert outcome.provider_data["data"]["widget_data"]
    assert outcome.provider_data["error_code"] == code
    assert "message" not in outcome.provider_data
    assert outcome.decline is None


def test_30_a_buyer_who_has_to_be_identified_first_keeps_the_intent(world):
    made, outcome = pay(world, **mailbox("kyc.intent"))
    assert (outcome.status, outcome.provider_data["error_code"]) == (Status.REQUIRES_ACTION, "ERR06")
    assert made.fetch(outcome.reference).status is Status.REQUIRES_ACTION


def test_30_who_is_identified_gets_an_intent_under_the_same_key(world):
    made, refused = pay(world, **mailbox("kyc"))
    token = json.loads(base64.b64decode(refused.provider_data["data"]["widget_data"]))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.post(f"{world.url}/widget/v1/identity", headers=headers, timeout=10).status_code == 200
    _, outcome = pay(world, made, **mailbox("kyc"))
    assert outcome.reference
    assert outcome.provider_data["error_code"] is None


def test_31_a_flagged_wallet_leaves_the_order_unpaid_and_open(world):
    made = world.adapter()
    meta = {"_forte_wallet_address": "0xdead", "_forte_wallet_blockchain": "ethereum"}
    outcome = made.create(made.prepare(full(payment(), meta=meta)), KEY)
    assert (outcome.status, outcome.reference) == (Status.REQUIRES_ACTION, None)
    assert outcome.provider_data["error_code"] == "ERR15"


def test_32_what_the_widget_gets_is_in_no_repr_log_or_dump(world, caplog):
    caplog.set_level(logging.DEBUG)
    _, outcome = pay(world)
    secret = outcome.provider_data["data"]["widget_data"]
    token = json.loads(base64.b64decode(secret))["access_token"]
    for canary in (secret, token):
        assert canary not in repr(outcome) + repr(outcome.raw) + caplog.text
    assert set(outcome.raw) == {"http_status", "payment_intent_id", "flow", "error_code"}


# The script


def test_33_the_widget_gets_its_script_with_a_digest(world):
    _, outcome = pay(world)
    widget = outcome.provider_data
    assert widget["container_id"] == "forte-payments-widget-container"
    assert widget["script_url"] == f"{world.url}/forte-payments-widget-1.0.0.js", "the version that the digest is of"
    script = requests.get(widget["script_url"], timeout=10)
    digest = base64.b64encode(hashlib.sha384(script.content).digest()).decode()
    assert widget["integrity"] == f"sha384-{digest}"
    assert set(widget) == {"kind", "error_code", "script_url", "integrity", "container_id", "data"}


def test_33_the_digest_is_asked_for_in_every_session_unless_that_is_off(world):
    made = world.adapter()
    for key in (KEY, OTHER_KEY):
        pay(world, made, key=key)
    assert len(world.door.to(MANIFEST)) == 2
    script = f"{world.url}/forte-payments-widget.js"
    _, outcome = pay(world, world.adapter(script_integrity="no"), key="x:create")
    assert (outcome.provider_data["script_url"], "integrity" in outcome.provider_data) == (script, False)
    assert len(world.door.to(MANIFEST)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": {"file_name": "../evil.js", "integrity": {"digest": "sha384-AAAA"}}},
        {"data": {"file_name": "https://evil.example/a.js", "integrity": {"digest": "sha384-AAAA"}}},
        {"data": {"file_name": "a.js", "integrity": {"digest": "none"}}},
    ],
)
def test_33_a_digest_that_cannot_be_had_stops_no_payment(world, answer, caplog):
    world.replace_next(MANIFEST, answer)
    _, outcome = pay(world)
    assert outcome.reference
    assert outcome.provider_data["script_url"] == f"{world.url}/forte-payments-widget.js"
    assert "integrity" not in outcome.provider_data
    assert "digest" in caplog.text


def test_33_a_manifest_that_fails_stops_no_payment(world):
    world.faults.next(Fault.ERROR_500, match=MANIFEST)
    assert pay(world)[1].reference


def test_33_the_digest_is_not_waited_for_longer_than_a_call_may_take(world):
    over = threading.Event()
    world.faults.next(Fault.STALLED, match=MANIFEST, until=over)
    try:
        _, outcome = pay(world, world.adapter(timeout=TIMEOUT))
    finally:
        over.set()
    assert outcome.reference
    assert "integrity" not in outcome.provider_data


# Errors


def failure(world, **changes) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        pay(world, **changes)
    assert str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [400, 403, 404, 406, 415, 422])
def test_44_a_refusal_is_told_with_fortes_status(world, status):
    world.replace_next(INTENT, {"error": {"status": status, "reason": "No", "message": "Not like that."}}, status)
    error = failure(world)
    assert isinstance(error, ProviderRefused)
    assert (str(error), error.details["provider_status"]) == ("Error: Not like that.", status)
    assert len(world.door.to(INTENT)) == 1


def test_45_a_submitted_payment_is_looked_up_and_never_made_again(world):
    made, created = pay(world)
    world.simulator.submit(created.reference)
    pending = world.create(made)
    assert (pending.status, pending.reference) == (Status.PROCESSING, created.reference)
    assert (pending.amount, pending.currency) == (1023, "USD")
    world.simulator.approve(created.reference)
    paid = world.create(made)
    assert (paid.status, paid.reference, paid.charge.amount_captured) == (Status.SUCCEEDED, created.reference, 1023)
    assert len(world.simulator.intents) == 1


@pytest.mark.parametrize(("end", "declined"), [("decline", True), ("expire", False)])
def test_45_a_submitted_payment_that_came_to_nothing_says_so(world, end, declined):
    made, created = pay(world)
    getattr(world.simulator, end)(created.reference)
    world.replace_next(INTENT, {"error": {"status": 409, "reason": "Conflict", "code": "ERR04"}}, 409)
    outcome = world.create(made)
    assert outcome.status is Status.CANCELED
    assert (outcome.decline is not None) is declined


def test_45_one_that_cannot_be_looked_up_is_an_error_of_its_own(world):
    error = failure(world, amount=40904)
    assert isinstance(error, ProviderConfused)
    assert (error.reason, error.retryable) == ("payment_already_submitted", False)
    assert (error.details["provider_status"], error.details["provider_code"]) == (409, "ERR04")
    assert len(world.door.to(INTENT)) == 1


def test_45_a_look_up_that_fails_is_no_refusal(world):
    made, created = pay(world)
    world.simulator.submit(created.reference)
    world.replace_next(STATUSES, {"data": []})
    with pytest.raises(ProviderConfused) as caught:
        world.create(made)
    assert caught.value.reason == "payment_already_submitted"


@pytest.mark.parametrize("code", [409, "409", "ERR99", ...])
def test_46_any_409_is_a_conflict_whatever_its_code(world, code):
    error = {"status": 409, "reason": "Conflict"} | ({} if code is ... else {"code": code})
    world.replace_next(INTENT, {"error": error}, 409)
    assert failure(world).reason == "payment_already_submitted"
    assert len(world.door.to(INTENT)) == 1


def test_47_an_error_may_lack_message_and_code(world):
    world.replace_next(INTENT, {"error": {"status": 400, "reason": "Bad Request"}}, 400)
    error = failure(world)
    assert (str(error), error.code) == ("Error: Bad Request", "400")
    world.replace_next(INTENT, {"error": {"status": 400, "reason": "Bad Request", "message": "", "code": 9}}, 400)
    assert failure(world, key=OTHER_KEY).code == "9"


def test_47_a_message_decides_nothing(world):
    for number, message in enumerate(("ERR04", "The payment was already submitted.", "Unauthorized")):
        world.replace_next(INTENT, {"error": {"status": 422, "reason": "x", "message": message}}, 422)
        assert isinstance(failure(world, key=f"{number}"), ProviderRefused)


@pytest.mark.parametrize("status", [200, 201, 202, 301, 400, 404, 418])
@pytest.mark.parametrize("answer", [{}, {"error": "no"}, [], "hello", None, {"data": None}, {"data": []}])
def test_48_an_answer_that_makes_no_sense_is_an_error_with_its_status(world, status, answer):
    world.replace_next(INTENT, answer, status)
    error = failure(world)
    assert isinstance(error, ProviderConfused)
    assert error.details["provider_status"] == status
    assert error.__cause__ is None


@pytest.mark.parametrize("fault", [Fault.HTML, Fault.TRUNCATED, Fault.WRONG_JSON])
def test_48_a_body_that_is_no_answer_is_an_error_and_the_repeat_finds_the_intent(world, fault):
    made = world.adapter()
    world.faults.next(fault, match=f"POST {INTENT}")
    with pytest.raises(ProviderConfused):
        world.create(made)
    assert world.create(made).reference
    assert len(world.simulator.intents) == 1


def test_48_fortes_name_of_the_request_is_kept(world):
    world.faults.next(Fault.HTML, match=f"POST {INTENT}")
    assert failure(world).details["provider_request_id"] == f"request-{len(world.door.sent)}"


def test_49_a_connection_that_broke_is_tried_again_at_once_with_the_same_bytes(world):
    world.faults.next(Fault.DROPPED, match=f"POST {INTENT}")
    assert pay(world)[1].reference
    first, second = world.door.to(INTENT)
    assert first.content == second.content
    assert len(world.simulator.intents) == 1


def test_49_how_often_is_a_setting(world):
    made = world.adapter(max_retries="0")
    world.faults.next(Fault.DROPPED, match=f"POST {INTENT}")
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(made)
    assert caught.value.sent
    world.faults.next(Fault.DROPPED, times=4, match=f"POST {INTENT}")
    with pytest.raises(ProviderUnreachable):
        world.create(world.adapter(max_retries="3"), key=OTHER_KEY)
    assert len(world.door.to(INTENT)) == 5


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.ERROR_503, Fault.PROCESSED_500])
def test_49_after_a_5xx_nobody_knows_and_the_repeat_is_the_workers(world, fault):
    made = world.adapter()
    world.faults.next(fault, match=f"POST {INTENT}")
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(made)
    assert caught.value.sent
    assert len(world.door.to(INTENT)) == 1
    assert world.create(made).reference
    assert len(world.simulator.intents) == 1


@pytest.mark.parametrize("status", [408, 502, 504, 599])
def test_49_a_status_that_proves_nothing_is_told_as_that_and_repeated_by_the_worker_only(world, status):
    made = world.adapter()
    world.replace_next(INTENT, {"error": {"status": status, "reason": "x"}}, status)
    with pytest.raises(ProviderUnreachable) as caught:
        world.create(made)
    assert (caught.value.sent, caught.value.details["provider_status"]) == (True, status)
    assert len(world.door.to(INTENT)) == 1
    assert world.create(made).reference
    first, second = world.door.to(INTENT)
    assert first.content == second.content
    assert len(world.simulator.intents) == 1


def test_49_too_many_requests_may_be_tried_again(world):
    world.faults.next(Fault.RATE_LIMITED, match=f"POST {INTENT}")
    error = failure(world)
    assert isinstance(error, ProviderRefused)
    assert error.retryable


def test_49_a_refusal_after_a_broken_connection_proves_nothing(world):
    world.faults.next(Fault.DROPPED, match=f"POST {INTENT}")
    world.faults.next(Fault.RATE_LIMITED, match=f"POST {INTENT}")
    error = failure(world)
    assert isinstance(error, ProviderUnreachable)
    assert error.sent


def test_114_an_answer_that_does_not_come_in_time_leaves_the_outcome_open(world):
    over = threading.Event()
    world.faults.next(Fault.STALLED, match=f"POST {INTENT}", until=over)
    try:
        with pytest.raises(ProviderUnreachable) as caught:
            pay(world, world.adapter(timeout=TIMEOUT))
    finally:
        over.set()
    assert caught.value.sent
    assert len(world.door.to(INTENT)) == 1, "after a timeout nothing is sent again at once"


def test_114_a_token_that_does_not_come_in_time_stops_everything_before_it_began(world):
    over = threading.Event()
    world.faults.next(Fault.STALLED, times=2, match="oauth2", until=over)  # who comes late asks again
    made = world.adapter(timeout=0.5)
    try:
        with ThreadPoolExecutor(2) as threads:
            errors = [call.exception() for call in [threads.submit(world.create, made) for _ in range(2)]]
    finally:
        over.set()
    assert [(type(error), error.sent) for error in errors] == [(ProviderUnreachable, False)] * 2
    assert world.door.to(INTENT) == []


def test_49_nobody_there_is_proven_to_be_nothing():
    made = adapter(api_base="http://127.0.0.1:9")
    with pytest.raises(ProviderUnreachable) as caught:
        made.create(made.prepare(payment()), KEY)
    assert caught.value.sent is False
    made.close()


def test_50_the_same_request_and_key_make_one_intent(world):
    made = world.adapter()
    first, again = world.create(made), world.create(world.adapter())
    assert first.reference == again.reference
    assert again.provider_data["data"]["widget_data"] != first.provider_data["data"]["widget_data"]
    with ThreadPoolExecutor(10) as threads:
        references = set(threads.map(lambda _: world.create(made).reference, range(20)))
    assert references == {first.reference}
    assert len(world.simulator.intents) == 1


# How it stands


@pytest.mark.parametrize(
    ("end", "status", "code", "expired"),
    [
        (None, Status.REQUIRES_ACTION, None, False),
        ("submit", Status.REQUIRES_ACTION, None, False),
        ("approve", Status.SUCCEEDED, None, False),
        ("decline", Status.CANCELED, "generic_decline", False),
        ("expire", Status.CANCELED, None, True),
    ],
)
def test_62_forte_is_asked_how_an_intent_stands(world, end, status, code, expired):
    made, created = pay(world)
    if end:
        getattr(world.simulator, end)(created.reference)
    outcome = made.fetch(created.reference)
    assert (outcome.status, outcome.reference, outcome.expired) == (status, created.reference, expired)
    assert (outcome.decline.decline_code if outcome.decline else None) == code
    assert (outcome.amount, outcome.currency) == (0, ""), "Forte does not say"
    assert (outcome.charge is not None) is (end == "approve")


def test_62_a_status_that_nobody_knows_decides_nothing_and_is_logged(world, caplog):
    made, created = pay(world)
    world.replace_next(STATUSES, {"data": [{"payment_intent_id": created.reference, "status": "Waiting"}]})
    assert made.fetch(created.reference).status is Status.PROCESSING
    assert f"{created.reference} is Waiting" in caplog.text
    assert made.fetch(created.reference).status is Status.REQUIRES_ACTION
    assert caplog.text.count("is Waiting") == 1


def test_62_an_intent_that_nobody_paid_in_time_has_expired(world):
    made, created = pay(world)
    world.clock.advance(3600)
    assert made.fetch(created.reference).expired


def test_110_a_charge_invents_nothing(world):
    made, created = pay(world)
    world.simulator.approve(created.reference)
    charge = made.fetch(created.reference).charge
    assert charge.id == f"ch_{created.reference.replace('-', '')}"
    assert (charge.status, charge.captured, charge.payment_method_type) == ("succeeded", True, "forte")
    assert (charge.card, charge.billing_details, charge.application_fee_amount) == (None, None, None)


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([{"status": "Approved"}], Status.SUCCEEDED),
        ([{"id": UUID, "status": "Approved"}], Status.SUCCEEDED),
        ([{"intent": UUID.upper(), "status": "Approved"}], Status.SUCCEEDED),
        ([{"id": "other", "status": "Declined"}, {"id": UUID, "status": "Approved"}], Status.SUCCEEDED),
        ([{"id": UUID, "status": "Moonlight"}], Status.PROCESSING),
    ],
)
def test_62_the_answer_is_matched_whatever_the_id_is_called(world, entries, status):
    world.replace_next(STATUSES, {"data": entries})
    assert world.adapter().fetch(UUID).status is status


@pytest.mark.parametrize(
    "entries",
    [
        [{"id": "other", "status": "Approved"}],
        [{"payment_intent_id": "other", "status": "Approved"}],
        [{"status": "Approved"}, {"status": "Declined"}],
        [{"id": UUID, "status": "Approved"}, {"id": UUID, "status": "Declined"}],
        [{"id": UUID}],
        [{"id": UUID, "status": None}],
        ["Approved"],
        "Approved",
        None,
    ],
)
def test_62_an_answer_about_something_else_is_none(world, entries):
    world.replace_next(STATUSES, {"data": entries})
    with pytest.raises(ProviderConfused):
        world.adapter().fetch(UUID)


@pytest.mark.parametrize("reference", ["pi_Nobody00000000000000000000", "", UUID + "0", "12:" + ATTEMPT])
def test_62_only_uuids_are_asked_for(world, reference):
    with pytest.raises(ProviderRefused):
        world.adapter().fetch(reference)
    assert world.door.sent == []


def test_62_an_intent_that_forte_does_not_know_is_refused(world):
    with pytest.raises(ProviderRefused) as caught:
        world.adapter().fetch(UUID)
    assert caught.value.code == "resource_missing"


def test_62_the_names_of_the_ids_may_be_missing():
    with forte(status_id_field=None) as world:
        made, created = pay(world)
        world.simulator.approve(created.reference)
        assert made.fetch(created.reference).status is Status.SUCCEEDED


# The rest of the contract


def test_112_what_forte_cannot_do_is_said(world):
    made, created = pay(world)
    request = RefundRequest(created.reference, "ch_1", 1023, "USD", "", ATTEMPT)
    for ask in (
        lambda: made.refund(request, "key"),
        lambda: made.cancel(created.reference, "key"),
        lambda: made.capture(created.reference, 1023, "key"),
        lambda: made.find({}, "key", 0.0),
        lambda: made.open(made.prepare(payment()), "key"),
        lambda: list(made.listed(0.0)),
    ):
        with pytest.raises(Unsupported, match="is not supported by forte_payments"):
            ask()


def test_112_what_was_begun_in_the_widget_can_be_ended_after_the_mode_was_changed(world):
    request = world.adapter().prepare(payment())
    assert world.adapter(mode="redirect").create(request, KEY).reference
    assert len(world.simulator.intents) == 1
