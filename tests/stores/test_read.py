"""An order is read in one request, with everything a payment needs; what the store gets wrong is told in a sentence."""

import json
import logging
import threading
import traceback
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from bridge.domain.errors import OrderNotFound, StoreError, StoreRefused, StoreUnreachable
from bridge.domain.orders import Address, Line, LineKind, Order, UpdateKind
from bridge.simulators.faults import DRIPS, Fault
from tests.adapters.orders import TIMEOUT

from .conftest import FAILURES, Answering, Shop

SOUND = {"id": 7, "order_key": "wc_order_7", "status": "pending", "currency": "USD", "total": "10.23"}


def test_an_order_comes_with_addresses_lines_and_sums(shop: Shop) -> None:
    order_id = shop.simulator.seed_demo_orders()["shipping_tax_fee_discount"]
    shop.simulator.update_order(order_id, shipping={"first_name": "Ada", "address_1": "1 Engine St", "country": "GB"})

    order = shop.book.read(order_id)

    wire = shop.simulator.order(order_id)
    street = ("123 Random St", "-", "San Francisco", "CA", "94101", "US")
    assert replace(order, lines=()) == Order(
        id=order_id,
        number=str(order_id),
        key=wire["order_key"],
        status="pending",
        currency="USD",
        total=wire["total"],
        needs_payment=True,
        created_via=wire["created_via"],
        customer_id=wire["customer_id"],
        billing=Address("John", "Doe", *street, email="random.email@example.com", phone="5555555555"),
        shipping=Address("Ada", line1="1 Engine St", country="GB"),
        shipping_total=Decimal(wire["shipping_total"]),
        shipping_tax=Decimal(wire["shipping_tax"]),
        needs_shipping=True,
        created=int(datetime.fromisoformat(f"{wire['date_created_gmt']}Z").timestamp()),
    )
    product, fee = wire["line_items"][0], wire["fee_lines"][0]
    assert order.lines[0] == Line(
        kind=LineKind.PRODUCT,
        name=product["name"],
        quantity=Decimal(product["quantity"]),
        subtotal=Decimal(product["subtotal"]),
        total=Decimal(product["total"]),
        tax=Decimal(product["total_tax"]),
        product_id=product["product_id"],
        sku=product["sku"],
        image_url=product["image"]["src"],
    )
    sums = Decimal(fee["total"]), Decimal(fee["total_tax"])
    assert order.lines[-1] == Line(LineKind.FEE, "Loyalty bonus", Decimal(1), sums[0], *sums)


def test_an_order_knows_what_was_sent_back_of_it_whoever_did_that(shop: Shop) -> None:
    order_id = shop.paid_order()
    for amount in ("1.00", "2.50"):
        shop.simulator.refund(order_id, amount)
    assert shop.book.read(order_id).refunded == Decimal("3.50")


@pytest.mark.parametrize(
    ("decimals", "amounts", "refunded", "requests"),
    [
        (0, ["1.25"], "1.25", 2),
        (0, ["1.25", "2.40"], "3.65", 2),
        (0, [], "0", 1),
        (2, ["1.25", "2.40"], "3.65", 1),
        (3, ["1.25"], "1.25", 1),
    ],
)
def test_b3_what_refunds_have_taken_is_exact(
    open_shop: Callable[..., Shop], decimals: int, amounts: list[str], refunded: str, requests: int
) -> None:
    """Recorded: a refund of 1.25 in a store of no decimals shows as 1, and as 1.250000 with `dp=6`."""
    shop = open_shop(price_decimals=decimals)
    order_id = shop.simulator.add_order(total="25")
    for amount in amounts:
        shop.simulator.refund(order_id, amount)
    order = shop.book.read(order_id)
    assert (order.refunded, len(shop.simulator.requests)) == (Decimal(refunded), requests)
    assert Decimal(order.total) == 25


def test_an_order_says_by_whom_and_when_it_was_paid(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23", payment_method="bacs", transaction_id="BANK1")
    shop.simulator.update_order(order_id, status="processing")
    order = shop.book.read(order_id)
    paid = f"{shop.simulator.order(order_id)['date_paid_gmt']}Z"
    assert (order.payment_method, order.transaction_id) == ("bacs", "BANK1")
    assert order.date_paid == int(datetime.fromisoformat(paid).timestamp())
    assert shop.book.read(shop.simulator.add_order(total="10.23")).date_paid is None


def test_a_product_comes_with_its_picture(shop: Shop) -> None:
    (line,) = shop.book.read(shop.simulator.add_order(total="10.23")).lines
    assert line.image_url == f"{shop.store.url}/wp-content/uploads/widget.png"


def test_a_read_is_one_request_for_nothing_but_what_is_needed(shop: Shop) -> None:
    shop.book.read(shop.simulator.add_order(total="10.23"))
    (request,) = shop.simulator.requests
    assert (request.method, request.query) == ("GET", ("_fields", "fresh"))


@pytest.mark.parametrize("honors", [True, False])
def test_b4_a_cache_never_answers_in_the_stores_place(shop: Shop, honors: bool) -> None:
    order_id = shop.simulator.add_order(total="10.23", status="processing")
    shop.simulator.put_cache_in_front(honors_no_cache=honors)

    def seen() -> tuple[Decimal, int, str]:
        detail = shop.deliver(shop.update(UpdateKind.FAILED, order_id), first=False).detail
        return shop.book.read(order_id).refunded, len(shop.book.refunds(order_id)), detail

    assert seen() == (Decimal(0), 0, "the order is processing")
    shop.simulator.refund(order_id, "1.00")
    shop.simulator.update_order(order_id, status="completed")
    assert seen() == (Decimal("1.00"), 1, "the order is completed")
    assert len(shop.ours(order_id)) == 1


def test_b4_every_read_says_no_cache_and_asks_for_what_was_never_asked(answering: Answering) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return as_json(SOUND)

    book = answering(answer)
    for _ in range(3):
        book.read(7)
    assert {request.headers["Cache-Control"] for request in asked} == {"no-cache"}
    assert len({request.args["fresh"] for request in asked}) == 3


@pytest.mark.parametrize(
    ("features", "order", "total"),
    [
        ({}, {"total": "500", "currency": "JPY"}, "500.00"),
        ({"currency": "JPY", "price_decimals": 0}, {"total": "500"}, "500"),
        ({"currency": "KWD", "price_decimals": 3}, {"total": "1.230"}, "1.230"),
        ({}, {"total": "0"}, "0.00"),
    ],
)
def test_a_total_stays_as_the_store_writes_it(
    open_shop: Callable[..., Shop], features: dict[str, Any], order: dict[str, str], total: str
) -> None:
    shop = open_shop(**features)
    read = shop.book.read(shop.simulator.add_order(**order))
    assert (read.total, read.needs_payment) == (total, total != "0.00")


@pytest.mark.parametrize(
    ("known", "decimals", "order", "total", "is_rounded"),
    [
        ("USD", 0, {"total": "27.50"}, "28", False),
        ("USD", 0, {"total": "27.50", "currency": "EUR"}, "28", True),
        ("USD", 0, {"total": "500", "currency": "JPY"}, "500", False),
        ("USD", 2, {"total": "1.236", "currency": "KWD"}, "1.24", True),
        ("USD", 2, {"total": "27.50", "currency": "EUR"}, "27.50", False),
        ("USD", 3, {"total": "1.236", "currency": "KWD"}, "1.236", False),
        ("USD", 2, {"total": "1.236", "currency": "KWD", "decimals": 3}, "1.236", False),
        ("", 0, {"total": "27.50"}, "28", True),
        ("", 2, {"total": "27.50"}, "27.50", False),
    ],
)
def test_b1_a_total_is_rounded_where_the_store_has_fewer_decimals_than_a_currency_that_is_not_its_own(
    open_shop: Callable[..., Shop], known: str, decimals: int, order: dict[str, Any], total: str, is_rounded: bool
) -> None:
    shop = open_shop(price_decimals=decimals)
    read = shop.connect(replace(shop.store, currency=known)).read(shop.simulator.add_order(**order))
    assert (read.total, read.total_is_rounded) == (total, is_rounded)


def test_b1_the_store_says_what_its_own_currency_is(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(currency="KWD", price_decimals=3)
    assert shop.book.currency() == "KWD"
    shop.simulator.set_currency("kuwaiti")
    with pytest.raises(StoreRefused, match="does not say what its currency is"):
        shop.book.currency()


def test_an_order_in_the_bin_says_so(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.simulator.trash(order_id)
    assert shop.book.read(order_id).status == "trash"


@pytest.mark.parametrize("order_id", [999_999, 10**19, 2**63, 0, -1])
def test_an_order_that_is_not_there_is_not_found(shop: Shop, order_id: int) -> None:
    with pytest.raises(OrderNotFound, match=r"^Order not found$"):
        shop.book.read(order_id)


UNKNOWN = "The store does not know the bridge's key, or its web server does not pass the Authorization header on."


@pytest.mark.parametrize(
    ("key", "secret", "sentence"),
    [
        ("ck_unknown", None, UNKNOWN),
        ("ключ", "тайна", UNKNOWN),
        (
            None,
            "cs_wrong",
            "The store refuses the bridge's key: its secret is wrong, or it lacks the permission to read.",
        ),
    ],
)
def test_wrong_credentials_are_refused_in_words_for_the_merchant(
    shop: Shop, key: str | None, secret: str | None, sentence: str
) -> None:
    changed = replace(
        shop.store, consumer_key=key or shop.store.consumer_key, consumer_secret=secret or shop.store.consumer_secret
    )
    with pytest.raises(StoreRefused) as refused:
        shop.connect(changed).read(shop.simulator.add_order(total="10.23"))
    assert (str(refused.value), refused.value.status) == (sentence, 401)


def test_a_key_that_may_only_write_is_refused(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(permissions="write")
    with pytest.raises(StoreRefused, match="lacks the permission to read"):
        shop.book.read(shop.simulator.add_order(total="10.23"))


def test_a_key_of_a_user_without_capabilities_is_refused(shop: Shop) -> None:
    key, secret = shop.simulator.add_key(manager=False)
    book = shop.connect(replace(shop.store, consumer_key=key, consumer_secret=secret))
    with pytest.raises(StoreRefused, match="The user to whom the bridge's key belongs may not do this"):
        book.read(shop.simulator.add_order(total="10.23"))


@pytest.mark.parametrize(
    "fault",
    [Fault.REFUSED, Fault.DROPPED, Fault.CUT, Fault.ERROR_500, Fault.ERROR_503, Fault.RATE_LIMITED, Fault.HTML],
)
def test_an_outage_is_told_as_one(shop: Shop, fault: Fault) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.faults.next(fault)
    with pytest.raises(StoreUnreachable):
        shop.book.read(order_id)
    assert shop.book.read(order_id).id == order_id


@pytest.mark.parametrize("fault", [Fault.STALLED_AFTER, *DRIPS])
def test_a_store_that_stays_silent_or_drips_is_given_up(shop: Shop, fault: Fault) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    done = threading.Event()
    shop.faults.next(fault, until=done)
    try:
        with pytest.raises(StoreUnreachable, match="The store did not answer in time"):
            shop.connect(timeout=TIMEOUT).read(order_id)
    finally:
        done.set()


def test_a_port_where_nobody_listens_is_an_outage(shop: Shop) -> None:
    with pytest.raises(StoreUnreachable, match=r"^The store could not be reached\.$"):
        shop.connect(replace(shop.store, url="https://127.0.0.1:1")).read(1)


def test_a_certificate_of_an_unknown_authority_is_refused(shop: Shop) -> None:
    book = shop.connect(ca_file=None)
    with pytest.raises(StoreUnreachable, match="TLS certificate could not be verified"):
        book.read(shop.simulator.add_order(total="10.23"))
    assert shop.simulator.requests == ()


def test_an_address_that_the_session_refuses_is_told_in_its_words(shop: Shop) -> None:
    with pytest.raises(StoreUnreachable, match=r"could not be reached\. .* has a private or local address"):
        shop.connect(allow_private=False).read(1)
    assert shop.simulator.requests == ()


def test_no_error_and_no_log_repeats_the_key(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    order_id = shop.simulator.add_order(total="10.23")
    told = [repr(vars(shop.book))]
    for fault in FAILURES:
        shop.faults.next(fault)
        with pytest.raises(StoreError) as error:
            shop.book.read(order_id)
        told += traceback.format_exception(error.value)
    told.append(caplog.text)
    basic = b64encode(f"{shop.store.consumer_key}:{shop.store.consumer_secret}".encode()).decode()
    for secret in (shop.store.consumer_key, shop.store.consumer_secret, basic):
        assert secret not in "".join(told)
    assert "/wp-json/wc/v3/orders/" in caplog.text


def test_the_key_goes_nowhere_but_to_a_complete_https_address(shop: Shop) -> None:
    for url in (shop.store.url.replace("https", "http"), "ftp://shop.example", "shop.example", "https://", "https://["):
        with pytest.raises(StoreRefused, match="begin with https://"):
            shop.connect(replace(shop.store, url=url)).read(1)
    assert shop.simulator.requests == ()


@pytest.mark.parametrize(
    "url", ["https://ck_1:cs_1@shop.example", "https://shop.example?key=cs_1", "https://a.b/#cs_1"]
)
def test_an_address_with_something_secret_in_it_is_refused_without_repeating_it(shop: Shop, url: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        shop.connect(replace(shop.store, url=url)).read(1)
    assert "cs_1" not in repr(refused.value)


def as_json(value: Any, status: int = 200) -> Response:
    return Response(value if isinstance(value, str) else json.dumps(value), status, content_type="application/json")


def test_a_redirect_is_refused_and_the_key_does_not_follow_it(answering: Answering) -> None:
    seen = []

    def redirect(request: Request) -> Response:
        seen.append(request.path)
        return Response(status=302, headers={"Location": "/elsewhere"})

    with pytest.raises(StoreRefused, match=r"redirects to another address \(HTTP 302\)"):
        answering(redirect).read(7)
    assert seen == ["/wp-json/wc/v3/orders/7"]


@pytest.mark.parametrize(
    ("status", "kind", "body", "error", "sentence"),
    [
        (503, "text/html", "<h1>Maintenance</h1>", StoreUnreachable, "busy, broken or under maintenance (HTTP 503)"),
        (200, "text/html; charset=UTF-8", "<h1>Back soon</h1>", StoreUnreachable, "answers with a web page"),
        (403, "text/html", "<h1>Blocked</h1>", StoreRefused, "Something in front of the store blocks the bridge"),
        (404, "text/html", "<h1>Not found</h1>", StoreRefused, "There is no WooCommerce REST API (wc/v3)"),
        (404, "application/json", '{"code":"rest_no_route"}', StoreRefused, "There is no WooCommerce REST API (wc/v3)"),
        (410, "application/json", '{"code":"gone"}', StoreRefused, "The store refused the request (HTTP 410, gone)"),
        (
            418,
            "application/json",
            '{"code":"teapot"}',
            StoreRefused,
            "The store refused the request (HTTP 418, teapot).",
        ),
        (418, "application/json", '{"code":"<b>"}', StoreRefused, "The store refused the request (HTTP 418)."),
        (200, "application/json", "<b>Notice</b>: x\n{}", StoreRefused, "not valid JSON"),
        (200, "application/json", '{"id":7,"total":NaN}', StoreRefused, "not valid JSON"),
        (200, "application/json", "[" * 100_000, StoreRefused, "not valid JSON"),
        (200, "application/json", "", StoreRefused, "not valid JSON"),
        (200, "application/json", "7", StoreRefused, "makes no sense"),
        (200, "application/json", "[7]", StoreRefused, "makes no sense"),
        (200, "application/json", "null", StoreRefused, "makes no sense"),
    ],
)
def test_an_answer_that_is_no_order_is_told_in_a_sentence(
    answering: Answering, status: int, kind: str, body: str, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error) as told:
        answering(lambda request: Response(body, status, content_type=kind)).read(7)
    assert sentence in str(told.value)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        *(({name: None}, name) for name in SOUND),
        ({"total": "ten"}, "total"),
        ({"total": "1e3"}, "total"),
        ({"total": "Infinity"}, "total"),
        ({"total": ""}, "total"),
        ({"total": True}, "total"),
        ({"total": ["10.23"]}, "total"),
        ({"id": 7.5}, "id"),
        ({"id": "7" * 5000}, "id"),
        ({"status": ""}, "status"),
        ({"date_paid_gmt": "yesterday"}, "date_paid_gmt"),
        ({"date_paid_gmt": 5}, "date_paid_gmt"),
        ({"refunds": [{"id": 1}]}, "refunds"),
        ({"refunds": {"0": "x"}}, "refunds"),
        ({"refunds": "some"}, "refunds"),
        ({"refunds": {"a": {"total": "-1.00"}}}, "refunds"),
        ({"transaction_id": ["t1"]}, "transaction_id"),
        ({"needs_payment": ["yes"]}, "needs_payment"),
    ],
)
def test_an_order_with_something_wrong_is_refused_by_name(
    answering: Answering, change: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(StoreRefused) as refused:
        answering(lambda request: as_json(SOUND | change)).read(7)
    assert str(refused.value) == f"The store's answer makes no sense (wrong: {wrong})."


STRANGE = (None, "", "x", "0x1F", "NaN", "-1", -1, True, 1.5, 0.30000000000000004, 10**30, "9" * 5000)
STRANGE_SHAPES = ([], [1], {}, {"a": 1}, {"0": {"a": []}})


@pytest.mark.parametrize(
    "name",
    [
        *("number", "created_via", "customer_id", "needs_processing", "prices_include_tax", "date_created_gmt"),
        *("billing", "shipping", "line_items", "fee_lines", "shipping_lines", "shipping_total", "shipping_tax"),
        *("meta_data", "billing.email", "shipping.country", "meta_data.key", "shipping_lines.method_id"),
        *(f"fee_lines.{name}" for name in ("name", "total", "total_tax")),
        *(f"line_items.{name}" for name in ("name", "quantity", "subtotal", "total", "total_tax", "product_id")),
        *(f"line_items.{name}" for name in ("variation_id", "sku", "image", "tax_class", "price")),
    ],
)
def test_b6_information_never_makes_an_order_unpayable(answering: Answering, name: str) -> None:
    whole, _, part = name.partition(".")
    told: list[Any] = []
    book = answering(lambda request: as_json(SOUND | {whole: told[-1]}))
    for value in (*STRANGE, *STRANGE_SHAPES):
        inner = {part: value} if whole in ("billing", "shipping") else [{part: value}]
        told.append(inner if part else value)
        order = book.read(7)
        assert (order.total, order.currency, order.needs_payment) == ("10.23", "USD", True), value
        for line in order.lines:
            sums = line.quantity, line.subtotal, line.total, line.tax
            assert all(abs(sum_) < 10**12 for sum_ in sums), value


def test_b6_a_quantity_of_a_float_is_that_quantity(answering: Answering) -> None:
    lines = '[{"name":"Rope","quantity":0.30000000000000004,"subtotal":"3","total":"3"}]'
    body = json.dumps(SOUND)[:-1] + f', "line_items": {lines}}}'
    assert answering(lambda request: as_json(body)).read(7).lines[0].quantity == Decimal("0.3")


@pytest.mark.parametrize("shape", ["holes", "object"])
def test_b7_lists_that_a_plugin_has_made_objects_are_read_in_their_order(shop: Shop, shape: str) -> None:
    order_id = shop.simulator.seed_demo_orders()["shipping_tax_fee_discount"]
    shop.simulator.update_order(order_id, meta={"a": "1", "b": "2", "c": "3"})
    shop.simulator.refund(order_id, "1.00", meta={"_wcpay_refund_id": "re_1"})
    shop.simulator.refund(order_id, "2.00")
    url = f"{shop.store.url}/hook"
    expected = shop.book.read(order_id), shop.book.refunds(order_id)
    shop.book.register_webhooks(url, "s")
    shop.simulator.shape_lists(shape)
    assert (shop.book.read(order_id), shop.book.refunds(order_id)) == expected
    assert [row.refund_id for row in expected[1]] == ["re_1", ""]
    assert [line.split(": ")[1] for line in shop.book.register_webhooks(url, "s")] == [
        f"updated webhook {number}" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("shape", ["holes", "object"])
def test_b7_a_note_is_found_again_in_such_a_list(shop: Shop, shape: str) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    shop.simulator.shape_lists(shape)
    update = shop.update(UpdateKind.NOTE, order_id, note="Hello.")
    for first in (True, False, False):
        shop.deliver(update, first=first)
    assert shop.ours(order_id) == ["Hello."]


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({}, {}),
        ({"0": {"key": "a", "value": 1}, "2": {"key": "b", "value": 2}}, {"a": 1, "b": 2}),
        ({"5": {"key": "a", "value": 1}}, {"a": 1}),
        ([{"key": "a", "value": 1}, "b", None], {"a": 1}),
        (False, {}),
    ],
)
def test_b7_meta_comes_in_every_form_of_php(answering: Answering, meta: Any, expected: dict[str, Any]) -> None:
    assert answering(lambda request: as_json(SOUND | {"meta_data": meta})).read(7).meta == expected


@pytest.mark.parametrize("date", [None, "", False, "0000-00-00T00:00:00"])
def test_an_order_without_a_date_of_payment_is_not_paid(answering: Answering, date: Any) -> None:
    assert answering(lambda request: as_json(SOUND | {"date_paid_gmt": date})).read(7).date_paid is None


def test_an_order_with_another_id_is_refused(answering: Answering) -> None:
    with pytest.raises(StoreRefused, match="another order"):
        answering(lambda request: as_json(SOUND | {"id": 8})).read(7)


def test_the_loose_ends_of_php_are_taken_as_nothing(answering: Answering) -> None:
    line = {
        "name": None,
        "quantity": 1.5,
        "subtotal": "",
        "total": "3.00",
        "total_tax": False,
        "image": False,
        "sku": 12,
    }
    loose = {
        "billing": [],
        "shipping": False,
        "created_via": None,
        "customer_id": "3",
        "line_items": [line],
        "extra": [{}],
    }
    order = answering(lambda request: as_json(SOUND | loose)).read(7)
    assert order == Order(
        id=7,
        number="7",
        key="wc_order_7",
        status="pending",
        currency="USD",
        total="10.23",
        needs_payment=True,
        customer_id=3,
        lines=(Line(LineKind.PRODUCT, "", Decimal("1.5"), Decimal(0), Decimal("3.00"), Decimal(0), sku="12"),),
        needs_shipping=False,
    )


@pytest.mark.parametrize(
    ("told", "needs"),
    [
        ({}, False),
        ({"shipping_lines": [{"method_id": "free_shipping"}]}, True),
        ({"shipping_lines": [{"method_id": "local_pickup"}], "needs_processing": True}, True),
        ({"shipping_total": "4.90"}, True),
        ({"shipping": {"address_1": "1 Engine St"}}, True),
        ({"shipping": {"postcode": "94101"}}, True),
        ({"shipping": {"address_1": "1 Engine St"}, "needs_processing": False}, False),
    ],
    ids=str,
)
def test_23_an_order_says_whether_somebody_has_to_carry_something(
    answering: Answering, told: dict[str, Any], needs: bool
) -> None:
    assert answering(lambda request: as_json(SOUND | told)).read(7).needs_shipping is needs


def test_16_an_order_comes_with_its_own_meta(answering: Answering) -> None:
    rows = [{"id": 1, "key": "_forte_wallet_address", "value": "0xA"}, {"key": "list", "value": [1]}, {"value": None}]
    meta = answering(lambda request: as_json(SOUND | {"meta_data": rows})).read(7).meta
    assert (meta["_forte_wallet_address"], meta["list"]) == ("0xA", [1])


def test_a_total_that_is_a_number_never_becomes_a_float(answering: Answering) -> None:
    body = json.dumps(SOUND).replace('"10.23"', "123456789012345.67")
    assert answering(lambda request: as_json(body)).read(7).total == "123456789012345.67"


def test_text_that_no_database_takes_is_made_harmless(answering: Answering) -> None:
    body = json.dumps(SOUND | {"number": "x", "currency": "usd"}).replace('"x"', '"A\\u0000\\ud800-7"')
    order = answering(lambda request: as_json(body)).read(7)
    assert (order.number, order.currency) == ("A?-7", "USD")


def test_an_old_store_that_does_not_say_whether_an_order_needs_payment_is_understood(answering: Answering) -> None:
    for change, needs in (({}, True), ({"total": "0.00"}, False), ({"status": "cancelled"}, False)):
        book = answering(lambda request, change=change: as_json(SOUND | change))
        assert book.read(7).needs_payment is needs


def test_a_thousand_lines_are_read(answering: Answering) -> None:
    line = {"name": "x" * 200, "quantity": 1, "subtotal": "1.00", "total": "1.00", "meta_data": [{"key": "k" * 200}]}
    order = answering(lambda request: as_json(SOUND | {"line_items": [line] * 1000})).read(7)
    assert len(order.lines) == 1000


def test_an_endless_answer_is_given_up(answering: Answering) -> None:
    with pytest.raises(StoreError):
        answering(lambda request: as_json(" " * 6_000_000 + json.dumps(SOUND))).read(7)
