"""A total is rounded to the store's decimals when it is set, lines are not; what is recorded of a store of 10.5.0."""

import pytest


def order_with_fee(store, total, **fields):
    body = {"fee_lines": [{"name": "Fee", "total": total}], **fields}
    return store("POST", "/orders", json=body).json()["id"]


def sums(store, order_id, dp=None):
    """The order's total and its fee."""
    order = store.get(f"/orders/{order_id}", params={} if dp is None else {"dp": dp})
    return order["total"], order["fee_lines"][0]["total"]


def test_b1_a_total_is_rounded_to_the_stores_decimals_and_dp_brings_nothing_back(store):
    order_id = order_with_fee(store, "1.236", currency="KWD")
    assert sums(store, order_id) == ("1.24", "1.24")
    assert sums(store, order_id, 6) == ("1.240000", "1.236000")


def test_b1_a_total_that_was_set_in_a_store_without_decimals_stays_rounded(store, shop):
    shop.set_price_decimals(0)
    order_id = order_with_fee(store, "27.50")
    assert sums(store, order_id) == ("28", "28")
    assert sums(store, order_id, 2) == ("28.00", "27.50")
    shop.set_price_decimals(2)
    assert sums(store, order_id) == ("28.00", "27.50")


def test_b1_a_total_is_rounded_on_reading_as_well(store, shop):
    order_id = order_with_fee(store, "27.50")
    shop.set_price_decimals(0)
    assert sums(store, order_id) == ("28", "28")
    assert sums(store, order_id, 6) == ("28.000000", "27.500000")
    shop.set_price_decimals(2)
    assert sums(store, order_id) == ("27.50", "27.50")


def test_b1_eight_places_show_the_float(store):
    order_id = order_with_fee(store, "100000000.10", currency="HUF")
    assert sums(store, order_id, 6) == ("100000000.100000", "100000000.100000")
    assert sums(store, order_id, 8) == ("100000000.09999999", "100000000.09999999")


def test_b1_a_write_without_lines_leaves_the_total_and_one_with_an_address_sets_it_anew(store, shop):
    order_id = order_with_fee(store, "27.50")
    shop.set_price_decimals(0)
    store.put(order_id, customer_note="hello", meta_data=[{"key": "a", "value": "b"}])
    shop.set_price_decimals(2)
    assert sums(store, order_id) == ("27.50", "27.50")
    shop.set_price_decimals(0)
    store.put(order_id, billing={"city": "Rome"})
    shop.set_price_decimals(2)
    assert sums(store, order_id) == ("28.00", "27.50")


def test_b1_items_are_rounded_one_by_one(store, shop):
    shop.set_price_decimals(0)
    lines = [{"product_id": 1, "total": "0.40"}, {"product_id": 1, "total": "0.40"}]
    order = store("POST", "/orders", json={"line_items": lines}).json()
    assert order["total"] == "0"
    assert sums_of_lines(store, order["id"]) == ["0.40", "0.40"]


def sums_of_lines(store, order_id):
    return [line["total"] for line in store.get(f"/orders/{order_id}", params={"dp": 2})["line_items"]]


def test_b1_a_store_of_three_decimals_keeps_three(store, shop):
    shop.set_price_decimals(3)
    assert sums(store, order_with_fee(store, "1.2346", currency="KWD")) == ("1.235", "1.235")


def test_a_plugin_that_filters_the_decimals_of_an_order_counts_when_the_total_is_set_and_read(store, shop):
    order_id = shop.add_order(total="1.2346", currency="KWD", decimals=3)
    assert store.get(f"/orders/{order_id}")["total"] == "1.235"


def test_b1_a_refund_keeps_its_decimals(store, shop):
    shop.set_price_decimals(0)
    order_id = order_with_fee(store, "25")
    made = store("POST", f"/orders/{order_id}/refunds", json={"amount": "1.25", "api_refund": False})
    assert (made.status_code, made.json()["amount"]) == (201, "1")
    (refund,) = store.get(f"/orders/{order_id}", params={"dp": 6})["refunds"]
    assert refund["total"] == "-1.250000"


def test_b3_a_refund_of_an_unpaid_order_changes_neither_its_status_nor_its_total(store):
    order_id = order_with_fee(store, "25.00")
    assert store("POST", f"/orders/{order_id}/refunds", json={"amount": "10.00", "api_refund": False}).ok
    order = store.get(f"/orders/{order_id}")
    assert (order["status"], order["total"], order["refunds"][0]["total"]) == ("pending", "25.00", "-10.00")
    assert (order["needs_payment"], order["date_paid_gmt"]) == (True, None)


@pytest.mark.parametrize(
    ("amount", "code", "data"),
    [
        ("abc", "woocommerce_rest_cannot_create_order_refund", 500),
        ("", "woocommerce_rest_invalid_order_refund", 400),
        ("-1", "woocommerce_rest_invalid_order_refund", 400),
        ("25.01", "woocommerce_rest_cannot_create_order_refund", 500),
        ("9,50", "woocommerce_rest_cannot_create_order_refund", 500),
    ],
)
def test_an_amount_that_makes_no_refund_is_http_500(store, amount, code, data):
    order_id = order_with_fee(store, "25.00")
    made = store("POST", f"/orders/{order_id}/refunds", json={"amount": amount, "api_refund": False})
    assert (made.status_code, made.json()["code"], made.json()["data"]) == (500, code, data)
    assert store.get(f"/orders/{order_id}/refunds") == []


def test_a_comma_is_dropped_from_an_amount_that_is_compared_as_text(store):
    order_id = order_with_fee(store, "25.00")
    made = store("POST", f"/orders/{order_id}/refunds", json={"amount": "1,50", "api_refund": False})
    assert (made.status_code, made.json()["amount"]) == (201, "150.00")
    assert store.get(f"/orders/{order_id}")["refunds"][0]["total"] == "-150.00"
