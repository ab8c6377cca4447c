"""Whatever somebody has in hand, its exchanges are over before its lease is, all of them together."""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from requests.adapters import HTTPAdapter
from sqlalchemy import select
from urllib3 import Timeout

from bridge.domain.deadlines import left
from bridge.inbound.provider_inbox import claim_message
from bridge.operations.manual_settlement import Verdict, settle_manually
from bridge.payments import leases
from bridge.simulators.faults import Fault
from bridge.storage.tables import metadata
from tests.plugins.local import Local, MakeLocal

SECRET = "whsec_0123456789abcdef"
LEASED = [table for table in metadata.tables.values() if "busy_until" in table.c]
TIMEOUT = 7.0


class Watch:
    """Looks at every exchange as it begins: how long it may take, how long all that follow may, what is in hand."""

    def __init__(self, local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
        self.local = local
        self.held: Counter[str] = Counter()
        self.longest: dict[str, float] = {}
        send = HTTPAdapter.send

        def look(adapter: HTTPAdapter, request: Any, **how: Any) -> Any:
            if isinstance(how["timeout"], Timeout):  # else it is the test that asks
                self.look(how["timeout"].total)
            return send(adapter, request, **how)

        monkeypatch.setattr(HTTPAdapter, "send", look)

    def look(self, seconds: float) -> None:
        assert 0 < seconds <= TIMEOUT
        now = self.local.clock.now
        for name, until in self._leases(now):
            self.held[name] += 1
            assert left(math.inf) <= until - leases.WRITE_MARGIN_SECONDS - now, (
                f"{name} may be taken up while an exchange goes on"
            )

    def _leases(self, now: float) -> Iterator[tuple[str, float]]:
        with self.local.bridge.services.database.read() as connection:
            for table in LEASED:
                for until in connection.execute(select(table.c.busy_until).where(table.c.busy_until > now)).scalars():
                    yield table.name, until


@pytest.fixture
def watch(make_local: MakeLocal, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Watch:
    local = make_local(
        sqlite_url,
        "stripe_connect",
        capture="manual",
        settings={"webhook_secret": SECRET},
        provider_timeout=TIMEOUT,
    )
    return Watch(local, monkeypatch)


def test_a_request_of_a_caller_and_its_attempt(watch: Watch) -> None:
    local = watch.local
    path = "/wp-json/wc/v3/payments/payment_intents"
    body = {"payment_method": local.payment_method, "customer": local.customer, "order_id": local.orders["payable"]}
    assert local.post(path, body, headers={"Idempotency-Key": "one"}).status_code == 200
    assert watch.held == {"idempotency": 2, "attempts": 1}  # the order is read, then the provider asked


def test_capture_void_and_refund(watch: Watch) -> None:
    local, orders = watch.local, "/wp-json/wc/v3/payments/orders"
    for order in ("payable", "payable_2"):
        intent = local.create(order).get_json()["id"]
        verb = "capture_authorization" if order == "payable" else "cancel_authorization"
        route = f"{orders}/{local.orders[order]}/{verb}"
        assert local.post(route, {"payment_intent_id": intent}).status_code == 200
    before = watch.held["attempts"]
    [paid] = [entry for entry in local.at_stripe("charges", "GET", limit=100)["data"] if entry["captured"]]
    answer = local.post("/wp-json/wc/v3/payments/refund", {"charge_id": paid["id"], "amount": 100})
    assert answer.status_code == 200, answer.get_json()
    assert watch.held["attempts"] == before + 2  # the charge is looked at, then the money is asked back


def test_a_delivery(watch: Watch) -> None:
    watch.local.create()
    watch.local.work()
    assert watch.held["outbox"] >= 2
    assert watch.local.order()["status"] == "on-hold"


def test_a_message(watch: Watch) -> None:
    local = watch.local
    assert local.stripe
    local.create()
    endpoint = local.stripe.add_webhook_endpoint("http://127.0.0.1:9/x", connect=True, secrets=[SECRET])
    message = local.stripe.signed(local.stripe.events[-1]["id"], endpoint.id)
    route = f"/bridge/v1/webhooks/{local.store.id}"
    assert local.app.test_client().post(route, data=message.body, headers=dict(message.headers)).status_code == 200
    work = claim_message(local.bridge.services)
    assert work
    work.run()
    assert watch.held["inbox"] == 1


def test_finding_out_what_became_of_an_attempt(watch: Watch) -> None:
    local = watch.local
    assert local.provider_faults
    local.provider_faults.next(Fault.PROCESSED_500)
    assert local.create().get_json()["data"]["outcome"] == "unknown"
    before = watch.held["attempts"]
    local.clock.advance(60)
    local.work()
    assert watch.held["attempts"] == before + 1
    assert local.order()["status"] == "on-hold"


def test_a_person_who_settles(watch: Watch) -> None:
    local = watch.local
    assert local.provider_faults
    local.provider_faults.next(Fault.PROCESSED_500)
    attempt = local.create().get_json()["data"]["attempt_id"]
    before = watch.held["attempts"]
    [charge] = local.at_stripe("charges", "GET", limit=1)["data"]
    local.clock.advance(60)
    settle_manually(
        local.bridge.services, attempt, Verdict(True, "me", "seen at Stripe", reference=charge["payment_intent"])
    )
    assert watch.held["attempts"] == before + 1


def test_what_has_no_time_left_is_not_sent(watch: Watch) -> None:
    """The row of an attempt was written so slowly that its lease is nearly over: another one may take it up."""
    local = watch.local
    services = local.bridge.services
    with leases.within_lease(services, services.clock() + leases.WRITE_MARGIN_SECONDS - 0.001):
        answer = local.create()
    assert answer.status_code == 500
    assert watch.held == {}
