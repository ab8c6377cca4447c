"""`init`, `stores add`, `keys create`, `serve`: from nothing to a payment, and through a kill -9."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.plugins.commandline import CommandLine

KEY = "sk_test_0123456789abcdefghijkl"
ACCOUNT = "acct_1PgafTB7WZ01zgkW"
INTENTS = "/wp-json/wc/v3/payments/payment_intents"


class Shopkeeper:
    """A shop and a Stripe of the test's own, and a bridge that its owner has set up with the command line."""

    def __init__(self, cli: CommandLine, certificates: Certificates, stack: ExitStack) -> None:
        self.cli = cli
        self.stack = stack
        self.shop = WooCommerceSimulator("shop")
        tls = (certificates.cert_file, certificates.key_file)
        self.shop_faults = Faults(self.shop)
        shop_url = stack.enter_context(serve(self.shop_faults, tls=tls)).url
        self.stripe = StripeSimulator(secret_key=KEY, accounts=[ACCOUNT])
        self.faults = Faults(self.stripe)
        stripe_url = stack.enter_context(serve(self.faults)).url
        self.customer = self.stripe.add_customer(ACCOUNT)
        key, secret = self.shop.add_key()
        self.orders = self.shop.seed_demo_orders()
        cli.environ["SHOP_SECRET"] = secret
        cli.environ["BRIDGE_PROVIDER_TIMEOUT"] = "2"
        cli.run("init")
        settings = {"secret_key": KEY, "account": ACCOUNT, "api_base": stripe_url}
        assignments = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
        self.store = cli.json(
            *("stores", "add", "--url", shop_url, "--consumer-key", key, "--consumer-secret", "env:SHOP_SECRET"),
            *("--ca-file", str(certificates.ca_file), "--adapter", "stripe_connect", "--test", *assignments),
        )
        self.pair = cli.json("keys", "create", "--store", self.store["id"])

    def serve(self, *arguments: str) -> "Served":
        return self.stack.enter_context(Served(self.cli, arguments))

    def create(self, url: str, order: str = "payable") -> requests.Response:
        body = {"order_id": self.orders[order], "customer": self.customer, "payment_method": "pm_card_visa"}
        pair = (self.pair["consumer_key"], self.pair["consumer_secret"])
        return requests.post(url + INTENTS, json=body, auth=pair, timeout=30)


class Served:
    """`wcpay-bridge serve` in a process group of its own."""

    def __init__(self, cli: CommandLine, arguments: tuple[str, ...]) -> None:
        program = str(Path(sys.executable).with_name("wcpay-bridge"))
        self.process = subprocess.Popen(
            [program, "serve", "--bind", "127.0.0.1:0", "--workers", "1", "--threads", "8", *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env=cli.subprocess_environ(),
            start_new_session=True,
        )
        assert self.process.stderr is not None
        self.log: list[str] = []
        for line in self.process.stderr:
            self.log.append(line)
            if "Listening at: " in line:
                self.url = line.split("Listening at: ")[1].split(" ")[0]
                break
        else:
            raise AssertionError("".join(self.log))
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr or ()))
        self._reader.start()

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        import os
        from contextlib import suppress

        with suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@pytest.fixture
def shopkeeper(cli: CommandLine, certificates: Certificates) -> Iterator[Shopkeeper]:
    with ExitStack() as stack:
        yield Shopkeeper(cli, certificates, stack)


def test_a_bridge_that_was_set_up_by_hand_takes_a_payment(shopkeeper: Shopkeeper) -> None:
    served = shopkeeper.serve()
    answer = shopkeeper.create(served.url)
    assert answer.status_code == 200, answer.text
    order_id = shopkeeper.orders["payable"]
    assert shopkeeper.shop.wait_until(lambda: shopkeeper.shop.order(order_id)["status"] == "processing")

    def story() -> Any:
        return shopkeeper.cli.json("why", answer.json()["id"])[0]

    assert story()["status"] == "succeeded"
    _wait_for(lambda: story()["store_updates"][0]["state"] == "delivered")


def test_a_bridge_killed_after_the_provider_answered_updates_the_shop_when_it_is_back(shopkeeper: Shopkeeper) -> None:
    served = shopkeeper.serve()
    answered = threading.Event()
    shopkeeper.faults.next(Fault.STALLED_AFTER, match="POST /v1/payment_intents", until=answered)

    def ask() -> None:
        with pytest.raises(requests.ConnectionError):
            shopkeeper.create(served.url)

    asking = threading.Thread(target=ask)
    asking.start()
    _wait_for(lambda: shopkeeper.stripe.ledger.entries("captured"))
    served.end(signal.SIGKILL)
    answered.set()
    asking.join()
    order_id = shopkeeper.orders["payable"]
    assert shopkeeper.shop.order(order_id)["status"] == "pending"
    shopkeeper.serve()
    done = shopkeeper.shop.wait_until(lambda: shopkeeper.shop.order(order_id)["status"] == "processing", timeout=30)
    assert done
    assert [entry.amount for entry in shopkeeper.stripe.ledger.entries("captured")] == [1023]


def test_sigterm_finishes_what_is_under_way(shopkeeper: Shopkeeper) -> None:
    served = shopkeeper.serve()
    shopkeeper.faults.next(Fault.STALLED_AFTER, match="POST /v1/payment_intents", seconds=1.0)
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(shopkeeper.create(served.url)))
    asking.start()
    _wait_for(lambda: shopkeeper.stripe.ledger.entries("captured"))
    assert served.end(signal.SIGTERM) == 0
    asking.join()
    assert answers[0].status_code == 200


def test_serve_without_a_key_says_what_to_do(cli: CommandLine) -> None:
    told = cli.run("serve", code=1)
    assert "BRIDGE_SECRET_KEY: no secret key. Run `wcpay-bridge init`" in told.stderr


def test_serve_with_another_key_file_says_so(shopkeeper: Shopkeeper) -> None:
    home = shopkeeper.cli.environ["XDG_DATA_HOME"]
    key_file = Path(str(home)) / "wcpay-bridge" / "secret.key"
    key_file.write_text("another key of thirty-two letters or more\n".replace(" ", "-"))
    told = shopkeeper.cli.run("serve", code=1)
    assert told.stderr.startswith("Error: The secret key does not belong to this database")


def test_stores_check_proves_the_set_up(shopkeeper: Shopkeeper) -> None:
    findings = shopkeeper.cli.json("stores", "check", shopkeeper.store["id"])
    assert {finding["ok"] for finding in findings} == {True}, findings
    assert json.dumps(findings).find(KEY) == -1


def _wait_for(true: Any, seconds: float = 20.0) -> None:
    """Wait, without a fixed sleep, until something of another process has happened."""
    import time

    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        pause.wait(0.02)
