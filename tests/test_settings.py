"""Settings: where they come from, and that everything wrong is said at once."""

from pathlib import Path

import pytest

from bridge.domain.errors import ConfigurationError
from bridge.settings import READERS, Settings, is_ours

KEY = "k" * 32


def load(**keywords: object) -> Settings:
    return Settings.load(**{"secret_key": KEY, "database_url": "sqlite:////tmp/x.db"} | keywords)


def write_private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text)


def test_everything_that_is_wrong_is_said_in_one_go() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(
            secret_key="short",
            public_url="shop.example",
            trusted_proxies="10.0.0.0/99",
            require_https="perhaps",
            compat="strict",
            error_status="5xx",
            provider_timeout="soon",
            rate_limit="often",
            rate_limit_storage="shelf://here",
            colour="red",
        )
    said = "\n".join(caught.value.problems)
    for name in (
        "colour",
        "BRIDGE_SECRET_KEY",
        "BRIDGE_PUBLIC_URL",
        "BRIDGE_TRUSTED_PROXIES",
        "BRIDGE_REQUIRE_HTTPS",
        "BRIDGE_COMPAT",
        "BRIDGE_ERROR_STATUS",
        "BRIDGE_PROVIDER_TIMEOUT",
        "BRIDGE_RATE_LIMIT",
        "BRIDGE_RATE_LIMIT_STORAGE",
    ):
        assert name in said
    assert len(caught.value.problems) == 10


def test_keyword_beats_app_config_beats_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_COMPAT", "woopayments")
    monkeypatch.setenv("BRIDGE_ERROR_STATUS", "precise")
    monkeypatch.setenv("BRIDGE_PROVIDER_TIMEOUT", "9")
    settings = Settings.load(
        {"BRIDGE_COMPAT": "documented", "BRIDGE_PROVIDER_TIMEOUT": 7, "BRIDGE_SECRET_KEY": KEY}, provider_timeout=5
    )
    assert (settings.compat, settings.error_status, settings.provider_timeout) == ("documented", "precise", 5.0)


def test_secret_keys_come_from_files_and_lists_and_are_not_shown(tmp_path: Path) -> None:
    write_private(tmp_path / "keys", f"{'a' * 40}\n{'b' * 40}\n")
    assert load(secret_key=f"file:{tmp_path / 'keys'}").secret_key == ("a" * 40, "b" * 40)
    settings = load(secret_key=["a" * 40, "b" * 40])
    assert settings.secret_key == ("a" * 40, "b" * 40)
    assert "aaaa" not in repr(settings)


def test_a_missing_key_file_is_named_without_its_content_once_the_key_is_needed(tmp_path: Path) -> None:
    settings = load(secret_key=f"file:{tmp_path / 'later'}")
    with pytest.raises(ConfigurationError, match=r"the file .*/later cannot be read"):
        settings.keys()
    write_private(tmp_path / "later", KEY)
    assert settings.keys() == (KEY,)


@pytest.mark.parametrize("wrong", ["short", "file:{}/short", " "])
def test_a_key_that_is_wrong_stops_the_start(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "short").write_text("short")
    with pytest.raises(ConfigurationError, match="BRIDGE_SECRET_KEY"):
        load(secret_key=wrong.format(tmp_path))


@pytest.mark.parametrize(
    ("name", "meant"),
    [("BRIDGE_DATBASE_URL", "BRIDGE_DATABASE_URL"), ("BRIDGE_SECRETKEY", "BRIDGE_SECRET_KEY"), ("BRIDGE_XYZZY", "")],
)
def test_a_name_that_is_no_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    said = f"There is no setting {name}." + (f" Did you mean {meant}?" if meant else "")
    with pytest.raises(ConfigurationError) as of_app:
        Settings.load({name: "x", "BRIDGE_SECRET_KEY": KEY})
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigurationError) as of_environment:
        load()
    assert of_app.value.problems == of_environment.value.problems == (said,)


@pytest.mark.parametrize(
    "name",
    [
        "BRIDGE_URL",
        "BRIDGE_SERVICE_HOST",
        "BRIDGE_SERVICE_PORT",
        "BRIDGE_SERVICE_PORT_HTTP",
        "BRIDGE_PORT",
        "BRIDGE_PORT_8080_TCP",
        "BRIDGE_PORT_8080_TCP_ADDR",
        "BRIDGE_POSTGRESQL_SERVICE_HOST",
        "BRIDGE_POSTGRESQL_PORT_5432_TCP_PROTO",
    ],
)
def test_what_others_set_under_our_prefix_stops_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Kubernetes sets them in every pod for a Service called bridge, or bridge-postgresql."""
    assert Settings.load({name: "x", "BRIDGE_SECRET_KEY": KEY}).keys() == (KEY,)
    monkeypatch.setenv(name, "tcp://10.0.0.1:8080")
    assert load().keys() == (KEY,)


@pytest.mark.parametrize("name", ["BRIDGE_URLS", "BRIDGE_SERVICE", "BRIDGE_SERVICE_HOSTS", "BRIDGE_PORTS"])
def test_what_only_looks_like_theirs_does(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigurationError, match=f"There is no setting {name}"):
        load()


def test_no_setting_is_taken_for_one_of_others() -> None:
    assert all(is_ours(f"BRIDGE_{name.upper()}") for name in READERS)


def test_a_keyword_that_is_no_setting_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"There is no setting secret_ky\. Did you mean secret_key\?"):
        load(secret_ky=KEY)


@pytest.mark.parametrize("url", ["mysql://host/db", "sqlite://", "nonsense"])
def test_a_database_url_that_is_none_is_told_with_everything_else(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(database_url=url, compat="strict")
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["BRIDGE_DATABASE_URL", "BRIDGE_COMPAT"]


def test_addresses_lose_their_trailing_slash_and_the_first_is_for_links() -> None:
    settings = load(public_url="https://shop.example/pay/, http://10.0.0.1:8080")
    assert settings.public_urls == ("https://shop.example/pay", "http://10.0.0.1:8080")
    assert settings.public_url == "https://shop.example/pay"
    assert load().public_url == ""


def test_defaults_are_the_safe_ones() -> None:
    settings = load()
    assert (settings.require_https, settings.allow_private_urls, settings.trusted_proxies) == (True, False, ())
