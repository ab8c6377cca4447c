"""The store tells the bridge about its orders: subscriptions made once, deliveries proven by their signature."""

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from werkzeug.wrappers import Request, Response

from bridge.domain.errors import EventRefused, StoreRefused, StoreUnreachable
from bridge.domain.orders import StoreEvent
from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault
from bridge.stores.woocommerce.webhooks import is_ping, read_event, sign

from .conftest import Shop

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SECRET = "old-and-secret"
TOPICS = ["order.updated", "order.deleted", "order.restored"]


@dataclass
class Receiver:
    """An https endpoint that keeps what it is sent."""

    url: str = ""
    letters: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.letters.append((headers, request.get_data()))
        return Response()(environ, start_response)

    def events(self, *secrets: str) -> list[StoreEvent | None]:
        """What came since the last look, pings left out."""
        letters, self.letters = self.letters, []
        return [read_event(headers, body, secrets) for headers, body in letters if not is_ping(body)]


@pytest.fixture
def receiver(serve_tls: Callable[..., str]) -> Receiver:
    receiver = Receiver()
    receiver.url = f"{serve_tls(receiver)}/bridge/v1/webhooks/shop"
    return receiver


@pytest.fixture
def shop(open_shop: Callable[..., Shop], certificates: Certificates) -> Shop:
    return open_shop(delivery_tls=ssl.create_default_context(cafile=certificates.ca_file))


def message(body: bytes, secret: str = SECRET, topic: str = "order.updated") -> tuple[dict[str, str], bytes]:
    signature = sign(body, secret).decode()
    return {"x-wc-webhook-signature": signature, "x-wc-webhook-topic": topic, "x-wc-webhook-delivery-id": "d1"}, body


def test_a_store_tells_what_happens_to_its_orders(shop: Shop, receiver: Receiver) -> None:
    shop.book.register_webhooks(receiver.url, SECRET)
    order_id = shop.simulator.add_order(total="10.23")
    shop.simulator.deliver_due()
    shop.simulator.trash(order_id)
    shop.simulator.deliver_due()
    shop.simulator.restore(order_id)
    shop.simulator.deliver_due()
    shop.simulator.refund(order_id, "1.00")
    shop.simulator.deliver_due()

    events = receiver.events("new-and-secret", SECRET)

    assert [event and (event.topic, event.order_id) for event in events] == [
        ("order.updated", order_id),
        ("order.deleted", order_id),
        ("order.restored", order_id),
        ("order.updated", order_id),
    ]
    assert len({event.delivery_id for event in events if event}) == 4


def test_a_new_webhook_greets_without_a_signature(shop: Shop, receiver: Receiver) -> None:
    shop.book.register_webhooks(receiver.url, SECRET)
    shop.simulator.deliver_due()
    assert [body for _, body in receiver.letters] == [b"webhook_id=1", b"webhook_id=2", b"webhook_id=3"]
    assert all(is_ping(body) for _, body in receiver.letters)
    with pytest.raises(EventRefused):
        read_event(*receiver.letters[0], [SECRET])


@pytest.mark.parametrize("body", [b"", b"webhook_id=", b"webhook_id=1&x=1", b'{"id":1}', b"webhook_id=1\nx", b"1"])
def test_nothing_else_is_a_greeting(body: bytes) -> None:
    assert not is_ping(body)


def test_an_order_that_is_gone_when_it_is_told_of_is_no_event(shop: Shop, receiver: Receiver) -> None:
    shop.book.register_webhooks(receiver.url, SECRET)
    order_id = shop.simulator.add_order(total="10.23")
    shop.simulator.delete(order_id)
    shop.simulator.deliver_due()
    assert receiver.events(SECRET) == [None]


def test_a_body_of_which_a_bit_was_changed_is_refused() -> None:
    headers, body = message(b'{"id":7}')
    assert read_event(headers, body, [SECRET]) == StoreEvent("order.updated", 7, "d1")
    for index in range(len(body) * 8):
        changed = bytearray(body)
        changed[index // 8] ^= 1 << index % 8
        with pytest.raises(EventRefused, match="signature is missing or wrong"):
            read_event(headers, bytes(changed), [SECRET])


@pytest.mark.parametrize("signature", [None, "", "x", "ÄÖ", sign(b'{"id":7}', SECRET).decode().lower()])
def test_a_signature_that_is_missing_or_wrong_is_refused(signature: str | None) -> None:
    headers, body = message(b'{"id":7}')
    changed = {**headers, "x-wc-webhook-signature": signature or ""}
    if signature is None:
        del changed["x-wc-webhook-signature"]
    with pytest.raises(EventRefused):
        read_event(changed, body, [SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["another"], ["", "another"]])
def test_only_the_stores_secrets_prove_a_delivery(secrets: list[str]) -> None:
    for signed_with in (SECRET, ""):
        with pytest.raises(EventRefused):
            read_event(*message(b'{"id":7}', signed_with), secrets)


def test_a_delivery_id_that_is_too_long_is_cut() -> None:
    headers, body = message(b'{"id":7}')
    event = read_event({**headers, "x-wc-webhook-delivery-id": "d" * 1000}, body, [SECRET])
    assert event == StoreEvent("order.updated", 7, "d" * 100)


def test_any_of_several_secrets_proves_a_delivery() -> None:
    for secret in ("new", SECRET):
        assert read_event(*message(b'{"id":7}', secret), ["new", SECRET]) is not None


@pytest.mark.parametrize("topic", ["", "order.created", "product.updated", "action.woocommerce_update_order"])
def test_another_topic_is_proven_and_no_event(topic: str) -> None:
    assert read_event(*message(b'{"id":7}', topic=topic), [SECRET]) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b'"x"', b'{"id":true}', b'{"id":[]}', b"\xff", b"[1]"])
def test_a_signed_body_that_makes_no_sense_is_refused(body: bytes) -> None:
    with pytest.raises(EventRefused, match="makes no sense"):
        read_event(*message(body), [SECRET])


@pytest.mark.parametrize("order_id", ["7", "-7", '"7"', "0", "null"])
def test_an_order_has_a_positive_id(order_id: str) -> None:
    event = read_event(*message(b'{"id":%s}' % order_id.encode()), [SECRET])
    assert (event and event.order_id) == (7 if order_id.strip('"') == "7" else None)


def test_registering_makes_one_active_webhook_per_topic(shop: Shop) -> None:
    told = shop.book.register_webhooks("https://bridge.example/hook", SECRET)
    assert told == [f"{topic}: created webhook {number}" for number, topic in enumerate(TOPICS, 1)]
    assert [(each["topic"], each["status"], each["delivery_url"]) for each in shop.simulator.webhooks()] == [
        (topic, "active", "https://bridge.example/hook") for topic in TOPICS
    ]


def test_registering_again_updates_what_is_there(shop: Shop, receiver: Receiver) -> None:
    shop.book.register_webhooks(receiver.url, SECRET)
    shop.asked()
    assert shop.book.register_webhooks(receiver.url, "new") == [
        f"{topic}: updated webhook {number}" for number, topic in enumerate(TOPICS, 1)
    ]
    assert shop.asked() == ["GET webhooks", "PUT webhooks", "PUT webhooks", "PUT webhooks"]
    shop.simulator.add_order(total="10.23")
    shop.simulator.deliver_due()
    [event] = receiver.events("new")
    assert event is not None


def test_a_webhook_that_the_store_disabled_is_active_again(shop: Shop, receiver: Receiver) -> None:
    shop.book.register_webhooks("https://127.0.0.1:1/", SECRET)
    order_id = shop.simulator.add_order(total="10.23")
    for _ in range(7):
        shop.simulator.update_order(order_id, customer_note="again")
        shop.simulator.deliver_due()
    assert shop.simulator.webhooks()[0]["status"] == "disabled"
    shop.book.register_webhooks("https://127.0.0.1:1/", SECRET)
    assert shop.simulator.webhooks()[0]["status"] == "active"


@pytest.mark.parametrize("failed", [1, 2, 3])
def test_a_registration_whose_answer_is_lost_is_finished_by_the_next(shop: Shop, failed: int) -> None:
    calls = []

    def is_unlucky(request: Request) -> bool:
        if request.method == "POST":
            calls.append(request)
        return len(calls) == failed

    shop.faults.next(Fault.DROPPED, match=is_unlucky)
    with pytest.raises(StoreUnreachable):
        shop.book.register_webhooks("https://bridge.example/hook", SECRET)
    assert len(shop.book.register_webhooks("https://bridge.example/hook", SECRET)) == 3
    assert [each["topic"] for each in shop.simulator.webhooks()] == TOPICS


def test_a_second_webhook_of_the_same_kind_is_deleted_and_others_are_left_alone(shop: Shop) -> None:
    url = "https://bridge.example/hook"
    for delivery_url in (url, url, "https://elsewhere.example/"):
        shop.simulator.add_webhook("order.updated", delivery_url)
    assert shop.book.register_webhooks(url, SECRET)[0] == "order.updated: updated webhook 1, deleted 2"
    assert [each["id"] for each in shop.simulator.webhooks()] == [1, 3, 4, 5]


def test_a_hundred_webhooks_of_others_do_not_hide_ours(shop: Shop) -> None:
    shop.book.register_webhooks("https://bridge.example/hook", SECRET)
    for number in range(150):
        shop.simulator.add_webhook("order.updated", f"https://other.example/{number}")
    assert "updated webhook 1" in shop.book.register_webhooks("https://bridge.example/hook", SECRET)[0]


def test_a_key_that_may_only_read_cannot_register(open_shop: Callable[..., Shop]) -> None:
    with pytest.raises(StoreRefused, match="lacks the permission to write"):
        open_shop(permissions="read").book.register_webhooks("https://bridge.example/hook", SECRET)
