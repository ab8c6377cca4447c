"""An address that guesses credentials too often is refused before anything is looked at, if the owner limits it."""

import socket

import pytest

from bridge import create_app
from tests.plugins.local import INTENTS, Local, MakeLocal


@pytest.fixture
def limited(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, rate_limit="3/hour")


def guess(local: Local, address: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
    answer = local.app.test_client().get(
        f"{INTENTS}/pi_1",
        base_url="http://127.0.0.1",
        auth=("ck_" + "0" * 40, "cs_" + "0" * 40),
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    )
    return answer.status_code, answer.get_json()["code"]


def test_after_too_many_refusals_even_good_credentials_are_refused(limited: Local) -> None:
    assert limited.show("pi_1").status_code == 500
    assert [guess(limited) for _ in range(3)] == [(401, "rest_forbidden")] * 3
    assert guess(limited) == (429, "wcpay_rate_limited")
    refused = limited.show("pi_1")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert refused.get_json()["data"]["retry_after"] == int(refused.headers["Retry-After"])


def test_other_addresses_and_callers_without_credentials_are_not_counted(limited: Local) -> None:
    for _ in range(4):
        guess(limited, "10.0.0.9")
    assert guess(limited, "10.0.0.9")[0] == 429
    assert guess(limited, "127.0.0.1")[0] == 401
    for _ in range(9):
        anonymous = limited.app.test_client().get(f"{INTENTS}/pi_1", environ_overrides={"REMOTE_ADDR": "10.0.0.7"})
        assert anonymous.status_code == 401


def test_a_signature_in_a_form_is_a_guess_like_any_other(limited: Local) -> None:
    guessed = {"oauth_consumer_key": "ck_" + "0" * 40, "oauth_signature": "x", "oauth_signature_method": "HMAC-SHA256"}
    guessed |= {"oauth_timestamp": "1", "oauth_nonce": "1"}
    statuses = [limited.app.test_client().post(INTENTS, data=guessed).status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]


def test_behind_a_trusted_proxy_the_address_is_the_clients(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, rate_limit="3/hour", trusted_proxies="10.0.0.1")
    local.app = create_app(local.bridge)
    for _ in range(4):
        guess(local, "10.0.0.1", **{"X-Forwarded-For": "198.51.100.1"})
    assert guess(local, "10.0.0.1", **{"X-Forwarded-For": "198.51.100.1"})[0] == 429
    assert guess(local, "10.0.0.1", **{"X-Forwarded-For": "198.51.100.2"})[0] == 401
    assert guess(local, "10.9.9.9", **{"X-Forwarded-For": "198.51.100.1"})[0] == 401


def test_while_the_shared_storage_is_away_every_process_counts_for_itself(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"redis://127.0.0.1:{closed.getsockname()[1]}"
    local = make_local(sqlite_url, rate_limit="3/hour", rate_limit_storage=address)
    assert local.create().get_json()["status"] == "succeeded"
    assert [guess(local)[0] for _ in range(4)] == [401, 401, 401, 429]


def test_without_a_limit_nobody_is_counted(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url)
    assert {guess(local)[0] for _ in range(20)} == {401}
    assert local.bridge.settings.rate_limit == ""
