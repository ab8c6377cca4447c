"""Mounted into somebody else's app: we answer as ever below the mount, and nothing changes beside it."""

from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from tests.http.conftest import BODY, HTTPS, Door, MakeDoor
from tests.http.test_request_pipeline import NO_ROUTE
from tests.plugins.local import INTENTS


def a_host() -> Flask:
    """Sorted, pretty JSON; HTML for every error; a response class and a limit of its own."""

    class HostResponse(Response):
        default_mimetype = "text/html"

    app = Flask("host")
    app.response_class = HostResponse
    app.config["MAX_CONTENT_LENGTH"] = 1000

    def page(error: Exception) -> tuple[str, int]:
        code = error.code if isinstance(error, HTTPException) else 599
        return f"<h1>host {code}</h1>", 418

    for what in (400, 401, 404, 405, 413, 415, 422, 500, HTTPException, Exception):
        app.register_error_handler(what, page)

    @app.get("/")
    def home() -> dict[str, int]:
        return {"b": 1, "a": 2}

    @app.get("/bridge")
    def bridge() -> str:
        return "the host's own bridge"

    return app


@pytest.fixture(params=["", "/pay"])
def mounted(request: pytest.FixtureRequest, make_door: MakeDoor) -> tuple[Door, str]:
    return make_door(a_host(), url_prefix=request.param, public_url=HTTPS + request.param), request.param


def test_a_payment_is_made_below_the_mount(mounted: tuple[Door, str]) -> None:
    door, prefix = mounted
    response = door.post(prefix + INTENTS, json=BODY)
    assert response.data.startswith(b'{"id":"pi_')
    assert list(response.json)[:3] == ["id", "amount", "currency"]
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert response.headers["Link"] == f'<{HTTPS}{prefix}/wp-json/>; rel="https://api.w.org/"'
    shown = door.get(f"{prefix}{INTENTS}/{response.json['id']}?_fields=id")
    assert shown.json == {"id": response.json["id"]}


@pytest.mark.parametrize(
    ("method", "path", "kwargs", "code"),
    [
        ("GET", INTENTS, {}, "rest_no_route"),
        ("PATCH", INTENTS, {}, "rest_no_route"),
        ("FOO", INTENTS, {"key": None}, "rest_no_route"),
        ("GET", "/wp-json//wc/v3", {}, "rest_no_route"),
        ("GET", "/wp-json/a//b/%0A", {}, "rest_no_route"),
        ("DELETE", "/wp-json/", {}, "rest_no_route"),
        ("GET", "/bridge/", {}, "rest_no_route"),
        ("GET", "/bridge/v1/x", {}, "rest_no_route"),
        ("POST", INTENTS, {"key": None}, "rest_forbidden"),
        ("POST", INTENTS, {"data": "{", "content_type": "application/json"}, "rest_invalid_json"),
        ("POST", INTENTS, {"data": "x" * 1001, "content_type": "text/plain"}, "wcpay_request_too_large"),
        ("POST", INTENTS, {"json": {}}, "wcpay_server_error"),
    ],
)
def test_the_hosts_error_pages_are_not_ours(
    mounted: tuple[Door, str], method: str, path: str, kwargs: dict[str, Any], code: str
) -> None:
    door, prefix = mounted
    response = door.open(method, prefix + path, **kwargs)
    assert response.json["code"] == code
    assert response.status_code == response.json["data"]["status"]


def test_a_fault_is_ours_too(mounted: tuple[Door, str]) -> None:
    door, prefix = mounted
    door.shelf.raises = ZeroDivisionError()
    assert door.post(prefix + INTENTS, json=BODY).json["code"] == "internal_server_error"


@pytest.mark.parametrize(
    ("method", "path", "page"),
    [("GET", "/x", "404"), ("POST", "/", "405"), ("GET", "/wp-jsonx", "404"), ("FOO", "/bridge", "405")],
)
def test_beside_the_mount_everything_is_the_hosts(mounted: tuple[Door, str], method: str, path: str, page: str) -> None:
    door, _ = mounted
    response = door.open(method, path, key=None)
    assert (response.status_code, response.get_data(as_text=True)) == (418, f"<h1>host {page}</h1>")
    assert "Link" not in response.headers
    assert door.get("/", key=None).data.split() == [b'{"a":2,"b":1}']
    assert door.get("/bridge", key=None).data == b"the host's own bridge"
    assert door.app.extensions.keys() == {"wcpay_bridge"}


def test_what_the_host_refuses_for_us_is_in_our_envelope(make_door: MakeDoor) -> None:
    host = a_host()

    @host.before_request
    def refuse() -> None:
        if "X-Refuse" in request.headers:
            abort(int(request.headers["X-Refuse"]), "<b>secret</b>")

    door = make_door(host)
    for code, name in ((429, "rest_too_many_requests"), (403, "rest_forbidden"), (503, "rest_service_unavailable")):
        response = door.create(headers={"X-Refuse": str(code)})
        assert (response.status_code, response.json["code"]) == (code, name)
        assert "secret" not in response.get_data(as_text=True)


def test_two_bridges_in_one_app_have_their_own_stores_and_keys(make_door: MakeDoor) -> None:
    host = a_host()
    first = make_door(host, name="one", url_prefix="/one")
    second = make_door(host, name="two", url_prefix="/two", compat="woopayments")
    created = first.post(f"/one{INTENTS}", json=BODY).json
    assert isinstance(created["created"], int)
    assert isinstance(second.post(f"/two{INTENTS}", json=BODY).json["created"], str)
    assert first.get(f"/one{INTENTS}/{created['id']}").json["id"] == created["id"]
    assert second.get(f"/two{INTENTS}/{created['id']}").json["code"] == "resource_missing"
    assert second.get(f"/one{INTENTS}/pi_x", auth=("ck_1", "cs_1")).json["code"] == "rest_forbidden"
    assert first.post(f"/one{INTENTS}?_method=GET").data == NO_ROUTE


def test_a_bridge_may_be_mounted_inside_another_blueprint(make_door: MakeDoor) -> None:
    door = make_door()
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    outer.register_blueprint(door.bridge.blueprint("inner"), url_prefix="/pay")
    door.app = Flask("host")
    door.app.register_blueprint(outer)
    assert door.post(f"/outer/pay{INTENTS}", json=BODY).json["status"] == "succeeded"
    assert door.get(f"/outer/pay{INTENTS}?_method=POST", json=BODY).json["status"] == "succeeded"
    assert door.get("/outer/pay/wp-json/x").data == NO_ROUTE
    assert door.open("OPTIONS", f"/outer/pay{INTENTS}").json["methods"] == ["POST"]


def test_a_body_that_the_host_has_read_already_still_counts(make_door: MakeDoor) -> None:
    host = a_host()

    @host.before_request
    def read() -> None:
        assert request.form is not None

    door = make_door(host)
    assert door.create().json["status"] == "succeeded"
    assert door.post(data=BODY).json["status"] == "succeeded"
