"""A simulated WooCommerce store on a real TLS socket, and a client that holds one of its keys."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.plugins.clock import Time
from tests.simulators.receiver import Receiver

API = "/wp-json/wc/v3"


class Client:
    """Requests below wc/v3 of one store, with one key; `session` has no key and no base."""

    def __init__(self, url: str, ca_file: Path, key: tuple[str, str] | None) -> None:
        self.url = url
        self.key = key
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca_file)

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        more.setdefault("auth", self.key)
        return self.session.request(method, f"{self.url}{API}{path}", timeout=10, **more)

    def get(self, path: str, **more: Any) -> Any:
        return self("GET", path, **more).json()

    def put(self, order_id: int, **fields: Any) -> Any:
        response = self("PUT", f"/orders/{order_id}", json=fields)
        assert response.status_code == 200, response.text
        return response.json()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def clock() -> Time:
    return Time(1_795_217_626.0)  # 2026-11-20T23:33:46Z


@pytest.fixture
def shop(clock: Time) -> WooCommerceSimulator:
    return WooCommerceSimulator("Corner shop", clock=clock, random=Random(7))


@pytest.fixture
def shop_url(shop: WooCommerceSimulator, certificates: Certificates) -> Iterator[str]:
    with serve(shop, tls=(certificates.cert_file, certificates.key_file)) as server:
        yield server.url


@pytest.fixture
def store(shop: WooCommerceSimulator, shop_url: str, certificates: Certificates) -> Iterator[Client]:
    client = Client(shop_url, certificates.ca_file, shop.add_key())
    yield client
    client.session.close()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with serve(receiver) as server:
        receiver.url = server.url
        yield receiver
        if receiver.held is not None:
            receiver.held.set()
