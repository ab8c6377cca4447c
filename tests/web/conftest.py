"""`open_shop`: a bridge on a socket of its own, with a shop and a provider behind it, and the buyer's page in front."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from bridge.simulators.faults import Faults
from bridge.simulators.forte_payments import FortePaymentsSimulator, error_body
from bridge.simulators.forte_platform import FortePlatformSimulator, injected_error
from bridge.simulators.server import serve
from tests.adapters import forte_payments_wire, forte_platform_wire
from tests.plugins.clock import START
from tests.plugins.local import Local, MakeLocal

if TYPE_CHECKING:
    from playwright.sync_api import Page

API_KEY = "forte_test_CanaryOfThePlatform"
CLIENT_SECRET = "CanarySecretOfTheClient"
ENDPOINT = "forte"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@dataclass
class Shop:
    """A `local` whose bridge listens at `url`, with its one provider: `forte` or `platform`, or the local's own.

    `order` is the one that is paid unless a test says otherwise, `provider` where a simulated Forte listens behind its
    `door`, which keeps every request. `faults` are the provider's, `outages` the bridge's.
    """

    local: Local
    url: str
    order: str
    provider: str = ""
    forte: FortePaymentsSimulator | None = None
    platform: FortePlatformSimulator | None = None
    faults: Faults | None = None
    outages: Faults | None = None
    door: Any = None
    session: requests.Session = field(default_factory=requests.Session)

    def create(self, order: str | None = None, **changes: Any) -> dict[str, Any]:
        """What a create answers; its `pay_url` leads to where the bridge listens."""
        answer = self.local.create(order or self.order, **changes)
        assert answer.status_code == 200, answer.json
        return self.reachable(answer.json)

    def show(self, name: str) -> dict[str, Any]:
        return self.reachable(self.local.show(name).json)

    def get(self, url: str, *, agent: str = BROWSER, method: str = "GET", **headers: str) -> requests.Response:
        """What a browser that follows no redirect gets. Underscores in names of headers stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()} | {"User-Agent": agent}
        return self.session.request(method, url, headers=named, allow_redirects=False, timeout=10)

    def press(self, url: str, action: str, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        own = {"User-Agent": BROWSER, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
        return self.session.post(url, {"action": action}, headers=own | named, allow_redirects=False, timeout=10)

    def stage(self, url: str) -> str:
        """How the payment stands, as the page's script hears it."""
        return self.get(f"{url}/status").json()["stage"]

    def status(self) -> str:
        """The order's, once the shop has heard of everything."""
        self.local.work()
        return self.local.order(self.order)["status"]

    @property
    def adapter(self) -> Any:
        return self.local.bridge.services.stores.adapter(self.local.store)

    def reachable(self, answer: dict[str, Any]) -> dict[str, Any]:
        if "pay_url" in answer:
            assert answer["pay_url"].startswith("http://127.0.0.1/bridge/v1/pay/")
            answer["pay_url"] = self.url + urlsplit(answer["pay_url"]).path
        return answer


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(make_local: MakeLocal, sqlite_url: str) -> Iterator[OpenShop]:
    """`open_shop(adapter, **settings)`. Clocks of bridge and providers are one."""
    with ExitStack() as stack:
        app: list[Any] = []
        outages = Faults(lambda environ, start: app[0](environ, start))
        front = stack.enter_context(serve(outages))
        locals_: list[Local] = []

        def clock() -> float:
            return locals_[0].clock() if locals_ else START

        def forte(settings: dict[str, str]) -> tuple[Shop, dict[str, str]]:
            simulator = FortePaymentsSimulator(
                client_id="shop-7", client_secret=CLIENT_SECRET, clock=clock, random=Random(7)
            )
            stack.callback(simulator.close)
            faults = Faults(simulator, errors=error_body)
            door = forte_payments_wire.Checked(faults)
            url = stack.enter_context(serve(door)).url
            key = simulator.subscribe(f"{front.url}/bridge/v1/webhooks/{ENDPOINT}").signing_key
            given = {
                "client_id": "shop-7",
                "client_secret": CLIENT_SECRET,
                "api_base": url,
                "widget_script": f"{url}/forte-payments-widget.js",
                "webhook_secret": key,
                "webhook_endpoint": ENDPOINT,
                "signature_header": "X-Forte-Signature",
                "signature_payload": "{timestamp}.{body}",
                "timestamp_header": "X-Forte-Timestamp",
                **settings,
            }
            shop = Shop(None, front.url, "virtual", url, forte=simulator, faults=faults, door=door)  # type: ignore[arg-type]
            return shop, given

        def platform(settings: dict[str, str]) -> tuple[Shop, dict[str, str]]:
            simulator = FortePlatformSimulator(api_key=API_KEY, clock=clock, random=Random(7))
            stack.callback(simulator.close)
            faults = Faults(simulator, errors=injected_error)
            door = forte_platform_wire.Checked(faults)
            url = stack.enter_context(serve(door)).url
            project = simulator.add_project()
            user = simulator.add_user(project, "ann@example.com")
            given = {
                "api_key": API_KEY,
                "project": project,
                "default_user": user,
                "host": url,
                "stripe_script_url": f"{url}/stripe-elements.js",
                **settings,
            }
            shop = Shop(None, front.url, "payable", url, platform=simulator, faults=faults, door=door)  # type: ignore[arg-type]
            return shop, given

        def open_shop(
            adapter: str = "sandbox",
            *,
            options: dict[str, str] | None = None,
            database_url: str = sqlite_url,
            bridge: dict[str, Any] | None = None,
            **settings: str,
        ) -> Shop:
            make = {"forte_payments": forte, "forte_platform": platform}.get(adapter)
            shop, given = make(settings) if make else (Shop(None, front.url, "payable"), settings)  # type: ignore[arg-type]
            shop.local = make_local(database_url, adapter, settings=given or None, options=options, **(bridge or {}))
            shop.faults, shop.outages = shop.faults or shop.local.provider_faults, outages
            shop.local.url = front.url
            locals_.append(shop.local)
            app.append(shop.local.app)
            stack.callback(shop.session.close)
            return shop

        yield open_shop


def challenged(shop: Shop) -> str:
    """The page of a sandbox payment whose bank asks the payer."""
    return shop.create(payment_method="pm_card_authenticationRequired")["pay_url"]


class Buyer:
    """Somebody with the page in a browser's tab."""

    def __init__(self, tab: "Page") -> None:
        self.tab = tab

    def open(self, url: str) -> None:
        self.tab.goto(url)

    def press(self, name: str) -> None:
        self.tab.get_by_role("button", name=name, exact=True).click()

    def reads(self, heading: str) -> bool:
        """True once the page's first heading is this; a page that never has it fails the test."""
        self.tab.get_by_role("heading", level=1, name=re.compile(re.escape(heading))).wait_for()
        return True

    @property
    def text(self) -> str:
        return self.tab.locator("body").inner_text()


@pytest.fixture
def buyer(tab: "Page") -> Buyer:
    return Buyer(tab)
