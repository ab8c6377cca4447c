"""What each route costs, in what no busy machine can move: function calls, statements, commits, requests that leave.

`costs.json` has the numbers: statements, commits and requests are exact, calls a ceiling. Whoever lowers one writes the
file anew, with `make test COSTS=write ARGS=tests/http/test_costs.py`; whoever raises one says in the commit why.
"""

import base64
import hmac
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_ident
from types import FrameType
from typing import Any, NamedTuple

import pytest
from requests import Request
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bridge.outbound.transport import Session, make_session
from bridge.simulators.faults import Faults
from bridge.simulators.stripe.sending import signature
from bridge.storage import inbox
from bridge.worker.runner import run_once
from tests.plugins.local import INTENTS, Local
from tests.plugins.statements import watched
from tests.web.conftest import OpenShop, open_shop

__all__ = ["open_shop"]

WATCHERS = str(Path(__file__).parents[1] / "plugins")
"""What watches all tests: what it does is not a cost, but what it stands around is."""
SEND = Session.send.__code__
"""What those that watch requests hand them on to."""
COSTS = Path(__file__).with_name("costs.json")
"""By adapter, kind of database and route: calls, statements, commits, requests to shop and provider."""
PAYMENTS = "/wp-json/wc/v3/payments"
TIMES = 3
"""How often each route is asked: once to open and remember what it wants, then to see what it costs."""
COUNTED_ON = (3, 11)
SLACK = 1.02 if sys.version_info[:2] == COUNTED_ON else 1.25
"""How many times the calls that were counted on that Python it may take: other ones call otherwise."""


class Cost(NamedTuple):
    calls: int
    statements: int
    commits: int
    requests: int


@dataclass
class Meter:
    """Counts what the code under it does: all in this thread."""

    database: Any
    calls: int = 0
    statements: int = 0
    commits: int = 0
    requests: int = 0
    _thread: int = field(default_factory=get_ident)
    _turns: list[FrameType] = field(default_factory=list)

    def measure(self, ask: Callable[[], None]) -> Cost:
        self.calls = self.statements = self.commits = self.requests = 0
        with watched(self.database, self._sent):
            sys.setprofile(self._call)
            try:
                ask()
            finally:
                sys.setprofile(None)
        return Cost(self.calls, self.statements, self.commits, self.requests)

    def _call(self, frame: FrameType, what: str, _argument: Any) -> None:
        """Counts, but for what a watcher does until it hands the request on: `_turns` has them, one in the other."""
        if what == "return" and self._turns and frame is self._turns[-1]:
            self._turns.pop()
        elif what == "call" and self._takes_over(frame):
            self._turns.append(frame)
        elif what in ("call", "c_call") and not self._is_watching:
            self.calls += 1

    @property
    def _is_watching(self) -> bool:
        return len(self._turns) % 2 == 1

    def _takes_over(self, frame: FrameType) -> bool:
        if self._is_watching:
            return frame.f_code is SEND
        return frame.f_code.co_filename.startswith(WATCHERS)

    def _sent(self, _connection: Any, text: str, _values: Any) -> None:
        if get_ident() == self._thread and text != "ROLLBACK":
            self.commits += text == "COMMIT"
            self.statements += text != "COMMIT"


@pytest.fixture
def meter_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Local], Meter]:
    """Counts what arrives at shop and provider, too: at this test's own. What other tests of the process have left
    running may go on asking theirs."""
    meters: list[Meter] = []
    own: list[int] = []
    begin, answer = Faults.__init__, Faults.__call__

    def begun(faults: Faults, *args: Any, **options: Any) -> None:
        begin(faults, *args, **options)
        own.append(id(faults))

    def counted(faults: Faults, environ: Any, start_response: Any) -> Any:
        for meter in meters:
            meter.requests += id(faults) in own
        return answer(faults, environ, start_response)

    monkeypatch.setattr(Faults, "__init__", begun)
    monkeypatch.setattr(Faults, "__call__", counted)

    def make(local: Local) -> Meter:
        meters.append(Meter(local.bridge.services.database))
        return meters[-1]

    return make


def request(
    local: Local, method: str, path: str, body: Any = None, secret: str = "", **headers: str
) -> Callable[[], Any]:
    """Made ready outside of what is measured; gives the answer's JSON."""
    pair = f"{local.pair.consumer_key}:{secret or local.pair.consumer_secret}"
    data = None if body is None else json.dumps(body).encode()
    proof = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return sending(local, method, path, data, proof | {name.replace("_", "-"): each for name, each in headers.items()})


def sending(local: Local, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Callable[[], Any]:
    environ = EnvironBuilder(
        path,
        base_url="http://127.0.0.1",
        method=method,
        data=data,
        content_type=None if data is None else "application/json",
        headers=headers,
        environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
    ).get_environ()

    def send() -> Any:
        answer, _status, _headers = run_wsgi_app(local.app, environ)
        return b"".join(answer)

    return send


def messages(local: Local) -> Iterator[Callable[[], Any]]:
    """Events of Stripe about the newest payment, each with a name of its own."""
    assert local.stripe
    newest = local.stripe.events[-1]
    for number in range(TIMES):
        body = json.dumps(newest | {"id": f"evt_{number}"}).encode()
        proof = {"Stripe-Signature": signature(body, [WEBHOOK_SECRET], local.clock())}
        yield sending(local, "POST", f"/bridge/v1/webhooks/{local.store.id}", body, proof)


def deliveries(local: Local, orders: list[int]) -> Iterator[Callable[[], Any]]:
    """What the shop sends when an order changes."""
    secret = local.bridge.services.vault.shop_secret(local.store.id).encode()
    for order in orders:
        body = json.dumps(local.shop.order(order)).encode()
        proof = {
            "User-Agent": "WooCommerce/10.5.0 Hookshot (WordPress/6.9)",
            "X-WC-Webhook-Topic": "order.updated",
            "X-WC-Webhook-Signature": base64.b64encode(hmac.digest(secret, body, "sha256")).decode(),
        }
        yield sending(local, "POST", f"/bridge/v1/webhooks/{local.store.id}", body, proof)


def create(local: Local, order: int, **headers: str) -> Callable[[], Any]:
    body = {"order_id": order, "customer": local.customer, "payment_method": local.payment_method}
    return request(local, "POST", INTENTS, body, **headers)


def more_orders(local: Local, name: str) -> list[int]:
    """Like the one that the shop's seed names so."""
    like = local.order(name)
    lines = [{"product_id": like["line_items"][0]["product_id"], "quantity": 1}]
    return [local.shop.add_order(lines=lines, billing=like["billing"]) for _ in range(2 * TIMES + 1)]


def measured(local: Local, meter: Meter, orders: list[int]) -> dict[str, Cost]:
    def cost(*asks: Callable[[], Any]) -> Cost:
        """Of the last ones."""
        asks[0]()
        costs = [meter.measure(ask) for ask in asks[1:]]
        assert len({each[1:] for each in costs}) == 1, costs
        return min(costs)

    def again(method: str, path: str, **more: Any) -> Cost:
        return cost(*(request(local, method, path, **more) for _ in range(TIMES)))

    plain, keyed, last = orders[:TIMES], orders[TIMES : 2 * TIMES], orders[2 * TIMES]
    found = {
        "create": cost(*(create(local, order) for order in plain)),
        "create with a key": cost(*(create(local, order, Idempotency_Key=f"key-{order}") for order in keyed)),
        "replay": cost(*(create(local, keyed[0], Idempotency_Key=f"key-{keyed[0]}") for _ in range(TIMES))),
        "repeat without a key": cost(*(create(local, plain[0]) for _ in range(TIMES))),
    }
    local.work()
    create(local, last)()
    found["delivery"] = meter.measure(lambda: work(local))
    made = [json.loads(create(local, order)()) for order in plain]
    found |= {name: again("GET", path.format(made[0]["id"])) for name, path in LOOK_UPS.items()}
    found["wrong secret"] = again("GET", f"{INTENTS}/x", secret="cs_wrong")
    found["message of the shop"] = cost(*deliveries(local, plain))
    if local.stripe:
        found["message of the provider"] = cost(*messages(local))
    with local.bridge.services.database.read() as connection:
        assert len(inbox.latest(connection, "new", 100)) == (2 if local.stripe else 1) * TIMES
    look = request(local, "GET", LOOK_UPS["show"].format(made[0]["id"]))
    found["show, once a second"] = cost(*(lambda: (local.clock.advance(1), look()) for _ in range(TIMES)))
    if local.store.capture == "manual":
        found |= {"capture": cost(*captures(local, plain, made)), "refund": cost(*refunds(local, made))}
    return found


def work(local: Local) -> None:
    while run_once(local.bridge.services):
        pass


def captures(local: Local, orders: list[int], made: list[dict[str, Any]]) -> Iterator[Callable[[], Any]]:
    for order, intent in zip(orders, made, strict=True):
        path = f"{PAYMENTS}/orders/{order}/capture_authorization"
        yield request(local, "POST", path, {"payment_intent_id": intent["id"]})


def refunds(local: Local, made: list[dict[str, Any]]) -> Iterator[Callable[[], Any]]:
    for intent in made:
        yield request(local, "POST", f"{PAYMENTS}/refund", {"charge_id": intent["charge"]["id"], "amount": 100})


LOOK_UPS = {
    "show": f"{INTENTS}/{{}}",
    "timeline": f"{PAYMENTS}/timeline/{{}}",
    "authorization": f"{PAYMENTS}/authorizations/{{}}",
    "authorizations": f"{PAYMENTS}/authorizations",
    "transactions": f"{PAYMENTS}/transactions",
    "transactions, summary": f"{PAYMENTS}/transactions/summary",
}
WEBHOOK_SECRET = "whsec_0123456789abcdef"
BY_HAND = {"bridge": {"capture": "manual"}}
SHOPS: dict[str, dict[str, Any]] = {
    "sandbox": BY_HAND,
    "stripe_connect": BY_HAND | {"webhook_secret": WEBHOOK_SECRET},
    "forte_payments": {},
    "forte_platform": {},
}


@pytest.mark.parametrize("adapter", SHOPS)
def test_a_route_costs_no_more_than_it_did(
    open_shop: OpenShop, database_url: str, adapter: str, meter_of: Callable[[Local], Meter]
) -> None:
    shop = open_shop(adapter, database_url=database_url, **SHOPS[adapter])
    found = measured(shop.local, meter_of(shop.local), more_orders(shop.local, shop.order))
    kind = shop.local.bridge.services.database.url.get_backend_name()
    if os.environ.get("COSTS") == "write":
        write(adapter, kind, found)
    known = {name: Cost(*numbers) for name, numbers in json.loads(COSTS.read_text())[adapter][kind].items()}
    assert {name: cost[1:] for name, cost in found.items()} == {name: cost[1:] for name, cost in known.items()}
    dearer = {
        name: (cost.calls, known[name].calls) for name, cost in found.items() if cost.calls > known[name].calls * SLACK
    }
    assert dearer == {}


def write(adapter: str, kind: str, found: dict[str, Cost]) -> None:
    known = json.loads(COSTS.read_text()) if COSTS.exists() else {}
    known.setdefault(adapter, {})[kind] = found
    text = json.dumps(known, indent=1)
    COSTS.write_text(re.sub(r"\[\s+(\d+),\s+(\d+),\s+(\d+),\s+(\d+)\s+\]", r"[\1, \2, \3, \4]", text) + "\n")


def test_a_dearer_route_is_noticed(open_shop: OpenShop, sqlite_url: str, meter_of: Callable[[Local], Meter]) -> None:
    """The means of the test above."""
    shop = open_shop("sandbox", database_url=sqlite_url)
    meter = meter_of(shop.local)
    orders = [shop.local.orders[name] for name in ("payable", "payable_2", "payable_3", "payable_4")]
    first, second, third, fourth = (create(shop.local, order) for order in orders)
    first()
    one = meter.measure(second)
    two = meter.measure(lambda: (third(), fourth()))
    assert two[1:] == (2 * one.statements, 2 * one.commits, 2 * one.requests)
    assert 1.9 < two.calls / one.calls < 2.1


def test_what_watches_requests_does_not_hide_what_sending_costs(
    open_shop: OpenShop, sqlite_url: str, meter_of: Callable[[Local], Meter]
) -> None:
    local = open_shop("sandbox", database_url=sqlite_url).local
    with make_session(timeout=30.0, ca_file=local.store.ca_file, allow_private=True) as session:
        prepared = session.prepare_request(Request("GET", local.store.url))
        session.send(prepared)
        cost = meter_of(local).measure(lambda: session.send(prepared))
    assert cost.requests == 1
    assert cost.calls > 300
