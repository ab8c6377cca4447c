"""`wcpay-bridge demo` as a stranger meets it: a process of its own, the printed curl line, Ctrl-C."""

import json
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.plugins.demo import PROGRAM, Demo

ANONYMOUS = '{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":401}}'


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    if running.process.poll() is None:
        running.end()


def curls(printed: str) -> list[str]:
    """The printed requests, each with its continuation lines."""
    return re.findall(r"(?m)^ +(curl (?:.*\\\n)*.*)$", printed)


def story(printed: str) -> str:
    """The printed commands that tell a story."""
    return re.search(r"(?m)(?:^ +export .*\n)+.*wcpay-bridge why .*$", printed)[0]  # type: ignore[index]


@pytest.fixture
def requests_to_paste(demo: Demo) -> list[str]:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    return curls(demo.printed)


def test_the_printed_curl_charges_the_order_once_and_the_shop_knows_within_a_second(
    demo: Demo, requests_to_paste: list[str]
) -> None:
    first = demo.shell(requests_to_paste[0])
    body = json.loads(first)
    assert (body["status"], body["amount"], body["currency"]) == ("succeeded", 1023, "USD")
    assert demo.shell(requests_to_paste[0]) == first
    told = demo.shell(story(demo.printed))
    assert body["id"] in told
    assert "the provider answered succeeded" in told


def test_the_other_printed_curls_lead_to_pages_of_the_three_ways_to_pay_with_forte(
    demo: Demo, requests_to_paste: list[str]
) -> None:
    answers = [json.loads(demo.shell(curl)) for curl in requests_to_paste[1:]]
    assert [(each["provider"], each["amount"]) for each in answers] == [
        ("forte_payments", 999),
        ("forte_payments", 999),
        ("forte_platform", 999),
    ]
    pages = [requests.get(each["pay_url"], allow_redirects=False, timeout=10) for each in answers]
    assert [page.status_code for page in pages] == [200, 303, 200]


def test_without_credentials_the_documented_body_comes_byte_for_byte(demo: Demo) -> None:
    answer = requests.post(f"{demo.info['base_url']}/wp-json/wc/v3/payments/payment_intents", timeout=10)
    assert (answer.status_code, answer.text) == (401, ANONYMOUS)


def test_the_info_file_has_what_scripts_need(demo: Demo) -> None:
    info = demo.info
    assert demo.info_file.stat().st_mode & 0o777 == 0o600
    assert {
        "version",
        "base_url",
        "https_base_url",
        "ca_file",
        "store_url",
        "simulators",
        "database_url",
        "pid",
        "keys",
        "orders",
        "stores",
    } <= set(info)
    assert info["pid"] == demo.process.pid
    assert set(info["keys"]) == {"read_write", "read", "write", "revoked"}
    assert set(info["simulators"]) == {"woocommerce", "stripe", "forte_payments", "forte_platform"}
    assert set(info["stores"]) == {
        "sandbox",
        "sandbox_manual",
        "stripe_connect",
        "stripe_connect_destination",
        "forte_payments_widget",
        "forte_payments_redirect",
        "forte_platform",
    }
    for store in info["stores"].values():
        assert set(store["keys"]) == set(info["keys"])
        assert {"woocommerce"} <= set(store["webhook_secrets"]) <= set(info["simulators"])
        assert all(len(secret) > 30 for secret in store["webhook_secrets"].values())
        assert set(store["orders"]) == {
            *("payable" + suffix for suffix in ("", *(f"_{n}" for n in range(2, 10)))),
            *("zero_total", "paid", "cancelled", "refunded", "jpy", "kwd", "virtual", "multi_line"),
            "shipping_tax_fee_discount",
        }


@pytest.mark.parametrize(
    ("store", "status"),
    [
        ("sandbox", "succeeded"),
        ("sandbox_manual", "requires_capture"),
        ("stripe_connect", "succeeded"),
        ("stripe_connect_destination", "succeeded"),
        ("forte_payments_widget", "requires_action"),
        ("forte_payments_redirect", "requires_action"),
        ("forte_platform", "requires_payment_method"),
    ],
)
def test_every_order_that_can_be_paid_is_taken_by_every_kind_of_store(demo: Demo, store: str, status: str) -> None:
    facts = demo.info["stores"][store]
    keys = facts["keys"]["read_write"]
    for order in ("payable_9", "jpy", "kwd", "virtual", "multi_line", "shipping_tax_fee_discount"):
        answer = requests.post(
            f"{demo.info['https_base_url']}/wp-json/wc/v3/payments/payment_intents",
            auth=(keys["consumer_key"], keys["consumer_secret"]),
            json={
                "order_id": facts["orders"][order],
                "customer": facts["customer"],
                "payment_method": "pm_card_visa",
            },
            verify=demo.info["ca_file"],
            timeout=20,
        )
        if "forte" in store and order in ("jpy", "kwd"):
            assert answer.json()["data"]["reason"] == "currency_not_supported"
        else:
            assert (answer.status_code, answer.json()["status"]) == (200, status), (order, answer.text)


@pytest.mark.parametrize(("name", "status"), [("read_write", 200), ("read", 200), ("write", 401), ("revoked", 401)])
def test_a_key_of_the_bridge_is_one_of_the_shop(demo: Demo, name: str, status: int) -> None:
    def answered(store: dict[str, Any]) -> int:
        pair = store["keys"][name]["consumer_key"], store["keys"][name]["consumer_secret"]
        url = f"{store['store_url']}/wp-json/wc/v3/orders/{store['orders']['paid']}"
        return requests.get(url, auth=pair, verify=demo.info["ca_file"], timeout=10).status_code

    assert {answered(store) for store in demo.info["stores"].values()} == {status}


def test_it_can_listen_everywhere(tmp_path: Path) -> None:
    running = Demo(tmp_path, "--host", "0.0.0.0")
    try:
        url = running.info["https_base_url"]
        assert url.startswith("https://127.0.0.1:")
        alive = requests.get(f"{url}/bridge/v1/health/live", verify=running.info["ca_file"], timeout=10)
        assert alive.status_code == 200
    finally:
        assert running.end() == 0


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        told = subprocess.run(
            [PROGRAM, "demo", "--port", str(port)], capture_output=True, text=True, check=False, timeout=60
        )
    assert told.returncode == 1
    assert told.stderr == f"Error: Port {port} of 127.0.0.1 cannot be used: Address already in use.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whichever_signal_ends_it_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    running = Demo(tmp_path)
    for curl in curls(running.printed):
        running.shell(curl)
    assert running.end(number) == 0
    assert running.complaints == ""
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_one_that_a_script_has_started_in_the_background(tmp_path: Path) -> None:
    running = Demo(tmp_path, ignored=[signal.SIGINT])
    assert running.end(signal.SIGINT) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_closed_terminal_does_not_end_one_under_nohup(tmp_path: Path) -> None:
    running = Demo(tmp_path, ignored=[signal.SIGHUP])
    running.process.send_signal(signal.SIGHUP)
    alive = f"{running.info['base_url']}/bridge/v1/health/live"
    assert requests.get(alive, timeout=10).status_code == 200
    assert running.end(signal.SIGTERM) == 0
    assert list(tmp_path.iterdir()) == []


def test_its_front_page_names_its_stores_to_people_and_programs(demo: Demo) -> None:
    url = demo.info["base_url"] + "/"
    told = requests.get(url, timeout=10)
    assert told.headers["Content-Type"] == "application/json"
    assert {each["name"]: each["url"] for each in told.json()["stores"]} == {
        name: store["store_url"] for name, store in demo.info["stores"].items()
    }
    page = requests.get(url, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}, timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for text in (page.text, told.text):
        assert demo.info["stores"]["sandbox"]["store_url"] in text
        assert not any(pair["consumer_secret"] in text for pair in demo.info["keys"].values())
