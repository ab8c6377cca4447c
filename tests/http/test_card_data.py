"""Card data is refused wherever it stands, and what only looks like it is not."""

import json
import logging
from typing import Any

import pytest

from bridge.domain.errors import CardDataRefused
from bridge.domain.stores import Permissions
from bridge.registry import keys
from tests.http.conftest import BODY, HTTPS, Door, MakeDoor
from tests.http.test_oauth import send, signer
from tests.plugins.local import INTENTS

VISA, AMEX, LONG = "4242424242424242", "378282246310005", "6304000000000000000"
REFUSED = {
    "code": "wcpay_card_data_refused",
    "message": "Card data must not be sent here. Send the id of a payment method that the provider made of it.",
    "data": {"status": 400},
}
CARD_DATA: list[dict[str, Any]] = [
    {"json": {"payment_method": VISA}},
    {"json": {"payment_method": int(VISA)}},
    {"json": {"payment_method": float(VISA)}},
    {"json": {"payment_method": AMEX}},
    {"json": {"payment_method": LONG}},
    {"json": {"payment_method": int(LONG)}},
    {"json": {"note": "my card is 4242 4242 4242 4242, valid until 12/30"}},
    {"json": {"note": "4242-4242-4242-4242"}},
    {"json": {"note": "4242 4242 4242 4242 12 2030"}},
    {"json": {"note": "order 19: 4242\u20134242\u20134242\u20134242."}},
    {"json": {"note": " ".join(VISA)}},
    {"json": {"note": "".join(chr(0xFF10 + int(digit)) for digit in VISA)}},
    {"json": {"customer": f"cus_{VISA}"}},
    {"json": {"deep": [{"er": [{"still": [VISA]}]}]}},
    {"json": {"note": "card4000056655665556"}},
    {"json": {"note": "4242424242424242abc"}},
    {"json": {"note": "\u00e94242424242424242\u00e9"}},
    {"json": {"note": "4242.4242.4242.4242"}},
    {"json": {"note": "4242_4242_4242_4242"}},
    {"json": {"note": "4242/4242/4242/4242"}},
    {"json": {"note": "4242,4242,4242,4242"}},
    {"json": {"note": "4242 . 4242|4242\u00b74242"}},
    {"json": {"note": "4242x4242x4242x4242"}},
    {"json": {"note": "3782.822463.10005"}},
    {"json": {"note": "3782x822463x10005"}},
    {"json": {"note": "6304x0000x0000x0000x000"}},
    {"json": {"note": "4242\u200b4242\u200b4242\u200b4242"}},
    {"json": {"note": ".".join(VISA)}},
    {"json": {"note": "42:42:42:42:42:42:42:42"}},
    {"json": {"note": "424242 4242424242"}},
    {"json": {"note": "".join(chr(0x0660 + int(digit)) for digit in VISA)}},
    {"json": {"note": "".join(chr(0x245F + int(digit)) for digit in VISA)}},
    {"json": {"note": "%B4242424242424242^DOE/J^3012101?"}},
    {"json": {"note": ";4242424242424242=30121010000000000?"}},
    {"json": {"note": "4242424242424242D301210112345678"}},
    {"json": {"note": "CVC: 737"}},
    {"json": {"note": "2223003122003222"}},
    {"json": {"note": "30569309025904"}},
    {"json": {"note": "4222222222222"}},
    {"json": {"note": "5 " * 20_000}},
    {"json": {"4242.4242.4242.4242": 1}},
    {"json": {"track2": ""}},
    {"json": {"Track1Data": ""}},
    {"json": {"track_data": ""}},
    {"json": {"track": {"2": ""}}},
    {"json": {"card_security_code": ""}},
    {"json": {"card": {"security-code": ""}}},
    {"json": {"security": {"code": ""}}},
    {"json": {"card": {"number": "x"}}},
    {"json": {"cid": ""}},
    {"json": {"csc": ""}},
    {"json": {"ccv": ""}},
    {"json": {"pan": ""}},
    {"json": {"primaryAccountNumber": ""}},
    {"json": {"billing_cvc": ""}},
    {"json": {"\uff23\uff36\uff23": ""}},
    {"json": {"magstripe": ""}},
    {"json": {"pin_block": ""}},
    {"json": {"metadata": [{"key": "cvv2", "value": "123"}]}},
    {"json": {VISA: 1}},
    {"json": {"a": {VISA: 1}}},
    {"json": [VISA]},
    {"json": {"card": {"cvc": "123"}}},
    {"json": {"CVV2": ""}},
    {"json": {"card_number": "x"}},
    {"json": {"cardNumber": None}},
    {"json": {"cc-number": "x"}},
    {"json": {"security_code": 1}},
    {"json": {"card": {"number": "4000", "exp_month": 12}}},
    {"json": {"number": "4000", "expiry": "12/30"}},
    {"data": {"payment_method": VISA}},
    {"data": {"card[number]": "4000", "card[exp_year]": "2030"}},
    {"data": {"card[cvc]": "1"}},
    {"query_string": f"payment_method={VISA}"},
    {"query_string": f"{VISA}=1"},
    {"query_string": f"a[{VISA}]=1"},
    {"query_string": "note=4242+4242%204242-4242", "json": BODY},
    {"query_string": f"payment_method={VISA}", "json": BODY},
]
NO_CARD_DATA: list[Any] = [
    "4242424242424241",
    "0000000000000000",
    "4242, 4242, 4242, 4242",
    "4242 4242 x 4242 4242",
    "1696496578123",
    "424242424242",
    "42424242424242424242",
    "pi_3MtwBwLkdIwHu7ix28a3tqPa",
    "0f0f4242424242424242f0f0",
    "2026-11-21 10:11:12.131415",
    {"number": "19", "key": "wc_order_1"},
    {"number": 19},
    {"number": "19", "expires_at": 1},
    {"cvc_check": "pass", "cvc_failure": True, "cvc_token": None},
    {"card": {"id": "card_1", "brand": "visa", "last4": "4242", "exp_month": 12}},
    {"c": {"id": "x"}, "tracking_number": "1", "verification_code": "1", "postal_code": "94101"},
    2000000000107,
    "+4915123456789",
    "4006381333931",
    "12.4242424242424242",
    "42.50 38.99 40.00 50.99",
    True,
    19,
]


@pytest.mark.parametrize("kwargs", CARD_DATA, ids=str)
def test_card_data_is_refused_in_both_profiles_and_repeated_nowhere(
    door: Door, caplog: pytest.LogCaptureFixture, kwargs: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    response = door.post(**kwargs)
    assert (response.status_code, response.json) == (400, REFUSED)
    assert door.shelf.reads == 0
    assert "4242" not in caplog.text


@pytest.mark.parametrize("settings", [{"compat": "woopayments"}, {"error_status": "precise"}], ids=str)
def test_card_data_is_refused_alike_whatever_the_settings(make_door: MakeDoor, settings: dict[str, str]) -> None:
    response = make_door(**settings).post(json={"payment_method": VISA})
    assert (response.status_code, response.json) == (400, REFUSED)


def test_card_data_in_an_address_is_refused(door: Door) -> None:
    assert door.get(f"{INTENTS}/{VISA}").json == REFUSED
    assert door.get(f"{INTENTS}/{VISA}?payment_intent_id=pi_x").json == REFUSED


def test_anybody_learns_only_that_a_key_is_needed(door: Door) -> None:
    for response in (door.post(json={"payment_method": VISA}, key=None), door.get(f"{INTENTS}/{VISA}", key=None)):
        assert (response.status_code, response.json["code"]) == (401, "rest_forbidden")
        assert "4242" not in response.get_data(as_text=True)


def test_broken_json_is_not_repeated(door: Door) -> None:
    response = door.post(data=f'{{"payment_method": {VISA}', content_type="application/json")
    assert response.json["code"] == "rest_invalid_json"
    assert "4242" not in response.get_data(as_text=True)


@pytest.mark.parametrize("value", NO_CARD_DATA, ids=str)
def test_what_is_no_card_number_passes(door: Door, value: Any) -> None:
    assert door.post(json=BODY | {"note": value}).status_code == 200
    assert door.post(query_string=f"note={json.dumps(value)}", json=BODY).status_code == 200


def test_an_order_whose_number_looks_like_a_card_number_to_luhn_is_paid(door: Door) -> None:
    door.shelf.put(2000000000107)
    assert door.post(json=BODY | {"order_id": 2000000000107}).status_code == 200


def test_a_key_is_not_described_by_a_card_number(door: Door) -> None:
    with pytest.raises(CardDataRefused) as refused:
        keys.create(door.bridge.services, door.store.id, Permissions.READ, "of 4242.4242.4242.4242")
    assert "4242" not in str(refused.value)


def test_credentials_are_not_taken_for_card_data(door: Door) -> None:
    client = signer(door, nonce=VISA, signature_type="QUERY")
    assert send(door, f"{HTTPS}{INTENTS}/pi_x", client).json["code"] == "resource_missing"
