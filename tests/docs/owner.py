"""The owner of a shop, who follows pages with a shop of his own: what they call https://shop.example is simulated."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.docs.reader import Reader

SECRET_TO_ENTER = "cs_..."


@dataclass
class Owner(Reader):
    """`shop` is at `url`; `port` is free, for the bridge."""

    shop: WooCommerceSimulator = field(default_factory=lambda: WooCommerceSimulator("shop"))
    certificates: Certificates | None = None
    url: str = ""
    port: int = 0
    secret: str = ""


@contextmanager
def owner(folder: Path) -> Iterator[Owner]:
    with ExitStack() as stack:
        certificates = Certificates.create(folder)
        shop = WooCommerceSimulator("shop")
        url = stack.enter_context(serve(shop, tls=(certificates.cert_file, certificates.key_file))).url
        key, secret = shop.add_key()
        port = free_port()
        store = url.removeprefix("https://").replace(".", "-").replace(":", "-")
        fills = {
            "--url https://shop.example": f"--url {url} --ca-file {certificates.ca_file}",
            "https://shop.example": url,
            "shop-example": store,
            "127.0.0.1:8080": f"127.0.0.1:{port}",
            "ck_...": key,
        }
        environ = {"BRIDGE_ALLOW_PRIVATE_URLS": "yes"}
        made = Owner(folder, environ, fills, shop=shop, certificates=certificates, url=url, port=port, secret=secret)
        yield stack.enter_context(made)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
