"""`bridge = Bridge()` where extensions are, `bridge.init_app(app)` in a factory; nothing is opened before its use."""

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from bridge import Bridge, create_app
from bridge.domain.errors import ConfigurationError, NotReady
from bridge.domain.stores import STORE_OPTIONS, Permissions, Store
from bridge.registry import keys
from bridge.settings import Settings
from bridge.storage import Database, migrate
from tests.mounting.test_shops import BODY, Book
from tests.plugins.local import INTENTS

KEY = "k" * 32
OTHER_KEY = "o" * 32


def host(bridge: Bridge, **config: Any) -> Flask:
    app = Flask("host")
    app.config.update(config)
    bridge.init_app(app, url_prefix="/pay")
    return app


def settings_in(folder: Path) -> dict[str, str]:
    return {
        "BRIDGE_SECRET_KEY": KEY,
        "BRIDGE_DATABASE_URL": f"sqlite:///{folder / 'host.sqlite'}",
        "BRIDGE_LOCAL_HTTP": "yes",
    }


def ask(app: Flask, path: str = INTENTS + "/pi_1", **kwargs: Any) -> Any:
    client: FlaskClient = app.test_client()
    return client.get(f"/pay{path}", environ_overrides={"REMOTE_ADDR": "127.0.0.1"}, **kwargs)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own."""
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def test_neither_making_nor_mounting_it_opens_anything(tmp_path: Path) -> None:
    """In a process of its own: threads of other tests come and go in this one."""
    program = f"""
import threading
from flask import Flask
from bridge import Bridge

settings = {settings_in(tmp_path)!r}
elsewhere = Bridge(secret_key="{KEY}", database_url="postgresql://nobody@127.0.0.1:9/none")
for bridge, config in ((Bridge(), settings), (Bridge(config=settings), {{}}), (elsewhere, {{}})):
    app = Flask("host")
    app.config.update(config)
    bridge.init_app(app, url_prefix="/pay")
print(threading.enumerate())
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "MainThread" in told.stdout
    assert told.stdout.count("<") == 1, told.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "config",
    [
        {"BRIDGE_DATBASE_URL": "sqlite:////tmp/x"},
        {"BRIDGE_SECRET_KEY": "short"},
        {"BRIDGE_COMPAT": "strict"},
        {"BRIDGE_DATABASE_URL": "mysql://x/y"},
    ],
)
def test_what_is_wrong_or_unknown_stops_the_start(config: dict[str, str]) -> None:
    bridge = Bridge()
    with pytest.raises(ConfigurationError, match=next(iter(config))):
        host(bridge, **{"BRIDGE_SECRET_KEY": KEY, **config})
    with pytest.raises(ConfigurationError, match=next(iter(config))):
        Bridge(config={"BRIDGE_SECRET_KEY": KEY, **config})


def test_a_missing_key_is_told_at_the_first_use_and_found_once_it_is_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = settings_in(tmp_path) | {"BRIDGE_SECRET_KEY": f"file:{tmp_path / 'bridge.key'}"}
    app = host(Bridge(), **config)
    refused = ask(app)
    assert (refused.status_code, refused.json["code"]) == (503, "wcpay_not_ready")
    assert refused.json["data"] == {"status": 503, "reason": "not_ready", "retryable": True}
    assert refused.headers["Retry-After"] == "5"
    assert f"{tmp_path}/bridge.key cannot be read" in caplog.text
    assert str(tmp_path) not in refused.get_data(as_text=True)
    (tmp_path / "bridge.key").touch(mode=0o600)
    (tmp_path / "bridge.key").write_text(KEY)
    assert ask(app).json["code"] == "rest_forbidden"


def readiness(app: Flask) -> tuple[int, str]:
    answer = ask(app, "/bridge/v1/health/ready")
    return answer.status_code, answer.json["database"]


def test_it_is_not_ready_without_the_key_of_its_database(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = tmp_path / "bridge.key"
    config = settings_in(tmp_path) | {"BRIDGE_SECRET_KEY": f"file:{key}"}
    app = host(Bridge(), **config)
    assert readiness(app) == (503, "needs key")
    assert f"{key} cannot be read" in caplog.text
    assert str(tmp_path) not in ask(app, "/bridge/v1/health/ready").text
    key.touch(mode=0o600)
    key.write_text(KEY)
    assert readiness(app) == (200, "ok")
    key.write_text(OTHER_KEY)
    other = host(Bridge(), **config)
    assert readiness(other) == (503, "needs key")
    assert ask(other).status_code == 503
    key.unlink()
    assert readiness(host(Bridge(), **config | {"BRIDGE_SECRET_KEY": f"file:{key}"})) == (503, "needs key")


def test_a_fresh_database_is_ready_before_anybody_asks_for_something_else(tmp_path: Path) -> None:
    assert readiness(host(Bridge(), **settings_in(tmp_path))) == (200, "ok")


def test_an_old_database_needs_its_migration_whether_or_not_it_was_opened(tmp_path: Path) -> None:
    migrate(settings_in(tmp_path)["BRIDGE_DATABASE_URL"])
    database = Database(settings_in(tmp_path)["BRIDGE_DATABASE_URL"])
    with database.write() as connection:
        connection.execute(text("update alembic_version set version_num = '0000'"))
    database.close()
    assert readiness(host(Bridge(), **settings_in(tmp_path))) == (503, "needs migration")


@pytest.mark.parametrize("url", ["sqlite:///{}/nowhere/x.sqlite", "postgresql://nobody@127.0.0.1:9/none"])
def test_a_missing_database_is_told_at_the_first_use(tmp_path: Path, url: str) -> None:
    app = host(Bridge(), **settings_in(tmp_path) | {"BRIDGE_DATABASE_URL": url.format(tmp_path)})
    for path in (INTENTS + "/pi_1", "/wp-json/", "/bridge/v1/pay/x.y", "/bridge/v1/webhooks/x"):
        assert (ask(app, path).status_code, ask(app, path).json["code"]) == (503, "wcpay_not_ready"), path
    assert ask(app, "/bridge/v1/health/live").status_code == 200
    ready = ask(app, "/bridge/v1/health/ready")
    assert (ready.status_code, ready.json["database"]) == (503, "unreachable")
    assert ask(app, "/bridge/v1/openapi.json").status_code == 200


def test_a_key_of_another_database_is_told_and_nothing_is_encrypted_with_it(tmp_path: Path) -> None:
    first = Bridge(config=settings_in(tmp_path))
    first.open()
    first.close()
    other = Bridge(config=settings_in(tmp_path) | {"BRIDGE_SECRET_KEY": OTHER_KEY})
    for use in (lambda: other.services.vault.encrypt("x"), other.open, lambda: keys.every(other.services)):
        with pytest.raises(NotReady, match="does not belong to this database"):
            use()
    assert ask(host(other)).status_code == 503


def test_one_object_serves_every_app_with_its_own_database_and_stores(tmp_path: Path) -> None:
    bridge = Bridge(order_book=lambda _: Book())
    apps = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        app = host(
            bridge, **settings_in(tmp_path / name), BRIDGE_COMPAT="woopayments" if name == "two" else "documented"
        )
        with app.app_context():
            apps.append((app, add_store(bridge, tmp_path / name)))
    made = [
        app.test_client().post(f"/pay{INTENTS}", json=BODY, auth=pair, environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
        for app, pair in apps
    ]
    assert [type(answer.json["created"]) for answer in made] == [int, str]
    (one, first_pair), (two, _) = apps
    assert ask(two, auth=first_pair).json["code"] != ask(one, auth=first_pair).json["code"]
    with pytest.raises(RuntimeError, match="app_context"):
        bridge.services  # noqa: B018 - of which app?
    with two.app_context():
        assert bridge.settings.compat == "woopayments"
    bridge.close()


def add_store(bridge: Bridge, folder: Path) -> tuple[str, str]:
    settings = {"books": str(folder / "books.sqlite")}
    wanted = Store(
        "", "https://host.example", "sandbox", False, "automatic", "", settings=settings, options=STORE_OPTIONS
    )
    store = bridge.add_store(wanted)
    pair = keys.create(bridge.services, store.id, Permissions.READ_WRITE)
    return pair.consumer_key, pair.consumer_secret


def test_a_keyword_beats_the_app_which_beats_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_MAX_SWEEPS", "3")
    monkeypatch.setenv("BRIDGE_COMPAT", "woopayments")
    bridge = Bridge(provider_timeout=5)
    app = host(bridge, **settings_in(tmp_path), BRIDGE_COMPAT="documented", BRIDGE_PROVIDER_TIMEOUT=7)
    settings = bridge.settings
    assert (settings.provider_timeout, settings.compat, settings.max_sweeps) == (5.0, "documented", 3)
    assert settings.database_url == settings_in(tmp_path)["BRIDGE_DATABASE_URL"]
    with app.app_context():
        assert bridge.settings is settings


def test_told_its_settings_it_is_one_bridge_wherever_it_is_mounted(tmp_path: Path) -> None:
    bridge = Bridge(Settings.load(settings_in(tmp_path)))
    services = bridge.services
    for app in (host(bridge), host(bridge, BRIDGE_COMPAT="woopayments"), create_app(bridge)):
        with app.app_context():
            assert bridge.services is services
    bridge.close()


def test_what_others_have_in_an_apps_config_makes_no_bridge_of_its_own(tmp_path: Path) -> None:
    bridge = Bridge(secret_key=KEY, database_url=settings_in(tmp_path)["BRIDGE_DATABASE_URL"])
    services = bridge.services
    host(bridge, BRIDGE_URL="https://pay.example", BRIDGE_PORT="tcp://10.0.0.1:8080")
    assert bridge.services is services
    host(bridge, BRIDGE_COMPAT="woopayments")
    with pytest.raises(RuntimeError, match="app_context"):
        bridge.services  # noqa: B018 - of which app?


def test_mounted_nowhere_it_is_what_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_in(tmp_path).items():
        monkeypatch.setenv(name, value)
    bridge = Bridge()
    assert keys.every(bridge.services) == []
    bridge.close()
    assert keys.every(bridge.services) == []
    bridge.close()


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    app = host(Bridge(), **settings_in(tmp_path))
    with pytest.raises(ConfigurationError, match="wcpay_bridge already"):
        Bridge().init_app(app, url_prefix="/other")
    other = Bridge(database_url=f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.init_app(app, url_prefix="/other", name="other_bridge")
    assert app.extensions["other_bridge"] is other
    assert app.extensions["wcpay_bridge"] is not other


def test_a_program_of_its_own_does_not_start_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="no secret key"):
        create_app(database_url=settings_in(tmp_path)["BRIDGE_DATABASE_URL"])


def test_a_forked_process_opens_the_database_by_itself(tmp_path: Path) -> None:
    """As after gunicorn's --preload: what the parent has open is neither used nor closed by the child."""
    migrate(settings_in(tmp_path)["BRIDGE_DATABASE_URL"])
    bridge = Bridge(config=settings_in(tmp_path))
    parents = bridge.services.database.engine.pool
    assert keys.every(bridge.services) == []
    child = os.fork()
    if child == 0:
        fresh = bridge.services.database.engine.pool is not parents
        os._exit(0 if fresh and keys.every(bridge.services) == [] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert bridge.services.database.engine.pool is parents
    assert keys.every(bridge.services) == []
    bridge.close()


def test_secrets_are_in_no_error(tmp_path: Path) -> None:
    wrong = f"postgresql://bridge:{secrets.token_hex(8)}@127.0.0.1:9/none"
    app = host(Bridge(), BRIDGE_SECRET_KEY=KEY, BRIDGE_DATABASE_URL=wrong)
    bridge = app.extensions["wcpay_bridge"]
    with pytest.raises(NotReady) as caught:
        bridge.open()
    assert wrong.split(":")[2].split("@")[0] not in str(caught.value)
