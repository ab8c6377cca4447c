"""Every route that is served, held against one table: who may call it, what it must have, what it says of strangers."""

import re
from dataclasses import replace
from typing import Any

import pytest

from bridge.domain.stores import STORE_OPTIONS, Store
from bridge.http.blueprint import make_blueprint
from bridge.http.smorest import Blueprint, Route
from bridge.registry import stores
from bridge.selftest.route_access import ROUTES, Proof, served
from tests.http.conftest import HTTPS, Door, MakeDoor, make_pairs
from tests.http.payments import PAYMENTS, capture_by_hand
from tests.plugins.local import INTENTS

MISSING = {
    "order_id": "999",
    "payment_intent_id": "pi_missing",
    "customer_id": "cus_missing",
    "charge_id": "ch_missing",
    "transaction_id": "txn_missing",
    "intention_id": "pi_missing",
    "endpoint": "missing",
    "token": "missing",
    "name": "missing",
}
NAMES = MISSING | {
    "order_id": 19,
    "customer_id": "cus_OUQoHGzJLw87Tk",
    "payment_intent_id": "pi_x",
    "charge_id": "ch_x",
}
FORBIDDEN = {"code": "rest_forbidden", "message": "Sorry, you are not allowed to do that.", "data": {"status": 401}}
NO_ROUTE = {
    "code": "rest_no_route",
    "message": "No route was found matching the URL and request method.",
    "data": {"status": 404},
}

KEYED = {
    route: (access.filled(NAMES), access.required) for route, access in ROUTES.items() if access.proof is Proof.KEY
}
"""Method and path, then a body with all that is required, and the first parameter that is."""


def routes(door: Door) -> dict[tuple[str, str], Route]:
    blueprint: Blueprint = make_blueprint(door.bridge.services, door.bridge.settings)
    return {
        (method, re.sub(r"<(\w+)>", r"{\1}", route.rule)): route
        for route in blueprint.routes.values()
        for method in route.methods
    }


def at(path: str, **names: str) -> str:
    return path.format(**MISSING | names)


def code_of(answer: Any) -> str | None:
    body = answer.get_json(silent=True)
    return body.get("code") if isinstance(body, dict) else None


def test_every_route_that_is_served_has_an_entry_and_every_entry_a_route(door: Door) -> None:
    assert served(door.app) == sorted(ROUTES)
    assert {name for name, route in routes(door).items() if not route.public} == set(KEYED)


def test_a_route_without_an_entry_is_found_out(make_door: MakeDoor) -> None:
    app = make_door().app
    app.add_url_rule(f"{PAYMENTS}/deposits/<int:deposit_id>", "deposits", lambda deposit_id: str(deposit_id))
    assert set(served(app)) - set(ROUTES) == {("GET", f"{PAYMENTS}/deposits/{{deposit_id}}")}


@pytest.mark.parametrize("profile", ["documented", "woopayments"])
@pytest.mark.parametrize("key", [None, "read", "write", "read_write", "revoked"])
def test_who_may_call_what(make_door: MakeDoor, profile: str, key: str | None) -> None:
    door = make_door(compat=profile)
    for (method, path), (body, _) in KEYED.items():
        may = key == "read_write" or key == ("read" if method == "GET" else "write")
        answer = door.open(method, at(path), key=key, json=body)
        assert (answer.status_code == 401) != may, path
        if not may and (profile == "documented" or key in (None, "revoked")):
            assert answer.json == FORBIDDEN, path
        elif not may:
            verb = "read" if method == "GET" else "write"
            assert answer.json["message"] == f"The API key provided does not have {verb} permissions."
            assert answer.json["code"] == "woocommerce_rest_authentication_error"


def test_what_is_missing_is_told_before_anybody_is_refused(door: Door) -> None:
    """As in WordPress, where parameters are checked before permissions."""
    for (method, path), (body, required) in KEYED.items():
        for key in (None, "read_write"):
            for given in ({}, {required: None}) if required else ():
                answer = door.open(method, at(path), key=key, json=(body or {}) | {required: None} | given)
                assert (answer.status_code, answer.json) == (
                    400,
                    {
                        "code": "rest_missing_callback_param",
                        "message": f"Missing parameter(s): {required}",
                        "data": {"status": 400, "params": [required]},
                    },
                ), path


def test_every_route_takes_a_trailing_slash_and_no_other_method(door: Door) -> None:
    for (method, path), (body, _) in KEYED.items():
        plain = door.open(method, at(path), json=body)
        slashed = door.open(method, f"{at(path)}/", json=body)
        assert (slashed.status_code, slashed.content_type) == (plain.status_code, plain.content_type), path
        others = {"GET", "POST", "PUT", "DELETE"} - {known for known, same in KEYED if same == path}
        for other in others:
            answer = door.open(other, at(path), json=body)
            assert (answer.status_code, answer.json) == (404, NO_ROUTE), (other, path)


UNABLE = [
    ("orders/19/capture_authorization", "capture_authorization"),
    ("orders/19/cancel_authorization", "cancel_authorization"),
    ("orders/19/create_customer", "create_customer"),
    ("orders/19/create_terminal_intent", "create_terminal_intent"),
    ("connection_tokens", "connection_tokens"),
    ("refund", "refund"),
    ("customers/cus_x/payment_methods", "payment_methods"),
]


@pytest.mark.parametrize("error_status", ["compatible", "precise"])
def test_what_an_adapter_cannot_do_is_told_on_every_route(make_door: MakeDoor, error_status: str) -> None:
    door = make_door(error_status=error_status)
    capture_by_hand(door)
    intent = door.create().json["id"]
    adapter = door.bridge.services.stores.adapter(door.store)
    adapter.operations = frozenset({"create", "fetch"})  # type: ignore[misc]
    body = {"payment_intent_id": intent, "charge_id": door.get(f"{INTENTS}/{intent}").json["charge"]["id"], "amount": 1}
    for path, operation in UNABLE:
        answer = door.open("GET" if "customers" in path else "POST", f"{PAYMENTS}/{path}", json=body)
        assert (answer.status_code, answer.json) == (
            501,
            {
                "code": "wcpay_not_supported",
                "message": f"{operation} is not supported by sandbox.",
                "data": {"status": 501, "reason": "not_supported", "retryable": False, "provider": "sandbox"},
            },
        )


ODD = [None, "", "x", "\0", "٣", -1, 0, 1.5, 10**30, True, [], [None], ["x", []], {}, {"a": {"b": []}}, "x" * 5000]


def test_no_value_of_any_parameter_breaks_anything(door: Door) -> None:
    given = {
        (method, path, name)
        for (method, path), route in routes(door).items()
        for name in (route.schema().load_fields if route.schema else ())
    }
    assert {name for _, _, name in given} >= {"order_id", "amount", "metadata", "pagesize"}
    for method, path, name in given:
        body, _ = KEYED.get((method, path), (None, None))
        for value in ODD:
            answer = door.open(method, at(path, order_id="19"), json=(body or {}) | {name: value})
            assert code_of(answer) != "internal_server_error", (path, name, value)


@pytest.mark.parametrize("path", ["accounts", "terminal/locations", "readers", "disputes", "deposits", "settings"])
def test_what_is_not_served_answers_the_probe_of_the_official_apps(door: Door, path: str) -> None:
    answer = door.get(f"{PAYMENTS}/{path}")
    assert (answer.status_code, answer.json) == (404, NO_ROUTE)


@pytest.mark.parametrize("name", ["pi-x", "pi%20x", "pi.x", "%D9%A3", "a/b"])
def test_a_name_in_an_address_is_a_word(door: Door, name: str) -> None:
    for path in ("authorizations/{}", "charges/{}", "transactions/{}", "timeline/{}", "orders/{}/create_customer"):
        method = "POST" if "orders" in path else "GET"
        answer = door.open(method, f"{PAYMENTS}/{path.format(name)}", json={} if method == "POST" else None)
        assert (answer.status_code, code_of(answer)) == (404, "rest_no_route"), path


@pytest.mark.parametrize("error_status", ["compatible", "precise"])
def test_what_belongs_to_another_store_is_as_missing_as_what_never_was(make_door: MakeDoor, error_status: str) -> None:
    """Byte for byte, but for the name that was asked for."""
    theirs = make_door(error_status=error_status)
    theirs.shelf.put(20)
    created = theirs.create().json
    refunded = theirs.post(f"{PAYMENTS}/refund", json={"order_id": 19, "amount": 100}).json
    ours = _another_store(theirs)
    names = {
        "payment_intent_id": [created["id"], created["attempt_id"]],
        "intention_id": [created["id"], created["attempt_id"]],
        "charge_id": [created["charge"]["id"]],
        "transaction_id": [created["charge"]["id"], refunded["id"], _only_transaction(theirs)],
    }
    for (method, path), (body, required) in KEYED.items():
        for name, strangers in names.items():
            if f"{{{name}}}" in path:
                known = theirs.open(method, at(path, **{name: strangers[0]}), json=body)
                for stranger in strangers:
                    answer = ours.open(method, at(path, **{name: stranger}), json=body)
                    missing = ours.open(method, at(path), json=body)
                    assert answer.status_code == missing.status_code != 200
                    assert answer.data == missing.data.replace(MISSING[name].encode(), stranger.encode()), path
                assert known.status_code == 200 or "authorizations" in path
        if required:
            strange = ours.open(method, at(path, order_id="19"), json={required: created["id"]})
            missing = ours.open(method, at(path, order_id="19"), json={required: "pi_missing"})
            assert strange.status_code == missing.status_code == (404 if error_status == "precise" else 500)
            assert strange.data == missing.data.replace(b"pi_missing", created["id"].encode())
    strange = ours.post(f"{PAYMENTS}/refund", json={"charge_id": created["charge"]["id"], "amount": 1})
    missing = ours.post(f"{PAYMENTS}/refund", json={"charge_id": "ch_missing", "amount": 1})
    assert strange.data == missing.data.replace(b"ch_missing", created["charge"]["id"].encode())
    assert ours.post(f"{PAYMENTS}/refund", json={"order_id": 19, "amount": 1}).status_code >= 400


def test_lists_hold_nothing_of_another_store(door: Door) -> None:
    door.create()
    door.post(f"{PAYMENTS}/refund", json={"order_id": 19, "amount": 100})
    other = _another_store(door)
    for path in ("authorizations", "transactions"):
        assert other.get(f"{PAYMENTS}/{path}").json == {"data": []}
        assert other.get(f"{PAYMENTS}/{path}/summary").json["count"] == 0
    assert other.get(f"{PAYMENTS}/transactions/search?search_term=doe").json == []
    assert other.get(f"{PAYMENTS}/transactions/search?search_term=19").json == []
    assert len(door.get(f"{PAYMENTS}/transactions").json["data"]) == 2
    assert other.get(f"{PAYMENTS}/timeline/19").json["code"] == "resource_missing"


def _another_store(door: Door) -> Door:
    """The same shelf of orders behind another store, with keys of its own."""
    store = Store("", "https://other.example", "sandbox", False, "automatic", HTTPS, options=STORE_OPTIONS)
    store = stores.add(door.bridge.services, store, ())
    return replace(door, store=store, pairs=make_pairs(door.bridge, store.id))


def _only_transaction(door: Door) -> str:
    lines = door.get(f"{PAYMENTS}/transactions?type_is=charge").json["data"]
    assert len(lines) == 1
    return str(lines[0]["transaction_id"])
