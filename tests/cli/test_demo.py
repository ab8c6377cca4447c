"""`wcpay-bridge demo` as a stranger meets it: a process of its own, the printed curl line, Ctrl-C."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

PROGRAM = [str(Path(sys.executable).with_name("wcpay-bridge"))]
ANONYMOUS = '{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":401}}'


class Demo:
    """A running demo: what it wrote and what it printed."""

    def __init__(self, folder: Path) -> None:
        self.info_file = folder / "info.json"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [*PROGRAM, "demo", "--port", "0", "--info", str(self.info_file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        self.printed = "".join(lines)
        assert lines, self.process.stderr and self.process.stderr.read()
        self.info: dict[str, Any] = json.loads(self.info_file.read_text())

    def shell(self, script: str) -> str:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        told = subprocess.run(script, shell=True, capture_output=True, text=True, check=False, env={"PATH": path})
        assert told.returncode == 0, told.stderr
        return told.stdout

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=20)
        return self.process.returncode


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    yield running
    if running.process.poll() is None:
        running.end()


def command(printed: str, program: str) -> str:
    """The printed command that runs `program`, with its continuation lines."""
    blocks = re.findall(r"(?m)^  (?:.*\\\n)*.*$", printed)
    return next(block for block in blocks if program in block.split("\\\n")[-1] or block.strip().startswith(program))


def test_the_printed_curl_charges_the_order_once_and_the_shop_knows_within_a_second(demo: Demo) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    curl = command(demo.printed, "curl").replace("curl ", "curl -sS ", 1)
    first = demo.shell(curl)
    body = json.loads(first)
    assert (body["status"], body["amount"], body["currency"]) == ("succeeded", 1023, "USD")
    assert demo.shell(curl) == first
    story = demo.shell(command(demo.printed, "wcpay-bridge why"))
    assert body["id"] in story
    assert "the provider answered succeeded" in story


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
    assert set(info["stores"]) >= {"sandbox", "sandbox_manual", "stripe_connect", "stripe_connect_destination"}
    for store in info["stores"].values():
        assert {"keys", "orders", "webhook_secrets"} <= set(store)
        assert set(store["orders"]) == {
            *("payable" + suffix for suffix in ("", *(f"_{n}" for n in range(2, 10)))),
            *("zero_total", "paid", "cancelled", "refunded", "jpy", "kwd", "virtual", "multi_line"),
            "shipping_tax_fee_discount",
        }


def test_every_order_that_can_be_paid_is_paid_by_every_kind_of_store(demo: Demo) -> None:
    for name, store in demo.info["stores"].items():
        keys = store["keys"]["read_write"]
        for order in ("payable_9", "jpy", "kwd", "virtual", "multi_line", "shipping_tax_fee_discount"):
            answer = requests.post(
                f"{demo.info['https_base_url']}/wp-json/wc/v3/payments/payment_intents",
                auth=(keys["consumer_key"], keys["consumer_secret"]),
                json={
                    "order_id": store["orders"][order],
                    "customer": "cus_OUQoHGzJLw87Tk",
                    "payment_method": "pm_card_visa",
                },
                verify=demo.info["ca_file"],
                timeout=20,
            )
            assert answer.status_code == 200, (name, order, answer.text)
            assert answer.json()["status"] == ("requires_capture" if name == "sandbox_manual" else "succeeded")


def test_a_busy_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        told = subprocess.run(
            [*PROGRAM, "demo", "--port", str(port)], capture_output=True, text=True, check=False, timeout=60
        )
    assert told.returncode == 1
    assert told.stderr == f"Error: Port {port} of 127.0.0.1 cannot be used: Address already in use.\n"


def test_ctrl_c_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    running = Demo(tmp_path)
    assert running.end() == 0
    assert list(tmp_path.iterdir()) == []
