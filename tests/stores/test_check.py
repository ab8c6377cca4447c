"""`stores check` and the identity: what is right and wrong with a store, in plain sentences, changing nothing."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from bridge.domain.errors import StoreRefused, StoreUnreachable
from bridge.domain.ports import Finding
from bridge.domain.stores import Store
from bridge.simulators.faults import Fault
from bridge.stores.woocommerce.order_book import WooCommerceOrderBook, normalised

from .conftest import FAILURES, WOOPAYMENTS, Answering, Shop


def wrong(findings: list[Finding]) -> list[str]:
    return [finding.text for finding in findings if not finding.ok]


def test_a_store_that_is_set_up_right_has_nothing_wrong_and_is_not_changed(shop: Shop) -> None:
    order_id = shop.simulator.add_order(total="10.23")
    before = shop.simulator.order(order_id)
    assert shop.book.check() == [
        Finding(True, f"The store answers over verified TLS, and says that it is {shop.store.url}."),
        Finding(True, "The key may read orders."),
        Finding(True, "The key may change orders."),
        Finding(True, "Prices have 2 decimals, and USD has 2."),
        Finding(True, "Orders will show the payment method wcpay_bridge."),
    ]
    assert shop.simulator.order(order_id) == before
    assert [request.status for request in shop.simulator.requests] == [200, 200, 400, 200, 200, 200]


@pytest.mark.parametrize("honors", [True, False])
def test_b4_a_cache_in_front_of_the_store_is_told(shop: Shop, honors: bool) -> None:
    shop.simulator.put_cache_in_front(honors_no_cache=honors)
    for _ in range(2):
        (sentence,) = wrong(shop.book.check())
        assert sentence.startswith("A cache in front of the store keeps answers about orders (Age: ")
        assert "The bridge reads past it" in sentence


def test_b4_a_cache_that_nothing_gets_past_is_told(answering: Answering) -> None:
    def answer(request: Request) -> Response:
        body = {"home": "https://shop.example", "namespaces": ["wc/v3"]} if request.path == "/wp-json/" else []
        return Response(json.dumps(body), content_type="application/json", headers={"Age": "61"})

    assert "answers in its place, whatever is asked (Age: 61)" in "\n".join(wrong(answering(answer).check()))


def test_a_store_that_cannot_be_reached_is_one_finding(shop: Shop) -> None:
    findings = shop.connect(replace(shop.store, url="https://127.0.0.1:1")).check()
    assert findings == [Finding(False, "The store could not be reached.")]


def test_an_unknown_authority_is_one_finding(shop: Shop) -> None:
    assert wrong(shop.connect(ca_file=None).check()) == ["The store's TLS certificate could not be verified."]


def test_a_copy_of_the_store_is_noticed(shop: Shop) -> None:
    (sentence,) = wrong(shop.connect(replace(shop.store, identity="https://shop.example")).check())
    assert sentence.startswith("It was added as https://shop.example. If this is a copy of that store")


def test_a_key_that_may_only_read_cannot_change_orders(open_shop: Callable[..., Shop]) -> None:
    (sentence,) = wrong(open_shop(permissions="read").book.check())
    assert sentence.startswith("Orders cannot be changed. The store refuses the bridge's key")


def test_a_key_that_may_only_write_cannot_read_orders(open_shop: Callable[..., Shop]) -> None:
    (sentence,) = wrong(open_shop(permissions="write").book.check())
    assert sentence.startswith("Orders cannot be read. The store refuses the bridge's key")


def test_an_unknown_key_can_do_neither(shop: Shop) -> None:
    sentences = wrong(shop.connect(replace(shop.store, consumer_key="ck_unknown")).check())
    assert [sentence.partition(".")[0] for sentence in sentences] == [
        "Orders cannot be read",
        "Orders cannot be changed",
    ]


@pytest.mark.parametrize(
    ("currency", "decimals", "rounding", "sentences"),
    [
        ("USD", 0, "exact", []),
        ("USD", 3, "exact", ["Prices have 3 decimals, and USD has 2: totals may not be payable exactly"]),
        ("JPY", 2, "exact", ["Prices have 2 decimals, and JPY has 0: totals may not be payable exactly"]),
        ("JPY", 2, "half_up", []),
        ("KWD", 2, "half_up", []),
        ("KWD", 3, "exact", []),
    ],
)
def test_decimals_that_do_not_fit_the_currency_are_told(
    open_shop: Callable[..., Shop], currency: str, decimals: int, rounding: str, sentences: list[str]
) -> None:
    shop = open_shop({"rounding": rounding}, currency=currency, price_decimals=decimals)
    assert [sentence.partition(".")[0] for sentence in wrong(shop.book.check())] == sentences


@pytest.mark.parametrize(
    ("rounding", "others"),
    [("exact", "are refused (option rounding=half_up charges them)"), ("half_up", "are charged as rounded")],
)
def test_b1_a_store_with_fewer_decimals_than_its_currency_is_told_what_that_means(
    open_shop: Callable[..., Shop], rounding: str, others: str
) -> None:
    texts = [finding.text for finding in open_shop({"rounding": rounding}, price_decimals=0).book.check()]
    assert (
        "Prices have 0 decimals, and USD has 2: an order owes the total that the store has rounded. "
        f"Orders in other currencies with more than 0 decimals {others}."
    ) in texts


@pytest.mark.parametrize("is_active", [True, False])
def test_the_payment_method_of_woopayments_is_refused_where_that_plugin_is_active(
    open_shop: Callable[..., Shop], is_active: bool
) -> None:
    plugins = ("woocommerce/woocommerce.php", *([WOOPAYMENTS] if is_active else []))
    shop = open_shop({"payment_method": "woocommerce_payments"}, plugins=plugins)
    sentences = wrong(shop.book.check())
    assert [sentence.partition(",")[0] for sentence in sentences] == (
        ["The payment method woocommerce_payments belongs to the WooPayments plugin"] if is_active else []
    )


DEACTIVATE = "The WooPayments plugin is active."


@pytest.mark.parametrize("readable", [True, False], ids=["system status", "index"])
@pytest.mark.parametrize("is_active", [True, False])
def test_c10_an_active_woopayments_beside_us_is_to_be_deactivated(
    open_shop: Callable[..., Shop], is_active: bool, readable: bool
) -> None:
    """Whatever payment method our orders show: it acts on the payment's id in their meta."""
    shop = open_shop(plugins=("woocommerce/woocommerce.php", *([WOOPAYMENTS] if is_active else [])))
    if not readable:
        shop.faults.next(Fault.STATUS, match="system_status", status=403, body={"code": "rest_forbidden"})
    warnings = [sentence for sentence in wrong(shop.book.check()) if sentence.startswith(DEACTIVATE)]
    assert len(warnings) == is_active
    assert all(warning.endswith("Deactivate it.") for warning in warnings)


def test_settings_that_cannot_be_read_are_a_finding(shop: Shop) -> None:
    shop.faults.next(Fault.ERROR_500, match="system_status")
    (sentence,) = wrong(shop.book.check())
    assert sentence.startswith("The store's settings cannot be read, so decimals and plugins were not checked.")


@pytest.mark.parametrize("fault", FAILURES)
@pytest.mark.parametrize("match", ["/wp-json/", "/orders", "PUT", "system_status"])
def test_no_fault_makes_the_check_fail_itself(shop: Shop, fault: Fault, match: str) -> None:
    shop.faults.next(fault, match=match)
    assert wrong(shop.book.check())


def test_the_identity_is_the_sites_own_address_and_needs_no_key(shop: Shop) -> None:
    shop.simulator.url = "http://Shop.Example:80/Store/"
    book = shop.connect(replace(shop.store, consumer_key="ck_unknown"))
    assert book.identify() == "https://shop.example/Store"


def test_the_identity_of_a_store_in_maintenance_is_unknown(shop: Shop) -> None:
    shop.faults.next(Fault.HTML)
    with pytest.raises(StoreUnreachable):
        shop.book.identify()


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        ('{"home":"https://a.example","namespaces":["wp/v2"]}', "WooCommerce's REST API (wc/v3) is not there"),
        ('{"home":"nowhere","namespaces":["wc/v3"]}', "does not say what its address is"),
        ('{"namespaces":["wc/v3"]}', "does not say what its address is"),
        ('{"home":"https://[","namespaces":["wc/v3"]}', "does not say what its address is"),
    ],
)
def test_a_site_without_woocommerce_or_address_has_no_identity(
    serve_tls: Callable[..., str], make_book: Callable[..., WooCommerceOrderBook], index: str, sentence: str
) -> None:
    @Request.application
    def site(request: Request) -> Response:
        return Response(index, content_type="application/json")

    with pytest.raises(StoreRefused) as refused:
        make_book(Store("odd", serve_tls(site), "sandbox", False, "automatic", "")).identify()
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("https://shop.example", "https://shop.example"),
        ("http://SHOP.example/", "https://shop.example"),
        ("https://shop.example:443/a/b/", "https://shop.example/a/b"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("https://[::1]:8443/", "https://[::1]:8443"),
        ("https://user:secret@shop.example/?x=1#y", "https://shop.example"),
    ],
)
def test_one_site_has_one_identity_however_it_writes_its_address(address: str, identity: str) -> None:
    assert normalised(address) == identity
