"""Parameters from JSON, form and query, and everything odd that a body can be."""

import json
from typing import Any

import pytest

from tests.http.conftest import BODY, Door
from tests.plugins.local import INTENTS

OTHER = {"payment_method": "pm_card_mastercard", "customer": "cus_other", "order_id": "20"}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def query(parameters: dict[str, Any]) -> str:
    return "&".join(f"{name}={value}" for name, value in parameters.items())


@pytest.mark.parametrize(
    "kwargs",
    [
        {"json": BODY},
        {"json": BODY | {"order_id": "19"}},
        {"data": BODY},
        {"data": query(BODY), "content_type": f"{FORM}; charset=utf-8"},
        {"data": BODY, "content_type": "multipart/form-data"},
        {"query_string": query(BODY)},
        {"query_string": query(OTHER), "json": BODY},
        {"query_string": query(OTHER), "data": BODY},
        {"query_string": query(OTHER) + "&" + query(BODY)},
        {"query_string": f"order_id=19&customer={BODY['customer']}", "json": {"payment_method": "pm_card_visa"}},
        {"data": json.dumps(BODY), "content_type": "application/vnd.api+json"},
        {"data": json.dumps(BODY), "content_type": "Application/JSON; charset=latin-1"},
        {"data": json.dumps(OTHER)[:-1] + "," + json.dumps(BODY)[1:], "content_type": JSON},
        {"data": json.dumps(OTHER), "content_type": "text/plain", "query_string": query(BODY)},
        {"data": json.dumps(OTHER), "content_type": "application/jsonp", "query_string": query(BODY)},
        {"data": "[1,2]", "content_type": JSON, "query_string": query(BODY)},
        {"data": "null", "content_type": JSON, "query_string": query(BODY)},
        {"data": "", "content_type": JSON, "query_string": query(BODY)},
        {"json": BODY | {"amount": 1, "currency": "JPY", "capture_method": "manual", "context": "edit", "id": "x"}},
    ],
    ids=str,
)
def test_parameters_may_be_sent_as_json_form_or_query_and_json_wins(door: Door, kwargs: dict[str, Any]) -> None:
    door.shelf.put(20)
    answer = door.post(**kwargs).json
    assert (answer["amount"], answer["customer"], answer["payment_method"]) == (1023, BODY["customer"], "pm_card_visa")
    assert answer["metadata"]["order_id"] == 19


CONTROL = (3, "Control character error, possibly incorrectly encoded")
SYNTAX = (4, "Syntax error")
MISMATCH = (2, "State mismatch (invalid or malformed JSON)")
DEPTH = (1, "Maximum stack depth exceeded")
SURROGATE = (10, "Single unpaired high surrogate in Unicode escape")
SCALAR = (0, "A JSON object was expected")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", SYNTAX),
        (b"   ", SYNTAX),
        (b"\xef\xbb\xbf{}", SYNTAX),
        (b"{'a':1}", SYNTAX),
        (b'{"a":1,}', SYNTAX),
        (b'{"a":}', SYNTAX),
        (b"[1,}", SYNTAX),
        (b'{"a":1} x', SYNTAX),
        (b'{"a":NaN}', SYNTAX),
        (b'{"a":-Infinity}', SYNTAX),
        (b"\x00", SYNTAX),
        (b'{"a":1]', MISMATCH),
        (b"[1}", MISMATCH),
        (b"{]", MISMATCH),
        (b"[}", MISMATCH),
        (b'{"a":"\n"}', CONTROL),
        (b'{"a":"\x00"}', CONTROL),
        (b'{"status": "pend', CONTROL),  # T3d
        (b'{"status', CONTROL),
        (b'"', CONTROL),
        (b'{"a":"b\\\\', CONTROL),
        (b'{"a":"b\\', SYNTAX),
        (b'{"a":"b\\u12', SYNTAX),
        (b'{"status": "pending"', SYNTAX),
        (b'{"a":"\xff"}', (5, "Malformed UTF-8 characters, possibly incorrectly encoded")),
        (b'{"a":"\xed\xa0\x80"}', (5, "Malformed UTF-8 characters, possibly incorrectly encoded")),
        ('{"a":1}'.encode("utf-16"), (5, "Malformed UTF-8 characters, possibly incorrectly encoded")),
        (b'{"a":"\\ud800"}', SURROGATE),
        (b'{"\\ud800":1}', SURROGATE),
        (b"[" * 513 + b"]" * 513, DEPTH),
        (b'{"a":' * 513 + b"1" + b"}" * 513, DEPTH),
        (b"[" * 100_000, DEPTH),
        (b"[" * 100_000 + b"]" * 100_000, DEPTH),
        (b"1", SCALAR),
        (b"true", SCALAR),
        (b'"text"', SCALAR),
        (b"9" * 10_000, SCALAR),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else "",
)
def test_bad_json_is_refused_in_phps_words(door: Door, body: bytes, expected: tuple[int, str]) -> None:
    code, words = expected
    for method, path in (("POST", INTENTS), ("GET", f"{INTENTS}/pi_x")):
        response = door.open(method, path, data=body, content_type=JSON)
        assert response.status_code == 400
        assert response.json == {
            "code": "rest_invalid_json",
            "message": "Invalid JSON body passed.",
            "data": {"status": 400, "json_error_code": code, "json_error_message": words},
        }


@pytest.mark.parametrize(
    "value",
    [
        "512 deep",
        None,
        "",
        True,
        False,
        0,
        -1,
        1.5,
        10**30,
        -(10**18),
        "19\x00",
        "\x0019",
        "٣",
        "1e1",
        "0x13",
        "x" * 10_000,
        [],
        [19],
        {},
        {"id": 19},
    ],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.parametrize("name", list(BODY))
def test_any_value_of_a_parameter_is_judged_and_none_breaks_anything(door: Door, name: str, value: Any) -> None:
    body = json.dumps(BODY | {name: value})
    if value == "512 deep":
        body = body.replace('"512 deep"', "[" * 511 + "]" * 511)
    response = door.post(data=body, content_type=JSON)
    assert (response.status_code, response.json["code"]) == (500, "wcpay_server_error")
    assert response.json["data"]["reason"] in ("order_not_found", "invalid_parameter")


def test_numbers_beyond_all_bounds_break_nothing(door: Door) -> None:
    for number in ("9" * 5_000, "1e999", "-" + "9" * 5_000, "0." + "1" * 5_000):
        response = door.post(data=f'{{"order_id":{number}}}', content_type=JSON)
        assert response.json["data"]["reason"] == "order_not_found"


@pytest.mark.parametrize("text", ["%00", "%FF%FE", "%ED%A0%80", "%E2%82", "+", "%F0%9F%98%80", "%0D%0ASet-Cookie:x"])
def test_odd_bytes_in_a_query_break_nothing(door: Door, text: str) -> None:
    response = door.post(query_string=f"order_id={text}&{text}=1&a[{text}][]={text}&_fields={text}&_method[]={text}")
    assert response.json["data"]["reason"] == "order_not_found"
    assert door.get(f"{INTENTS}/pi_x?{text}={text}").json["code"] == "resource_missing"
    assert door.get(f"{INTENTS}/{text}").json["code"] in ("rest_no_route", "resource_missing")


def test_names_with_brackets_by_the_thousand_break_nothing(door: Door) -> None:
    for data in ("a[]=&" * 40_000, "a" + "[b]" * 80_000 + "=1", "&" * 200_000, "[=1&]=1&a[=1&a]b[=1&=1"):
        response = door.post(data=data, content_type=FORM)
        assert response.json["data"]["reason"] == "order_not_found"


def test_no_more_than_a_thousand_names_are_read_as_in_php(door: Door) -> None:
    for place in ("data", "query_string"):
        most = "&".join(f"a{number}=1" for number in range(997))
        assert door.post(content_type=FORM, **{place: f"{most}&{query(BODY)}"}).status_code == 200
        response = door.post(content_type=FORM, **{place: f"{most}&b=1&c=1&d=1&{query(BODY)}"})
        assert response.json["data"]["reason"] == "order_not_found"


@pytest.mark.parametrize(
    "kwargs",
    [
        {"query_string": "payment_intent_id=pi_y"},
        {"json": {"payment_intent_id": "pi_y"}},
        {"json": {"payment_intent_id": None}},
        {"json": {"payment_intent_id": ["pi_x"]}},
        {"query_string": "payment_intent_id=pi_y", "json": {"payment_intent_id": "pi_x"}},
        {"query_string": "payment_intent_id[]=pi_x"},
    ],
    ids=str,
)
def test_no_parameter_overrides_the_address(door: Door, kwargs: dict[str, Any]) -> None:
    response = door.get(f"{INTENTS}/pi_x", **kwargs)
    said = "payment_intent_id is not the one in the address."
    assert response.status_code == 400
    assert response.json == {
        "code": "rest_invalid_param",
        "message": "Invalid parameter(s): payment_intent_id",
        "data": {
            "status": 400,
            "params": {"payment_intent_id": said},
            "details": {
                "payment_intent_id": {
                    "code": "rest_invalid_param",
                    "message": said,
                    "data": {"param": "payment_intent_id"},
                }
            },
        },
    }


@pytest.mark.parametrize("kwargs", [{"query_string": "payment_intent_id=19"}, {"json": {"payment_intent_id": 19}}])
def test_a_parameter_may_say_what_the_address_says(door: Door, kwargs: dict[str, Any]) -> None:
    assert door.get(f"{INTENTS}/19", **kwargs).json["code"] == "resource_missing"


LARGE = {
    "code": "wcpay_request_too_large",
    "message": "The request is too large: a body may have 256 KB.",
    "data": {"status": 413},
}


@pytest.mark.parametrize("content_type", [JSON, FORM, "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("key", ["read_write", None])
def test_a_body_has_256_kb_at_most(door: Door, content_type: str, key: str | None) -> None:
    response = door.post(data=b"x" * (256 * 1024 + 1), content_type=content_type, key=key)
    assert (response.status_code, response.json) == (413, LARGE)
    response = door.post(data=b" " * (256 * 1024 - 2) + b"{}", content_type=content_type)
    assert response.json["code"] == (
        "rest_bad_request" if content_type.startswith("multipart") else "wcpay_server_error"
    )


def test_a_body_that_does_not_tell_its_length_has_256_kb_at_most(door: Door) -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    for content_type in (JSON, FORM):
        response = door.post(data=b" " * 300_000, content_type=content_type, environ_overrides=chunked)
        assert (response.status_code, response.json) == (413, LARGE)
    response = door.post(json=BODY, environ_overrides=chunked)
    assert response.json["status"] == "succeeded"
