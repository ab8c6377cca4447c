"""No provider's key is shared by a process: stores that pay at the same moment each use their own."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from random import Random

from bridge.domain.stores import STORE_OPTIONS, Store
from bridge.registry import stores
from bridge.simulators.server import serve
from bridge.simulators.stripe import StripeSimulator
from tests.http.conftest import MakeDoor, make_pairs

ORDERS = range(100, 120)


def test_each_store_pays_with_its_own_key_at_the_same_moment(make_door: MakeDoor) -> None:
    """Each provider refuses the other's key, and both stores' orders are numbered alike."""
    door = make_door(allow_private_urls=True, provider_timeout=120)
    for number in ORDERS:
        door.shelf.put(number)
    with ExitStack() as stack:
        doors, providers = [], []
        for name in ("one", "two"):
            account = f"acct_{name}"
            provider = StripeSimulator(
                secret_key=f"sk_test_{name}", accounts=[account], clock=door.clock, random=Random(name)
            )
            url = stack.enter_context(serve(provider)).url
            told = {"secret_key": f"sk_test_{name}", "account": account, "api_base": url, "off_session": "no"}
            site = f"https://{name}.example"
            store = Store("", site, "stripe_connect", False, "automatic", site, settings=told, options=STORE_OPTIONS)
            store = stores.add(door.bridge.services, store, ())
            doors.append(replace(door, store=store, pairs=make_pairs(door.bridge, store.id)))
            providers.append((provider, provider.add_customer(account)))

        def pay(which: int, number: int) -> str:
            answer = doors[which].create(body={"order_id": number, "customer": providers[which][1]})
            return "" if answer.status_code == 200 else answer.get_data(as_text=True)

        with ThreadPoolExecutor(4) as threads:
            paid = list(threads.map(pay, [0, 1] * len(ORDERS), [number for number in ORDERS for _ in range(2)]))
    assert set(paid) == {""}
    for provider, _ in providers:
        charged = [entry for entry in provider.ledger.entries() if entry.kind == "captured"]
        assert len(charged) == len(ORDERS), {entry.kind for entry in provider.ledger.entries()}
