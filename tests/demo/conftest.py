"""`open_store`: a store of the demo, as its clients, its staff and its buyers have it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import requests

from bridge.cli.demo_world import World
from bridge.operations.why import why
from bridge.simulators.woocommerce.seed import BILLING
from tests.plugins.commandline import CommandLine
from tests.web.conftest import Buyer

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENCE = 20.0  # seconds

log = logging.getLogger(__name__)


@dataclass
class DemoStore:
    """One store of a demo. `order` is an order of its own, of 10.23 USD."""

    world: World
    name: str
    order: int = field(init=False)

    def __post_init__(self) -> None:
        self.order = self.world.shops[self.name].add_order(total="10.23", billing=BILLING)

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Ask the bridge for something below payments/, with the store's key."""
        url = f"{self.world.info()['base_url']}/wp-json/wc/v3/payments/{path}"
        return requests.request(method, url, json=body, auth=self._pair, timeout=PATIENCE)

    def post(self, path: str, **body: Any) -> Any:
        answer = self.ask("POST", path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def create(self, payment_method: str = "pm_card_visa") -> dict[str, Any]:
        """Charge the order."""
        customer = self.facts["customer"]
        created = self.post("payment_intents", order_id=self.order, customer=customer, payment_method=payment_method)
        assert isinstance(created, dict)
        return created

    def staff(self, method: str, below: str = "", **body: Any) -> Any:
        """What staff do to the order: the shop's own REST API takes the store's key too."""
        url = f"{self.facts['store_url']}/wp-json/wc/v3/orders/{self.order}{below}"
        trust = self.world.info()["ca_file"]
        answer = requests.request(method, url, json=body, auth=self._pair, verify=trust, timeout=PATIENCE)
        assert answer.ok, answer.text
        return answer.json()

    def at(self, simulator: str, path: str, body: Any = None) -> Any:
        """Lay hands on a simulated provider."""
        url = self.world.info()["simulators"][simulator] + path
        answer = requests.post(url, json=body, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def becomes(self, status: str) -> bool:
        """Whether the order has this status before long."""
        shop = self.world.shops[self.name]
        return self._is_soon(lambda: shop.order(self.order)["status"] == status)

    def is_noted(self, words: str) -> bool:
        """Whether the order has a note with these words before long."""
        return self._is_soon(lambda: any(words in note for note in self.notes))

    def is_flagged(self, intent: str, words: str) -> bool:
        """Whether a person is asked to look at a payment, with these words, before long."""
        deadline, pause = time.monotonic() + PATIENCE, threading.Event()
        while words not in str(why(self.world.bridge.services, intent)[0]["flag"]):
            if time.monotonic() > deadline:
                return False
            pause.wait(0.02)
        return True

    def _is_soon(self, true: Callable[[], bool]) -> bool:
        shop = self.world.shops[self.name]
        came = shop.wait_until(true, PATIENCE)
        if not came:
            log.warning("the order is %s, with the notes %s", shop.order(self.order)["status"], self.notes)
        return came

    @property
    def notes(self) -> list[str]:
        return [note["note"] for note in self.world.shops[self.name].notes(self.order)]

    @property
    def facts(self) -> dict[str, Any]:
        return self.world.stores[self.name]

    @property
    def _pair(self) -> tuple[str, str]:
        pair = self.facts["keys"]["read_write"]
        return pair["consumer_key"], pair["consumer_secret"]


@pytest.fixture
def own_world() -> Iterator[World]:
    """For who changes its stores."""
    with World() as started:
        yield started


@pytest.fixture
def open_store(world: World) -> Callable[[str], DemoStore]:
    return lambda name: DemoStore(world, name)


def commands_for(world: World, cli: CommandLine) -> CommandLine:
    """The commands as whoever started the demo runs them."""
    info = world.info()
    cli.environ |= {"BRIDGE_DATABASE_URL": info["database_url"], "BRIDGE_SECRET_KEY": info["secret_key"]}
    return cli


@pytest.fixture
def commands(world: World, cli: CommandLine) -> CommandLine:
    return commands_for(world, cli)


@pytest.fixture
def buyer(tab: "Page") -> Buyer:
    return Buyer(tab)
