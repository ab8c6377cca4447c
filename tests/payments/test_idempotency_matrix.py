"""Every route that heeds a key, against everything that can be wrong about it: another body, route or store, a day
later, and keys that are none. Never somebody else's answer, never a fault of ours."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bridge.domain.stores import Permissions
from bridge.registry import keys, stores
from tests.payments.orders import PAYMENTS, at, authorized, presented
from tests.plugins.local import INTENTS, Local, MakeLocal

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
DAY = 24 * 3600.0
NO_KEYS = ("", " ", '""', '"', '"open', "x" * 256, '"' + "x" * 256 + '"', "two words", "a,b", "é", '"é"', "\x7f")


@dataclass(frozen=True)
class Wish:
    """A request that succeeds, and what makes another one of it."""

    path: str
    body: dict[str, Any]
    change: dict[str, Any]


def create(local: Local) -> Wish:
    body = {"order_id": local.orders["payable"], "customer": local.customer, "payment_method": "pm_card_visa"}
    return Wish(INTENTS, body, {"payment_method": "pm_card_mastercard"})


def capture(local: Local) -> Wish:
    return of_order(local, "capture_authorization", "payable_2", {"payment_intent_id": authorized(local, "payable_2")})


def cancel(local: Local) -> Wish:
    return of_order(local, "cancel_authorization", "payable_3", {"payment_intent_id": authorized(local, "payable_3")})


def refund(local: Local) -> Wish:
    at(local, "capture_authorization", "payable_4", authorized(local, "payable_4"))
    return Wish(f"{PAYMENTS}/refund", {"order_id": local.orders["payable_4"], "amount": 100}, {"amount": 200})


def customer(local: Local) -> Wish:
    return of_order(local, "create_customer", "payable_5", {})


def terminal_intent(local: Local) -> Wish:
    return of_order(local, "create_terminal_intent", "payable_6", {"payment_methods": ["card_present"]})


def terminal_capture(local: Local) -> Wish:
    intent = presented(local, "payable_7")
    return of_order(local, "capture_terminal_payment", "payable_7", {"payment_intent_id": intent})


def of_order(local: Local, route: str, order: str, body: dict[str, Any]) -> Wish:
    return Wish(f"{PAYMENTS}/orders/{local.orders[order]}/{route}", body, {"more": 1})


ROUTES: dict[str, Callable[[Local], Wish]] = {
    route.__name__: route for route in (create, capture, cancel, refund, customer, terminal_intent, terminal_capture)
}


@pytest.fixture
def local(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect", capture="manual")


def ask(local: Local, wish: Wish, key: str = KEY, **changes: Any) -> TestResponse:
    answer = local.post(wish.path, wish.body | changes, headers={"Idempotency-Key": key})
    body = answer.get_json()
    assert body.get("code") != "internal_server_error"
    return answer


def is_replay(answer: TestResponse) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_the_matrix_has_every_route_that_heeds_a_key(local: Local) -> None:
    document = local.get("/bridge/v1/openapi.json").get_json()
    heeding = {
        path
        for path, operations in document["paths"].items()
        for parameter in operations.get("post", {}).get("parameters", ())
        if parameter.get("name") == "Idempotency-Key" or parameter.get("$ref", "").endswith("Key")
    }
    assert len(heeding) == len(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_the_same_request_is_replayed_and_another_body_refused(local: Local, name: str) -> None:
    wish = ROUTES[name](local)
    first = ask(local, wish)
    assert (first.status_code, is_replay(first)) == (200, False)
    for key in (KEY, f'"{KEY}"'):
        again = ask(local, wish, key)
        assert (is_replay(again), again.get_data()) == (True, first.get_data())
    assert refusal(ask(local, wish, **wish.change)) == (422, "wcpay_idempotency_key_reused")
    assert is_replay(ask(local, wish))


def test_on_every_other_route_the_same_key_is_another_one(local: Local) -> None:
    wishes = [make(local) for make in ROUTES.values()]
    firsts = [ask(local, wish) for wish in wishes]
    assert [(answer.status_code, is_replay(answer)) for answer in firsts] == [(200, False)] * len(ROUTES)
    for wish, first in zip(wishes, firsts, strict=True):
        again = ask(local, wish)
        assert (is_replay(again), again.get_data()) == (True, first.get_data())


@pytest.mark.parametrize("name", ROUTES)
def test_another_store_gets_an_answer_of_its_own(local: Local, name: str) -> None:
    wish = ROUTES[name](local)
    first = ask(local, wish)
    services = local.bridge.services
    other = stores.add(services, replace(local.store, id="", url=f"{local.store.url}/other"), ())
    local.pair = keys.create(services, other.id, Permissions.READ_WRITE)
    foreign = ask(local, wish)
    assert not is_replay(foreign)
    assert foreign.get_data() != first.get_data()


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_no_key_is_refused_before_anything_happens(local: Local, name: str) -> None:
    assert local.stripe
    wish = ROUTES[name](local)
    before = len(local.stripe.requests), len(local.shop.requests)
    for key in NO_KEYS:
        assert refusal(ask(local, wish, key)) == (400, "wcpay_idempotency_key_invalid"), ascii(key)
    assert (len(local.stripe.requests), len(local.shop.requests)) == before
    assert ask(local, wish, "x" * 255).status_code == 200


@pytest.mark.parametrize("name", ROUTES)
def test_a_day_later_the_key_is_as_good_as_new(local: Local, name: str) -> None:
    wish = ROUTES[name](local)
    ask(local, wish)
    local.clock.advance(DAY - 1)
    assert is_replay(ask(local, wish))
    local.clock.advance(1)
    later = ask(local, wish, **wish.change)
    assert later.status_code != 422
    assert not is_replay(later)
