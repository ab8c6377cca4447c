"""What else an integration stumbles over in a store: recordings of 10.5.0, and WooCommerce's own code."""

import ssl
from random import Random

import pytest

from bridge.simulators.certificates import Certificates
from bridge.simulators.woocommerce import WooCommerceSimulator

EVERY = "trash,pending,processing,on-hold,completed,cancelled,refunded,failed,checkout-draft"
TO_REFUNDED = "Order status set to refunded. To return funds to the customer you will need to issue a refund through "


@pytest.fixture
def orders(shop):
    """Ids of an order that is in the trash, one that was deleted, one that is pending, and a draft of a checkout."""
    trashed, deleted, pending = (shop.add_order(total="10.23") for _ in range(3))
    draft = shop.add_order(total="10.23", status="checkout-draft")
    shop.trash(trashed)
    shop.delete(deleted)
    return trashed, deleted, pending, draft


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("", ["draft", "pending"]),
        ("&status=any", ["draft", "pending"]),
        ("&status=any,trash", ["draft", "pending"]),
        ("&status=trash,any", ["draft", "pending"]),
        ("&status=trash", ["trashed"]),
        (f"&status={EVERY}", ["draft", "pending", "trashed"]),
        (f"&status={EVERY},auto-draft", ["draft", "pending", "trashed"]),
        ("&status=auto-draft", []),
    ],
)
def test_a8_orders_that_are_asked_for_by_id_are_still_chosen_by_status(store, orders, status, found):
    listed = store.get(f"/orders?include={','.join(map(str, orders))}&per_page=100{status}")
    names = dict(zip(orders, ("trashed", "deleted", "pending", "draft"), strict=True))
    assert sorted(names[order["id"]] for order in listed) == found


def test_a8_each_of_them_read_by_itself(store, orders):
    trashed, deleted, _, draft = (store("GET", f"/orders/{order_id}") for order_id in orders)
    assert (trashed.status_code, trashed.json()["status"]) == (200, "trash")
    assert (deleted.status_code, deleted.json()["code"]) == (404, "woocommerce_rest_shop_order_invalid_id")
    assert (draft.status_code, draft.json()["status"]) == (200, "checkout-draft")


@pytest.mark.parametrize(("status", "is_paid"), [("processing", False), ("completed", True)])
def test_b5_cash_on_delivery_is_paid_when_it_is_completed(store, shop, status, is_paid):
    order_id = shop.add_order(total="10.23", payment_method="cod")
    order = store.put(order_id, status=status)
    assert (order["date_paid_gmt"] is not None, order["needs_payment"]) == (is_paid, False)


@pytest.mark.parametrize("method", ["cod", "bacs"])
def test_b5_an_order_without_goods_is_not_paid_by_being_processed(store, method):
    body = {"payment_method": method, "fee_lines": [{"name": "Fee", "total": "5.00"}]}
    order_id = store("POST", "/orders", json=body).json()["id"]
    order = store.put(order_id, status="processing")
    assert (order["date_paid_gmt"], order["needs_payment"]) == (None, False)


def test_b5_a_payment_completes_cash_on_delivery(store, shop):
    order_id = shop.add_order(total="10.23", payment_method="cod")
    order = store.put(order_id, set_paid=True, transaction_id="t1")
    assert (order["status"], order["date_paid_gmt"] is not None) == ("completed", True)


def test_another_method_is_paid_by_being_processed(store, shop):
    order_id = shop.add_order(total="10.23", payment_method="bacs")
    assert store.put(order_id, status="processing")["date_paid_gmt"] is not None


@pytest.mark.parametrize("status", ["pending", "failed", "checkout-draft"])
def test_an_order_that_needs_payment_is_paid(store, shop, status):
    order_id = shop.add_order(total="10.23", status=status)
    assert store.get(f"/orders/{order_id}")["needs_payment"] is True
    order = store.put(order_id, set_paid=True, transaction_id="t1")
    assert (order["status"], order["transaction_id"]) == ("processing", "t1")


def test_staff_who_set_an_order_to_refunded_leave_two_notes_of_the_stores_own(shop, store):
    order_id = shop.add_order(total="10.23", status="processing")
    store.put(order_id, status="refunded")
    notes = [note["note"] for note in shop.notes(order_id)][-2:]
    assert notes[0].startswith(TO_REFUNDED)
    assert notes[1] == "Order status changed from Processing to Refunded."
    assert [refund["amount"] for refund in shop.refunds(order_id)] == ["10.23"]


def test_a_refund_of_all_leaves_one(shop, store):
    order_id = shop.add_order(total="10.23", status="processing")
    store("POST", f"/orders/{order_id}/refunds", json={"amount": "10.23", "api_refund": False})
    assert [note["note"] for note in shop.notes(order_id)][1:] == ["Order status changed from Processing to Refunded."]


@pytest.mark.parametrize(("text", "kept"), [(r"a\b", "ab"), (r"a\\b", r"a\b"), ("C:\\new\\", "C:new"), ("a/b", "a/b")])
def test_a_note_loses_its_backslashes(shop, store, text, kept):
    order_id = shop.add_order(total="1")
    assert store("POST", f"/orders/{order_id}/notes", json={"note": text}).json()["note"] == kept


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("<b>Card</b> (ours)", "Card (ours)"),
        ("Card <img src=x onerror=alert(1)>", "Card"),
        ("<script>alert(1)</script>Card", "Card"),
        ("1 < 2", "1 &lt; 2"),
        ("Card\n 50%20 off", "Card 50 off"),
        ("Card (wcpay-bridge)", "Card (wcpay-bridge)"),
    ],
)
def test_a_method_title_has_no_tags(shop, store, title, kept):
    order_id = shop.add_order(total="1")
    assert store.put(order_id, payment_method_title=title)["payment_method_title"] == kept


@pytest.mark.parametrize(
    ("value", "kept"),
    [(5, "5"), (1.5, "1.5"), (True, "1"), (False, ""), ("x", "x"), ([1, 2], [1, 2]), ({"a": 1}, {"a": 1})],
)
def test_a_numeric_meta_value_comes_back_as_text(shop, store, value, kept):
    order_id = shop.add_order(total="10.23")
    body = {"amount": "1.00", "api_refund": False, "meta_data": [{"key": "k", "value": value}]}
    refund = store("POST", f"/orders/{order_id}/refunds", json=body).json()
    order = store.put(order_id, meta_data=[{"key": "k", "value": value}])
    assert [row["value"] for row in order["meta_data"]] == [kept]
    assert [row["value"] for row in refund["meta_data"] if row["key"] == "k"] == [kept]


@pytest.mark.parametrize("name", ["after", "before"])
@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("x", 400),
        ("2026-11-20", 400),
        ("2026-13-20T00:00:00", 400),
        ("2026-11-20T00:00:00", 200),
        ("2026-11-20T00:00:00Z", 200),
    ],
)
def test_a_list_takes_a_moment_only(store, name, value, status):
    response = store("GET", "/orders", params={name: value})
    assert response.status_code == status
    if status == 400:
        assert response.json()["data"]["details"][name]["code"] == "rest_invalid_date"


@pytest.mark.parametrize(
    ("shape", "two", "one", "none"),
    [
        ("holes", {"0": "a", "2": "b"}, {"1": "a"}, []),
        ("object", {"0": "a", "1": "b"}, {"0": "a"}, {}),
        ("list", ["a", "b"], ["a"], []),
    ],
)
def test_b7_a_plugin_leaves_lists_as_php_writes_them(shop, store, shape, two, one, none):
    def keys(rows):
        return (
            {index: row["key"] for index, row in rows.items()}
            if isinstance(rows, dict)
            else [row["key"] for row in rows]
        )

    shop.shape_lists(shape)
    order_id = shop.add_order(total="1", meta={"a": "1", "b": "2"})
    other = shop.add_order(total="1", meta={"a": "1"})
    assert keys(store.get(f"/orders/{order_id}")["meta_data"]) == two
    order = store.get(f"/orders/{other}?_fields=meta_data,fee_lines,line_items")
    assert (keys(order["meta_data"]), order["fee_lines"], type(order["line_items"])) == (one, none, type(one))
    listed = store.get("/orders?_fields=id")
    assert (listed if isinstance(listed, list) else list(listed.values())) == [{"id": other}, {"id": order_id}]
    assert store.get("/orders/999")["data"] == {"status": 404}


@pytest.mark.parametrize(("honors", "seen"), [(True, "cancelled"), (False, "pending")])
def test_b4_a_cache_keeps_what_was_read_and_says_its_age(shop, store, clock, honors, seen):
    order_id = shop.add_order(total="10.23")
    shop.put_cache_in_front(honors_no_cache=honors)
    first = store("GET", f"/orders/{order_id}")
    shop.update_order(order_id, status="cancelled")
    clock.now += 7
    asked = len(shop.requests)
    again = store("GET", f"/orders/{order_id}")
    assert (again.json()["status"], again.headers["Age"], "Age" in first.headers) == ("pending", "7", False)
    assert len(shop.requests) == asked
    pressed = store("GET", f"/orders/{order_id}", headers={"Cache-Control": "no-cache"})
    assert pressed.json()["status"] == seen
    assert store.get(f"/orders/{order_id}?fresh=1")["status"] == "cancelled"
    assert store.put(order_id, customer_note="x")["status"] == "cancelled"
    clock.now += 3600
    assert store.get(f"/orders/{order_id}")["status"] == "cancelled"
    shop.take_cache_away()
    assert "X-Cache" not in store("GET", f"/orders/{order_id}").headers


def test_b4_a_cache_keeps_no_errors(shop, store):
    shop.put_cache_in_front(honors_no_cache=False)
    assert store("GET", "/orders/77").status_code == 404
    assert "Age" not in store("GET", "/orders/77").headers


def hooked(shop: WooCommerceSimulator, url: str) -> None:
    for topic in ("order.updated", "order.deleted", "order.restored"):
        shop.add_webhook(topic, url)
    shop.deliver_due()


@pytest.fixture
def trusting(clock, certificates: Certificates):
    tls = ssl.create_default_context(cafile=certificates.ca_file)
    return WooCommerceSimulator(clock=clock, random=Random(3), delivery_tls=tls)


def states(shop):
    return [webhook["status"] for webhook in shop.webhooks()]


def test_a8_the_seventh_failure_in_a_row_disables_a_webhook_for_good(trusting, certificates):
    shop, order_id = trusting, trusting.add_order(total="10.23")
    hooked(shop, "http://127.0.0.1:1/hook")
    for _ in range(6):
        shop.update_order(order_id, customer_note="x")
        shop.deliver_due()
    assert states(shop) == ["active"] * 3
    shop.update_order(order_id, customer_note="x")
    shop.deliver_due()
    assert states(shop) == ["disabled", "active", "active"]
    shop.update_order(order_id, customer_note="x")
    assert shop.deliver_due() == ()


def test_a8_a_webhook_that_is_put_back_is_disabled_by_its_next_failure(shop, store):
    order_id = shop.add_order(total="10.23")
    hooked(shop, "http://127.0.0.1:1/hook")

    def fail():
        shop.update_order(order_id, customer_note="x")
        shop.deliver_due()

    for _ in range(7):
        fail()
    assert store("PUT", "/webhooks/1", json={"status": "active"}).json()["status"] == "active"
    fail()
    assert states(shop) == ["disabled", "active", "active"]


def test_a_new_address_is_pinged(shop, store):
    hooked(shop, "http://127.0.0.1:1/hook")
    store("PUT", "/webhooks/1", json={"delivery_url": "http://127.0.0.1:1/other"})
    store("PUT", "/webhooks/2", json={"delivery_url": "http://127.0.0.1:1/other", "status": "paused"})
    assert [(one.url, one.topic) for one in shop.deliver_due()] == [("http://127.0.0.1:1/other", "")]


def test_a8_late_deliveries_come_with_the_order_as_it_is_then(shop, clock):
    order_id = shop.add_order(total="10.23")
    hooked(shop, "http://127.0.0.1:1/hook")
    shop.deliver_late()
    shop.update_order(order_id, status="cancelled")
    assert shop.deliver_due() == ()
    clock.now += 0.9
    assert shop.deliver_due() == ()
    shop.update_order(order_id, status="pending")
    clock.now += 59.1
    (delivery,) = shop.deliver_due()
    assert b'"status":"pending"' in delivery.body


def test_a8_where_cron_does_not_run_nothing_is_delivered(shop, clock):
    order_id = shop.add_order(total="10.23")
    hooked(shop, "http://127.0.0.1:1/hook")
    shop.deliver_never()
    shop.update_order(order_id, status="cancelled")
    clock.now += 10**6
    assert shop.deliver_due() == ()
    shop.deliver_late(0, 0)
    assert len(shop.deliver_due()) == 1


@pytest.mark.parametrize("lateness", [(-1, 5), (5, 1), (1, 61)])
def test_a_lateness_that_is_none_is_refused(shop, lateness):
    with pytest.raises(ValueError, match="at most 60 s"):
        shop.deliver_late(*lateness)
