"""Beside what a Flask app often has: the bridge answers as ever, and the host's own protection stays what it is."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from flask_login import LoginManager, login_required  # type: ignore[import-untyped]
from flask_smorest import Api  # type: ignore[import-untyped]
from flask_talisman import Talisman  # type: ignore[import-untyped]
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]
from werkzeug.middleware.proxy_fix import ProxyFix

from tests.http.conftest import BODY, HTTPS, Door, MakeDoor
from tests.plugins.local import INTENTS


def a_host() -> Flask:
    app = Flask("host")
    app.config.update(SECRET_KEY="of the host", API_TITLE="host", API_VERSION="1", OPENAPI_VERSION="3.1.0")

    @app.post("/form")
    def form() -> str:
        return "sent"

    @app.get("/")
    def home() -> str:
        return "home"

    return app


def protect(app: Flask) -> None:
    CSRFProtect(app)


@pytest.mark.parametrize("comes_first", ["bridge", "csrf"])
def test_flask_wtf_guards_the_hosts_forms_and_lets_ours_through(
    make_door: MakeDoor, comes_first: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = a_host()
    if comes_first == "csrf":
        protect(app)
    door = make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay")
    if comes_first == "bridge":
        protect(app)
    assert door.post("/form", key=None).status_code == 400
    assert door.post(f"/pay{INTENTS}", json=BODY).json["status"] == "succeeded"
    door.post("/pay/bridge/v1/webhooks/nobody", data=b"{}", key=None)
    assert "There is no such endpoint" in caplog.text  # it has reached us
    assert door.post("/pay/wp-json/wc/v3/nowhere", json={}).json["code"] == "rest_no_route"
    assert door.post("/form", key=None).status_code == 400


def test_flask_login_and_flask_smorest_keep_to_the_hosts_own_views(make_door: MakeDoor) -> None:
    app = a_host()
    LoginManager(app).user_loader(lambda _: None)
    Api(app)

    @app.get("/account")
    @login_required  # type: ignore[untyped-decorator]
    def account() -> str:
        return "yours"

    door = make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay")
    assert door.get("/account", key=None).status_code == 401
    assert door.post(f"/pay{INTENTS}", json=BODY).json["status"] == "succeeded"
    assert door.post(f"/pay{INTENTS}", key=None, json=BODY).json["code"] == "rest_forbidden"
    assert door.post(f"/pay{INTENTS}", json={}).json["code"] == "wcpay_server_error"


def test_flask_talisman_leaves_our_pages_their_policy(make_door: MakeDoor) -> None:
    app = a_host()
    Talisman(app, force_https=True)
    door = make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay")
    assert door.post(f"/pay{INTENTS}", json=BODY).json["status"] == "succeeded"
    assert "default-src 'self'" in door.get("/", key=None).headers["Content-Security-Policy"]
    page = door.get("/pay/bridge/v1/docs", key=None)
    assert "style-src 'sha256-" in page.headers["Content-Security-Policy"]
    assert page.headers.getlist("Content-Security-Policy") == [page.headers["Content-Security-Policy"]]


def login_wall(app: Flask) -> None:
    @app.before_request
    def refuse() -> tuple[str, int] | None:
        return None if request.blueprint == "wcpay_bridge" else ("who are you?", 403)


def test_a_login_wall_can_let_us_through_by_the_name_of_our_blueprint(make_door: MakeDoor) -> None:
    app = a_host()
    login_wall(app)
    door = make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay")
    assert door.get("/", key=None).status_code == 403
    assert door.post(f"/pay{INTENTS}", json=BODY).json["status"] == "succeeded"
    assert door.get("/pay/wp-json/nowhere", key=None).json["code"] == "rest_no_route"


def named(app: Flask) -> None:
    app.config["SERVER_NAME"] = "host.example"


def below_a_path(app: Flask) -> None:
    app.config["APPLICATION_ROOT"] = "/below"


@pytest.mark.parametrize("configure", [named, below_a_path])
def test_a_server_name_or_root_changes_nothing(make_door: MakeDoor, configure: Callable[[Flask], None]) -> None:
    app = a_host()
    configure(app)
    door = make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay")
    for base in ("https://host.example", "https://other.example"):
        made = door.open("POST", f"/pay{INTENTS}", json=BODY, base_url=base)
        assert (made.status_code, made.json["status"]) == (200, "succeeded")
        assert door.open("GET", f"/pay{INTENTS}?_method=POST", json=BODY, base_url=base).json["id"] == made.json["id"]


def test_a_name_that_the_host_does_not_trust_does_not_reach_us(make_door: MakeDoor) -> None:
    app = a_host()
    app.config["TRUSTED_HOSTS"] = ["host.example"]
    door = make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay")
    for path in ("/form", f"/pay{INTENTS}"):
        refused = door.open("POST", path, json=BODY, base_url="https://other.example")
        assert (refused.status_code, "provider" in refused.text) == (400, False)
    made = door.open("POST", f"/pay{INTENTS}", json=BODY, base_url="https://host.example")
    assert made.json["status"] == "succeeded"


@pytest.fixture
def behind_a_proxy(make_door: MakeDoor) -> Door:
    app = a_host()
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    return make_door(app, url_prefix="/pay", public_url=f"{HTTPS}/pay", rate_limit="2/minute")


def from_outside(door: Door, address: str, **kwargs: Any) -> Any:
    headers = {"X-Forwarded-For": f"10.9.9.9, {address}", "X-Forwarded-Proto": kwargs.pop("scheme", "https")}
    proxy = {"REMOTE_ADDR": "10.0.0.1"}
    return door.open(
        "POST", f"/pay{INTENTS}", json=BODY, headers=headers, base_url="http://host", environ_overrides=proxy, **kwargs
    )


def test_proxy_fix_tells_the_scheme_and_who_is_guessing(behind_a_proxy: Door) -> None:
    """Without BRIDGE_TRUSTED_PROXIES: what ProxyFix says is what the host says."""
    assert from_outside(behind_a_proxy, "203.0.113.1").json["status"] == "succeeded"
    assert from_outside(behind_a_proxy, "203.0.113.1", scheme="http").json["code"] == "rest_forbidden"
    for _ in range(3):
        guessed = from_outside(behind_a_proxy, "203.0.113.2", auth=("ck_1", "cs_1"))
    assert guessed.status_code == 429
    assert from_outside(behind_a_proxy, "203.0.113.3").json["status"] == "succeeded"
