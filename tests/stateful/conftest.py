"""`tenants`: two stores in one bridge, each with a shop and a sandbox of its own, whose orders are numbered alike."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from bridge.domain.stores import Permissions
from bridge.registry import keys
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.lifecycle.lives import Life
from tests.plugins.local import locals_in

Tenants = tuple[Life, Life]


def sized(examples: int, steps: int) -> settings:
    """So many examples with so many steps each, the same ones while the code is the same; with BATTERY=full many more,
    at random."""
    full = os.environ.get("BATTERY") == "full"
    return settings(
        max_examples=25 * examples if full else examples,
        stateful_step_count=2 * steps if full else steps,
        derandomize=not full,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        print_blob=True,
        report_multiple_bugs=False,
    )


@pytest.fixture(scope="module")
def tenants(
    certificates: Certificates, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tenants]:
    """The first store captures at once, the second by hand."""
    folder = tmp_path_factory.mktemp("tenants")
    url = f"sqlite:///{shutil.copy(sqlite_template, folder / 'bridge.db')}"
    tls = (certificates.cert_file, certificates.key_file)
    with locals_in(folder, certificates) as make:
        first = make(url)
        shop = WooCommerceSimulator("other", clock=first.clock)
        faults = Faults(shop)
        with serve(faults, tls=tls) as server:
            key, secret = shop.add_key()
            told = {"url": server.url, "consumer_key": key, "consumer_secret": secret, "capture": "manual"}
            books = {"books": str(folder / "other.sqlite")}
            store = first.bridge.add_store(replace(first.store, id="", settings=books, **told))
            pair = keys.create(first.bridge.services, store.id, Permissions.READ_WRITE)
            orders = shop.seed_demo_orders()
            second = replace(first, shop=shop, shop_faults=faults, store=store, pair=pair, orders=orders)
            yield Life(first, "sandbox"), Life(second, "sandbox")
