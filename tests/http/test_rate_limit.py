"""Limits: guesses of one address, requests of one key and store, declined payments of one order and address."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bridge import create_app
from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.settings import Settings
from tests.plugins.local import INTENTS, Local, MakeLocal, refusal

ABSENT = ("ck_" + "0" * 40, "cs_" + "0" * 40)
DECLINED = "pm_card_visa_chargeDeclined"


@pytest.fixture
def limited(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, rate_limit="3/hour")


def guess(local: Local, address: str = "127.0.0.1", **headers: str) -> tuple[int, str]:
    answer = local.app.test_client().get(
        f"{INTENTS}/pi_1",
        base_url="http://127.0.0.1",
        auth=ABSENT,
        headers=headers,
        environ_overrides={"REMOTE_ADDR": address},
    )
    return answer.status_code, answer.get_json()["code"]


def limits(**changed: str) -> dict[str, str]:
    return {"rate_limit": "off", "key_limit": "off", "store_limit": "off"} | changed


def creates_at_stripe(local: Local) -> int:
    return len(local.at_stripe("payment_intents?limit=100", "GET")["data"])


def test_every_limit_is_on_by_default_and_can_be_switched_off(sqlite_url: str) -> None:
    by_default = Settings.load(secret_key="k" * 32, database_url=sqlite_url)
    names = ("rate_limit", "key_limit", "store_limit", "order_decline_limit", "address_decline_limit")
    assert {name: getattr(by_default, name) for name in names} == {
        "rate_limit": "60/minute",
        "key_limit": "6000/minute",
        "store_limit": "12000/minute",
        "order_decline_limit": "10/hour",
        "address_decline_limit": "60/minute",
    }
    off = Settings.load(secret_key="k" * 32, database_url=sqlite_url, **dict.fromkeys(names, "off"))
    assert {getattr(off, name) for name in names} == {""}


@pytest.mark.parametrize("compat", ["documented", "woopayments"])
def test_strangers_never_lock_the_right_credentials_out(make_local: MakeLocal, sqlite_url: str, compat: str) -> None:
    limited = make_local(sqlite_url, rate_limit="3/hour", compat=compat)
    assert [guess(limited)[0] for _ in range(3)] == [401] * 3
    for _ in range(5):
        assert guess(limited) == (429, "wcpay_rate_limited")
        assert limited.create().get_json()["status"] == "succeeded"


def test_a_guess_too_many_is_answered_in_the_apis_own_words(limited: Local) -> None:
    for _ in range(3):
        guess(limited)
    refused = limited.app.test_client().get(f"{INTENTS}/pi_1", base_url="http://127.0.0.1", auth=ABSENT)
    assert refusal(refused) == (429, "wcpay_rate_limited", "Too many credentials were refused. Try again later.")
    told = refused.get_json()["data"]
    assert 0 < told["retry_after"] == int(refused.headers["Retry-After"]) <= 3600
    assert (told["reason"], told["retryable"]) == ("too_many_refused", True)


def test_other_addresses_and_callers_without_credentials_are_not_counted(limited: Local) -> None:
    for _ in range(4):
        guess(limited, "10.0.0.9")
    assert guess(limited, "10.0.0.9")[0] == 429
    assert guess(limited, "127.0.0.1")[0] == 401
    for address in ("10.0.0.7", "10.0.0.9"):
        for _ in range(9):
            anonymous = limited.app.test_client().get(f"{INTENTS}/pi_1", environ_overrides={"REMOTE_ADDR": address})
            assert anonymous.status_code == 401


def test_an_ipv6_network_is_one_guesser(limited: Local) -> None:
    assert [guess(limited, f"2001:db8:1:2::{number}")[0] for number in range(1, 5)] == [401, 401, 401, 429]
    assert guess(limited, "2001:db8:1:3::1")[0] == 401


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


def test_guesses_of_links_and_of_the_metrics_token_are_counted_each_for_itself(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, rate_limit="3/hour", metrics_token="m" * 20)
    client = local.app.test_client()

    def tried(path: str, method: str = "GET", **kwargs: Any) -> list[int]:
        answers = [client.open(path, method=method, base_url="http://127.0.0.1", **kwargs) for _ in range(4)]
        assert int(answers[-1].headers["Retry-After"]) > 0
        return [answer.status_code for answer in answers]

    wrong = {"headers": {"Authorization": "Bearer no"}}
    assert tried("/bridge/v1/metrics", **wrong) == [401, 401, 401, 429]
    right = {"Authorization": f"Bearer {'m' * 20}"}
    assert client.get("/bridge/v1/metrics", base_url="http://127.0.0.1", headers=right).status_code == 200
    assert tried("/bridge/v1/pay/x.y.z") == [404, 404, 404, 429]
    for path, method in (("x.y.z", "POST"), ("x.y.z/status", "GET"), ("x.y.z/confirm", "POST")):
        form = {"action": "check"} if method == "POST" else None
        told = client.open(f"/bridge/v1/pay/{path}", method=method, base_url="http://127.0.0.1", data=form)
        assert told.status_code == 429
    waiting = local.create(payment_method="pm_card_authenticationRequired").get_json()
    assert client.get(waiting["pay_url"]).status_code == 200, "the right link works all the same"
    assert guess(local)[0] == 401, "and credentials are counted apart"


def test_requests_of_a_key_are_limited_and_other_keys_go_on(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, **limits(key_limit="3/hour"))
    other = keys.create(local.bridge.services, local.store.id, Permissions.READ)
    assert [local.show("pi_1").status_code for _ in range(3)] == [500] * 3
    refused = local.show("pi_1")
    assert refusal(refused) == (429, "wcpay_rate_limited", "Too many requests. Try again later.")
    assert 0 < int(refused.headers["Retry-After"]) <= 3600
    assert local.create().status_code == 429
    local.pair = other
    assert local.show("pi_1").status_code == 500


def test_requests_of_a_store_are_limited_over_all_of_its_keys(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, **limits(store_limit="3/hour"))
    assert [local.show("pi_1").status_code for _ in range(2)] == [500] * 2
    local.pair = keys.create(local.bridge.services, local.store.id, Permissions.READ)
    assert [local.show("pi_1").status_code for _ in range(3)] == [500, 429, 429]


def test_a_card_tester_at_one_order_is_stopped_before_the_provider(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", order_decline_limit="10/hour")
    statuses = []
    spellings = (local.orders["payable"], str(local.orders["payable"]), f"00{local.orders['payable']}")
    for number in range(30):
        answer = local.create(order_id=spellings[number % 3], payment_method=DECLINED)
        statuses.append(answer.status_code)
    assert statuses[10:] == [429] * 20
    assert 429 not in statuses[:10]
    assert creates_at_stripe(local) == 10
    assert refusal(answer) == (429, "wcpay_rate_limited", "Too many payments were declined. Try again later.")
    assert int(answer.headers["Retry-After"]) > 0
    local.environ["REMOTE_ADDR"] = "127.0.0.9"
    assert local.create(payment_method=DECLINED).status_code == 429, "from wherever it is asked"
    assert local.create("payable_2").get_json()["status"] == "succeeded", "another order is another matter"


def test_a_card_tester_at_many_orders_is_stopped_by_address(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", address_decline_limit="4/hour")
    orders = [local.shop.add_order(total="10.00") for _ in range(6)]
    statuses = [local.create(order, payment_method=DECLINED).status_code for order in orders]
    assert statuses[4:] == [429, 429]
    assert creates_at_stripe(local) == 4
    local.environ["REMOTE_ADDR"] = "127.0.0.9"
    assert local.create(orders[5]).get_json()["status"] == "succeeded"


def test_what_is_paid_can_be_asked_for_after_any_number_of_declines(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", order_decline_limit="2/hour")
    assert local.create(payment_method=DECLINED).status_code != 429
    paid = local.create().get_json()
    assert paid["status"] == "succeeded"
    for order in ("payable_2", "payable_2", "payable_2"):
        local.create(order, payment_method=DECLINED)
    assert local.create("payable_2").status_code == 429
    assert local.create().get_json()["id"] == paid["id"]


def test_the_same_decline_told_again_under_its_key_counts_once(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url, "stripe_connect", order_decline_limit="2/hour")
    order = {"order_id": local.orders["payable"], "customer": local.customer, "payment_method": DECLINED}
    for _ in range(5):
        told = local.post(INTENTS, order, headers={"Idempotency-Key": "one"})
    assert (told.status_code, told.headers["Idempotent-Replayed"]) != (429, "false")
    assert local.create(payment_method=DECLINED).status_code != 429
    limited = local.post(INTENTS, order, headers={"Idempotency-Key": "two"})
    assert limited.status_code == 429
    assert creates_at_stripe(local) == 2


def test_many_at_once_of_one_order_go_no_further_than_those_that_looked_before_the_last_was_counted(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    local = make_local(sqlite_url, "stripe_connect", order_decline_limit="3/hour")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: local.create(payment_method=DECLINED), range(40)))
    assert creates_at_stripe(local) < 3 + 8
    assert local.create(payment_method=DECLINED).status_code == 429


def test_while_the_shared_storage_is_away_every_process_counts_for_itself(
    make_local: MakeLocal, sqlite_url: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"redis://127.0.0.1:{closed.getsockname()[1]}"
    local = make_local(sqlite_url, rate_limit="3/hour", key_limit="9/hour", rate_limit_storage=address)
    assert local.create().get_json()["status"] == "succeeded"
    assert [guess(local)[0] for _ in range(4)] == [401, 401, 401, 429]


def test_a_shared_storage_that_does_not_answer_is_not_asked_at_every_request(
    make_local: MakeLocal, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.http.rate_limit.REDIS_TIMEOUTS", {"socket_timeout": 0.2, "socket_connect_timeout": 0.2})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0)
        address = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        local = make_local(sqlite_url, key_limit="9/hour", rate_limit_storage=address)
        for _ in range(3):
            local.show("pi_1")
        asked = _accepted(silent)
        for _ in range(5):
            local.show("pi_1")
        assert asked >= 1
        assert _accepted(silent) == 0
        local.clock.advance(11)
        local.show("pi_1")
        assert _accepted(silent) >= 1


def _accepted(server: socket.socket) -> int:
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_without_a_limit_nobody_is_counted(make_local: MakeLocal, sqlite_url: str) -> None:
    local = make_local(sqlite_url)
    assert {guess(local)[0] for _ in range(100)} == {401}
