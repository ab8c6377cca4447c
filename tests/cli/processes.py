"""The bridge's programs as processes, and a shop's owner who has set it up with the command line."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Self

import requests

from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Faults
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.plugins.commandline import CommandLine

KEY = "sk_test_0123456789abcdefghijkl"
ACCOUNT = "acct_1PgafTB7WZ01zgkW"
INTENTS = "/wp-json/wc/v3/payments/payment_intents"


def wait_for(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait, without a fixed sleep, until something of another process has happened."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        pause.wait(0.02)


class Program:
    """`wcpay-bridge` with arguments in a process group of its own. `begun` is the line that says that it has begun."""

    def __init__(self, cli: CommandLine, sign: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [str(cli.program), *arguments],
            stderr=subprocess.PIPE,
            text=True,
            env=cli.subprocess_environ(),
            start_new_session=True,
        )
        assert self.process.stderr is not None
        self.log: list[str] = []
        for line in self.process.stderr:
            self.log.append(line)
            if sign in line:
                self.begun = line
                break
        else:
            raise AssertionError("".join(self.log))
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr or ()))
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        """Its exit code. SIGKILL is for the whole group."""
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


class Served(Program):
    """`wcpay-bridge serve`, at `url`."""

    def __init__(self, cli: CommandLine, arguments: tuple[str, ...]) -> None:
        listens = "Listening at: "
        super().__init__(cli, listens, "serve", "--bind", "127.0.0.1:0", "--workers", "1", "--threads", "8", *arguments)
        self.url = self.begun.split(listens)[1].split(" ")[0]


class Working(Program):
    """`wcpay-bridge worker`."""

    def __init__(self, cli: CommandLine) -> None:
        super().__init__(cli, "Working", "worker")
        assert self.log[0] == self.begun, self.log


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
