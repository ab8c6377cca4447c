"""A simulated store behind real TLS with a private authority, and an order book that talks to it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.wrappers import Request, Response

from bridge.domain.errors import StoreError
from bridge.domain.ids import RandomIds
from bridge.domain.orders import Delivery, OrderUpdate, UpdateKind
from bridge.domain.stores import Store
from bridge.outbound.transport import make_session
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import DRIPS, Fault, Faults
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from bridge.stores.woocommerce.order_book import WooCommerceOrderBook

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

NOW = 1_800_000_000.0
TRANSACTION = "pi_3MtwBwLkdIwHu7ix28a3tqPa"
WOOPAYMENTS = "woocommerce-payments/woocommerce-payments.php"
HARMLESS = {Fault.STALLED, Fault.STALLED_AFTER, Fault.WRONG_TYPE, Fault.GZIP, *DRIPS}
FAILURES = [fault for fault in Fault if fault not in HARMLESS]
"""What keeps an answer from us."""


class Interruptions:
    """WSGI middleware: `before("PUT", action)` runs an action just before the next request of that method arrives."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._actions: list[tuple[str, Callable[[], None]]] = []

    def before(self, method: str, action: Callable[[], None]) -> None:
        self._actions.append((method, action))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._actions and self._actions[0][0] == environ["REQUEST_METHOD"]:
            self._actions.pop(0)[1]()
        return self._app(environ, start_response)


@dataclass
class Shop:
    """A store, what can go wrong on the way to it, and the bridge's order book for it. `now` is the bridge's clock."""

    simulator: WooCommerceSimulator
    faults: Faults
    interruptions: Interruptions
    book: WooCommerceOrderBook
    store: Store
    connect: Callable[..., WooCommerceOrderBook]
    skew: list[float]
    now: float = NOW
    seen: int = field(default=0)

    def update(self, kind: UpdateKind, order_id: int, **changes: Any) -> OrderUpdate:
        """What the bridge owes the store after it has read the order as it is now."""
        order = self.simulator.order(order_id)
        values: dict[str, Any] = {
            "operation_id": f"operation-{kind}-{order_id}",
            "kind": kind,
            "order_id": order_id,
            "order_key": order["order_key"],
            "amount": 1023,
            "currency": order["currency"],
            "transaction_id": TRANSACTION,
            "note": f"The payment was {kind} ({TRANSACTION}).",
            "read_at": self.now,
        }
        if kind in (UpdateKind.PAID, UpdateKind.AUTHORIZED):
            status = "succeeded" if kind is UpdateKind.PAID else "requires_capture"
            values["meta"] = {"_intent_id": TRANSACTION, "_charge_id": "ch_1", "_intention_status": status}
        return OrderUpdate(**values | changes)

    def deliver(self, update: OrderUpdate, *, first: bool = True, stale: bool = False) -> Delivery:
        """Deliver it while its read is fresh, or (`stale`) a minute later."""
        if stale:
            self.now = update.read_at + 60
        return self.book.deliver(update, first=first)

    def insist(self, update: OrderUpdate) -> Delivery:
        """Deliver it again and again until it is done, as the outbox does."""
        first = True
        for _ in range(60):
            with suppress(StoreError):
                return self.deliver(update, first=first, stale=True)
            first = False
        raise AssertionError("it is never done")

    def paid_order(self, total: str = "10.23", amount: int = 1023, **fields: Any) -> int:
        """An order that was paid through us. Nothing that led there counts as asked."""
        order_id = self.simulator.add_order(total=total, **fields)
        self.deliver(self.update(UpdateKind.PAID, order_id, amount=amount))
        self.asked()
        return order_id

    def ours(self, order_id: int) -> list[str]:
        """The notes that we left, without their references, oldest first."""
        return [note.partition(" [ref ")[0] for note in self.notes(order_id) if "[ref " in note]

    def refunds(self, order_id: int) -> list[tuple[str, str, str]]:
        """Amount, reason and the provider's id of the order's refunds, oldest first."""
        return [(refund.amount, refund.reason, refund.refund_id) for refund in self.book.refunds(order_id)]

    def status(self, order_id: int) -> str:
        return str(self.simulator.order(order_id)["status"])

    def meta(self, order_id: int) -> dict[str, Any]:
        return {row["key"]: row["value"] for row in self.simulator.order(order_id)["meta_data"]}

    def notes(self, order_id: int) -> list[str]:
        return [note["note"] for note in self.simulator.notes(order_id)]

    def asked(self) -> list[str]:
        """The requests that reached the store since the last look: "GET", "PUT", "POST notes", "DELETE refunds"."""
        requests = self.simulator.requests[self.seen :]
        self.seen += len(requests)
        return [" ".join([each.method, *re.findall("notes|refunds|webhooks", each.path)]) for each in requests]

    def earlier(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something as if it had been done `seconds` ago by the store's clock."""
        self.skew[0] = -seconds
        action()
        self.skew[0] = 0.0


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.create(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def resources() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve_tls(resources: ExitStack, certificates: Certificates) -> Callable[["WSGIApplication"], str]:
    """Serves an app over TLS and gives its URL."""

    def serve_tls(app: "WSGIApplication") -> str:
        tls = (certificates.cert_file, certificates.key_file)
        return resources.enter_context(serve(app, tls=tls)).url

    return serve_tls


@pytest.fixture
def make_book(resources: ExitStack, certificates: Certificates) -> Callable[..., WooCommerceOrderBook]:
    """An order book for a store, with a session of its own."""

    def make_book(
        store: Store,
        clock: Callable[[], float] = lambda: NOW,
        ca_file: Path | None = certificates.ca_file,
        timeout: float = 10.0,
        allow_private: bool = True,
    ) -> WooCommerceOrderBook:
        session = make_session(timeout=timeout, ca_file=ca_file, allow_private=allow_private)
        return WooCommerceOrderBook(store, resources.enter_context(session), clock, RandomIds())

    return make_book


Answering = Callable[[Callable[[Request], Response]], WooCommerceOrderBook]


@pytest.fixture
def answering(
    serve_tls: Callable[["WSGIApplication"], str], make_book: Callable[..., WooCommerceOrderBook]
) -> Answering:
    """An order book for a store that answers whatever a function says."""

    def answering(answer: Callable[[Request], Response]) -> WooCommerceOrderBook:
        url = serve_tls(Request.application(answer))
        return make_book(Store("odd", url, "sandbox", False, "automatic", "", None, "ck_1", "cs_1"))

    return answering


@pytest.fixture
def open_shop(
    serve_tls: Callable[["WSGIApplication"], str], make_book: Callable[..., WooCommerceOrderBook]
) -> Callable[..., Shop]:
    """Opens a store: `options` and `permissions` are for the bridge's side, `weather` is what goes wrong by chance, and
    the rest is the simulator's."""

    def open_shop(
        options: dict[str, str] | None = None,
        permissions: str = "read_write",
        weather: Random | None = None,
        **features: Any,
    ) -> Shop:
        skew = [0.0]
        simulator = WooCommerceSimulator(clock=lambda: time.time() + skew[0], **features)
        interruptions = Interruptions(simulator)
        faults = Faults(interruptions, random=weather)
        url = serve_tls(faults)
        key, secret = simulator.add_key(permissions)
        store = Store("shop", url, "sandbox", False, "automatic", url, None, key, secret, options=options or {})
        shop: Shop

        def connect(changed: Store = store, **how: Any) -> WooCommerceOrderBook:
            return make_book(changed, lambda: shop.now, **how)

        shop = Shop(simulator, faults, interruptions, connect(), store, connect, skew)
        return shop

    return open_shop


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """A store in US dollars with two decimals."""
    return open_shop()
