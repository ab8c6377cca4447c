"""One provider that does not answer holds as many threads as it may, and everybody else is answered meanwhile."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault
from tests.cli.processes import INTENTS, Served, Shopkeeper, wait_for
from tests.plugins.commandline import CommandLine

THREADS, RESERVED = 6, 2
MOST = THREADS - RESERVED
PAYMENTS = "/wp-json/wc/v3/payments"


@pytest.fixture
def shopkeeper(cli: CommandLine, certificates: Certificates) -> Iterator[Shopkeeper]:
    cli.environ["BRIDGE_RESERVED_THREADS"] = str(RESERVED)
    with ExitStack() as stack:
        yield Shopkeeper(cli, certificates, stack)


@pytest.fixture
def served(shopkeeper: Shopkeeper) -> Served:
    shopkeeper.cli.environ["BRIDGE_PROVIDER_TIMEOUT"] = "60"
    return shopkeeper.serve("--threads", str(THREADS), "--no-worker")


class Held:
    """Creates that wait for a provider which answers when it is told to."""

    def __init__(self, shopkeeper: Shopkeeper, served: Served, count: int) -> None:
        self._over = threading.Event()
        self._shopkeeper = shopkeeper
        before = len(shopkeeper.faults.injected)
        shopkeeper.faults.next(Fault.STALLED, count, match="POST /v1/payment_intents", until=self._over)
        self.answers: list[requests.Response] = []
        names = [name for name in shopkeeper.orders if name.startswith("payable")][:count]
        self._threads = [threading.Thread(target=self._ask, args=(served.url, name)) for name in names]
        for thread in self._threads:
            thread.start()
        wait_for(lambda: len(shopkeeper.faults.injected) == before + count)

    def _ask(self, url: str, name: str) -> None:
        self.answers.append(self._shopkeeper.create(url, name))

    def let_go(self) -> list[int]:
        """What they are answered then."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        return [answer.status_code for answer in self.answers]

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go()


def charged(shopkeeper: Shopkeeper) -> list[int | None]:
    return [entry.amount for entry in shopkeeper.stripe.ledger.entries("captured")]


def test_one_more_of_an_account_is_refused_and_charges_nothing(shopkeeper: Shopkeeper, served: Served) -> None:
    pair = (shopkeeper.pair["consumer_key"], shopkeeper.pair["consumer_secret"])
    arrived = len(shopkeeper.stripe.requests)
    asked_shop = len(shopkeeper.shop.requests)
    with Held(shopkeeper, served, MOST) as held:
        asked_shop += MOST
        refused = shopkeeper.create(served.url, "payable_9")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        told = refused.json()
        assert told["code"] == "wcpay_overloaded"
        assert "nothing was charged" in told["message"]
        assert told["data"] == {"status": 503, "reason": "account_busy", "retryable": True, "retry_after": 5}
        assert len(shopkeeper.faults.injected) == MOST
        assert len(shopkeeper.shop.requests) == asked_shop
        # who only reads is answered
        for path in (f"{PAYMENTS}/authorizations", f"{PAYMENTS}/transactions"):
            assert requests.get(served.url + path, auth=pair, timeout=30).status_code == 200
        assert requests.get(f"{served.url}/bridge/v1/health/ready", timeout=30).status_code == 200
        # and whoever reads by asking the provider counts
        methods = f"{PAYMENTS}/customers/{shopkeeper.customer}/payment_methods"
        assert requests.get(served.url + methods, auth=pair, timeout=30).status_code == 503
        assert held.let_go() == [200] * MOST
    assert charged(shopkeeper) == [1023] * MOST
    assert shopkeeper.create(served.url, "payable_9").status_code == 200  # its place is free again
    assert charged(shopkeeper) == [1023] * (MOST + 1)
    assert len(shopkeeper.stripe.requests) > arrived


def test_another_account_finds_a_thread_meanwhile(shopkeeper: Shopkeeper, served: Served) -> None:
    """Another entry of the shop, with a provider of its own: it begins, asks its provider and is answered."""
    key, secret = shopkeeper.shop.add_key()
    store = shopkeeper.cli.json("stores", "show", shopkeeper.store["id"])
    other = shopkeeper.cli.json(
        *("stores", "add", "--url", store["url"], "--consumer-key", key, "--consumer-secret", secret),
        *("--ca-file", store["ca_file"], "--adapter", "sandbox", "--test", "--shop", store["id"]),
    )
    made = shopkeeper.cli.json("keys", "create", "--store", other["id"])
    wanted = {"order_id": shopkeeper.orders["payable_8"], "customer": "cus_1", "payment_method": "pm_card_visa"}
    with Held(shopkeeper, served, MOST):
        pair = (made["consumer_key"], made["consumer_secret"])
        answer = requests.post(served.url + INTENTS, json=wanted, auth=pair, timeout=30)
        assert (answer.status_code, answer.json().get("status")) == (200, "succeeded"), answer.text


def test_a_request_that_fails_gives_its_place_back(shopkeeper: Shopkeeper, served: Served) -> None:
    """Refused for its parameters, for its order, for what the provider says, and by a repeated key."""
    shopkeeper.faults.next(Fault.ERROR_500, match="POST /v1/payment_intents")
    pair = (shopkeeper.pair["consumer_key"], shopkeeper.pair["consumer_secret"])
    bodies = [{}, {"order_id": 999_999, "customer": "c", "payment_method": "pm_card_visa"}, {"order_id": "x"}]
    for body in bodies * (MOST + 1):
        answer = requests.post(served.url + INTENTS, json=body, auth=pair, timeout=30)
        assert answer.json()["code"] != "wcpay_overloaded"
    for _ in range(MOST + 1):
        assert shopkeeper.create(served.url, "payable_7").json().get("code") != "wcpay_overloaded"
    with Held(shopkeeper, served, MOST) as held:
        assert held.let_go() == [200] * MOST
