"""The simulated store's orders behave as the recorded ones of WooCommerce 10.5.0 do."""

import pytest

ORDER_KEYS = """
id parent_id status currency version prices_include_tax date_created date_modified discount_total discount_tax
shipping_total shipping_tax cart_tax total total_tax customer_id order_key billing shipping payment_method
payment_method_title transaction_id customer_ip_address customer_user_agent created_via customer_note date_completed
date_paid cart_hash number meta_data line_items tax_lines shipping_lines fee_lines coupon_lines refunds payment_url
is_editable needs_payment needs_processing date_created_gmt date_modified_gmt date_completed_gmt date_paid_gmt
currency_symbol _links
"""
KEYS = {
    "line_items": "id name product_id variation_id quantity tax_class subtotal subtotal_tax total total_tax taxes "
    "meta_data sku global_unique_id price image parent_name",
    "billing": "first_name last_name company address_1 address_2 city state postcode country email phone",
    "shipping": "first_name last_name company address_1 address_2 city state postcode country phone",
    "tax_lines": "id rate_code rate_id label compound tax_total shipping_tax_total rate_percent meta_data",
    "shipping_lines": "id method_title method_id instance_id total total_tax taxes tax_status meta_data",
    "fee_lines": "id name tax_class tax_status amount total total_tax taxes meta_data",
    "coupon_lines": "id code discount discount_tax meta_data discount_type nominal_amount free_shipping",
}
SEEDED = {
    **dict.fromkeys(["payable", *(f"payable_{n}" for n in range(2, 10))], ("pending", "10.23", "USD")),
    "zero_total": ("pending", "0.00", "USD"),
    "paid": ("processing", "50.00", "USD"),
    "cancelled": ("cancelled", "10.23", "USD"),
    "refunded": ("refunded", "50.00", "USD"),
    "jpy": ("pending", "500.00", "JPY"),
    "kwd": ("pending", "1.230", "KWD"),
    "virtual": ("pending", "9.99", "USD"),
    "multi_line": ("pending", "70.23", "USD"),
    "shipping_tax_fee_discount": ("pending", "101.38", "USD"),
}


def texts(shop, order_id):
    return [note["note"] for note in shop.notes(order_id)]


def test_an_order_has_the_recorded_keys_in_the_recorded_order(shop, store):
    ids = shop.seed_demo_orders()
    order = store.get(f"/orders/{ids['shipping_tax_fee_discount']}")
    assert list(order) == ORDER_KEYS.split()
    for name, keys in KEYS.items():
        part = order[name][0] if isinstance(order[name], list) else order[name]
        assert list(part) == keys.split(), name


def test_the_seeded_orders_are_what_their_names_say(shop):
    ids = shop.seed_demo_orders()
    orders = {name: shop.order(order_id) for name, order_id in ids.items()}
    assert {name: (one["status"], one["total"], one["currency"]) for name, one in orders.items()} == SEEDED
    assert list(ids.values()) == sorted(ids.values())
    assert orders["paid"]["date_paid"]
    assert orders["paid"]["transaction_id"]
    assert orders["refunded"]["refunds"][0]["total"] == "-50.00"
    assert orders["kwd"]["line_items"][0]["total"] == "1.230"
    assert not orders["zero_total"]["needs_payment"]


def test_the_payable_orders_have_the_documented_payer(shop):
    billing = shop.order(shop.seed_demo_orders()["payable_9"])["billing"]
    assert billing == {
        "first_name": "John",
        "last_name": "Doe",
        "company": "",
        "address_1": "123 Random St",
        "address_2": "-",
        "city": "San Francisco",
        "state": "CA",
        "postcode": "94101",
        "country": "US",
        "email": "random.email@example.com",
        "phone": "5555555555",
    }


def test_the_order_with_everything_adds_up(shop):
    order = shop.order(shop.seed_demo_orders()["shipping_tax_fee_discount"])
    sums = ("discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax", "total_tax", "total")
    assert [order[name] for name in sums] == ["9.02", "1.68", "7.50", "1.58", "14.42", "16.00", "101.38"]
    assert [(line["subtotal"], line["total"], line["total_tax"]) for line in order["line_items"]] == [
        ("80.00", "72.00", "15.12"),
        ("10.23", "9.21", "0.00"),
    ]
    assert order["line_items"][0]["taxes"] == [{"id": 1, "total": "15.12", "subtotal": "16.80"}]
    assert (order["fee_lines"][0]["total"], order["fee_lines"][0]["total_tax"]) == ("-3.33", "-0.70")
    assert (order["coupon_lines"][0]["discount"], order["coupon_lines"][0]["discount_tax"]) == ("9.02", "1.68")
    assert (order["tax_lines"][0]["tax_total"], order["tax_lines"][0]["shipping_tax_total"]) == ("14.42", "1.58")


def test_a_line_price_is_a_number_even_where_it_does_not_divide(shop, store):
    order = store.get(f"/orders/{shop.seed_demo_orders()['multi_line']}")
    assert [(line["quantity"], line["total"], line["price"]) for line in order["line_items"]] == [
        (1, "10.23", 10.23),
        (2, "50.00", 25),
        (3, "10.00", 10 / 3),
    ]


def test_amounts_follow_the_stores_decimals_and_dp_asks_for_others(shop, store):
    order_id = shop.add_order(total="500", currency="JPY")
    assert store.get(f"/orders/{order_id}")["total"] == "500.00"
    assert store.get(f"/orders/{order_id}?dp=4")["line_items"][0]["total"] == "500.0000"
    assert store.get(f"/orders/{order_id}?dp=0")["total"] == "500"


def test_an_order_is_created_from_a_product_with_shipping(shop, store):
    product = store.get("/products?sku=W-1023")[0]
    line = {"product_id": str(product["id"]), "quantity": 2}
    shipping = {"method_id": "flat_rate", "method_title": "Flat Rate", "total": "10.00"}
    billing = {"first_name": "Ada", "email": "ada@example.com"}
    response = store("POST", "/orders", json={"line_items": [line], "shipping_lines": [shipping], "billing": billing})
    order = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"{store.url}/wp-json/wc/v3/orders/{order['id']}"
    assert (order["total"], order["line_items"][0]["subtotal"], order["shipping_total"]) == ("30.46", "20.46", "10.00")
    assert (order["status"], order["created_via"], order["needs_payment"]) == ("pending", "rest-api", True)
    assert order["billing"]["email"] == "ada@example.com"
    assert order["payment_url"].endswith(f"/order-pay/{order['id']}/?pay_for_order=true&key={order['order_key']}")
    assert shop.notes(order["id"]) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"line_items": [{"name": "Thing", "total": "5.00"}]}, "woocommerce_rest_required_product_reference"),
        ({"shipping_lines": [{"total": "5.00"}]}, "woocommerce_rest_invalid_shipping_item"),
        ({"fee_lines": [{"total": "5.00"}]}, "woocommerce_rest_invalid_fee_item"),
        ({"line_items": [{"id": 999, "total": "5.00"}]}, "woocommerce_rest_invalid_item_id"),
        ({"coupon_lines": [{"code": "nope"}]}, "woocommerce_rest_invalid_coupon"),
        ({"customer_id": 999}, "woocommerce_rest_invalid_customer_id"),
        ({"id": 12}, "woocommerce_rest_shop_order_exists"),
    ],
)
def test_an_order_that_cannot_be_made_is_not_made(store, body, code):
    response = store("POST", "/orders", json=body)
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert store.get("/orders") == []


def test_lines_are_added_changed_and_removed_by_id(shop, store):
    order_id = shop.add_order(total="10.23")
    line = shop.order(order_id)["line_items"][0]["id"]
    dearer = store.put(order_id, line_items=[{"id": line, "total": "12.00"}])
    assert (dearer["total"], dearer["line_items"][0]["subtotal"]) == ("12.00", "12.00")
    cheaper = store.put(order_id, line_items=[{"id": line, "total": "9.00"}])
    assert (cheaper["total"], cheaper["discount_total"]) == ("9.00", "3.00")
    assert store.put(order_id, fee_lines=[{"name": "Gift wrap", "total": "3.33"}])["total"] == "12.33"
    order = store.put(order_id, line_items=[{"id": line, "quantity": 0}])
    assert (order["total"], order["line_items"]) == ("3.33", [])


def test_a_refused_update_leaves_the_order_as_it_was(shop, store):
    order_id = shop.add_order(total="10.23")
    before = shop.order(order_id)
    body = {"customer_note": "x", "meta_data": [{"key": "a", "value": "b"}], "line_items": [{"id": 999, "total": "1"}]}
    assert store("PUT", f"/orders/{order_id}", json=body).status_code == 400
    assert shop.order(order_id) == before


def test_a_taxed_line_is_taxed_again_when_its_total_changes(shop, store):
    order_id = shop.seed_demo_orders()["shipping_tax_fee_discount"]
    line = shop.order(order_id)["line_items"][0]["id"]
    order = store.put(order_id, line_items=[{"id": line, "total": "100.00"}])
    assert order["line_items"][0]["total_tax"] == "21.00"
    assert (order["tax_lines"][0]["tax_total"], order["total"]) == ("20.30", "135.26")


@pytest.mark.parametrize("status", ["pending", "failed"])
def test_set_paid_pays_an_order_that_needs_payment(shop, store, clock, status):
    order_id = shop.add_order(total="10.23", payment_method_title="Direct bank transfer", status=status)
    clock.now += 60
    order = store.put(order_id, set_paid=True, transaction_id="txn_1")
    assert (order["status"], order["transaction_id"], order["needs_payment"]) == ("processing", "txn_1", False)
    assert order["date_paid"] == order["date_paid_gmt"] == order["date_modified"] == "2026-11-20T23:34:46"
    assert texts(shop, order_id)[-1] == "Payment via Direct bank transfer (txn_1)."


@pytest.mark.parametrize("status", ["on-hold", "cancelled", "processing", "completed", "refunded"])
def test_set_paid_is_ignored_by_an_order_that_needs_no_payment(shop, store, status):
    order_id = shop.add_order(total="10.23", status=status)
    notes = texts(shop, order_id)
    order = store.put(order_id, set_paid=True, transaction_id="txn_1")
    assert (order["status"], order["transaction_id"]) == (status, "txn_1")
    assert texts(shop, order_id) == notes


def test_set_paid_is_ignored_by_an_order_that_costs_nothing(shop, store):
    order_id = shop.add_order(total="0")
    order = store.put(order_id, set_paid=True, transaction_id="txn_1")
    assert (order["status"], order["date_paid"], order["transaction_id"]) == ("pending", None, "txn_1")


def test_a_second_set_paid_overwrites_the_transaction_and_adds_no_note(shop, store):
    order_id = shop.add_order(total="10.23", payment_method_title="Card")
    store.put(order_id, set_paid=True, transaction_id="txn_1")
    assert store.put(order_id, set_paid=True, transaction_id="txn_2")["transaction_id"] == "txn_2"
    assert texts(shop, order_id) == ["Payment via Card (txn_1)."]


@pytest.mark.parametrize(("status", "after", "paid"), [("completed", "completed", True), ("on-hold", "on-hold", False)])
def test_set_paid_comes_after_the_status(shop, store, status, after, paid):
    order = store.put(shop.add_order(total="10.23"), set_paid=True, status=status)
    assert (order["status"], order["date_paid"] is not None) == (after, paid)


@pytest.mark.parametrize(
    ("status", "after", "notes"),
    [
        ("pending", "processing", ["Payment complete."]),
        ("on-hold", "processing", ["Order status changed from Pending payment to On hold.", "Payment complete."]),
        ("completed", "completed", ["Order status changed from Pending payment to Completed."]),
    ],
)
def test_an_order_may_be_created_paid_even_if_it_costs_nothing(shop, store, status, after, notes):
    product = store.get("/products?sku=S-0000")[0]
    body = {"line_items": [{"product_id": product["id"]}], "set_paid": True, "status": status}
    order = store("POST", "/orders", json=body).json()
    assert (order["status"], order["total"], order["date_paid"]) == (after, "0.00", "2026-11-20T23:33:46")
    assert texts(shop, order["id"]) == notes


def test_an_order_of_downloads_is_complete_once_it_is_paid(shop, store):
    product = shop.add_product("E-book", "E-1", "9.99", virtual=True, downloadable=True)
    order_id = shop.add_order(lines=[{"product_id": product}])
    assert shop.order(order_id)["needs_processing"] is False
    assert store.put(order_id, set_paid=True)["status"] == "completed"
    assert texts(shop, order_id) == ["Payment complete."]


def test_an_on_hold_order_is_paid_by_its_status_once(shop, store, clock):
    order_id = shop.add_order(total="10.23", status="on-hold")
    paid = store.put(order_id, status="processing")["date_paid"]
    clock.now += 60
    assert store.put(order_id, status="pending")["needs_payment"] is True
    assert store.put(order_id, status="completed")["date_paid"] == paid == "2026-11-20T23:33:46"
    assert texts(shop, order_id) == [
        "Order status changed from Pending payment to On hold.",
        "Order status changed from On hold to Processing.",
        "Order status changed from Processing to Pending payment.",
        "Order status changed from Pending payment to Completed.",
    ]


def test_meta_is_set_by_key_or_id_and_deleted_with_null(shop, store):
    order_id = shop.add_order(total="1")
    [first] = store.put(order_id, meta_data=[{"key": "_intent_id", "value": "pi_1"}])["meta_data"]
    [second] = store.put(order_id, meta_data=[{"key": "_intent_id", "value": {"a": [1]}}])["meta_data"]
    assert (second["id"], second["value"]) == (first["id"], {"a": [1]})
    [third] = store.put(order_id, meta_data=[{"id": first["id"], "key": "renamed", "value": "x"}])["meta_data"]
    assert third == {"id": first["id"], "key": "renamed", "value": "x"}
    both = store.put(order_id, meta_data=[{"id": 9999, "key": "other", "value": "y"}])["meta_data"]
    assert [row["key"] for row in both] == ["renamed", "other"]
    [left] = store.put(order_id, meta_data=[{"id": first["id"], "key": "renamed", "value": None}])["meta_data"]
    assert left["key"] == "other"


def test_the_transaction_id_can_come_as_meta(shop, store):
    order = store.put(shop.add_order(total="1"), meta_data=[{"key": "_transaction_id", "value": "txn_9"}])
    assert (order["transaction_id"], order["meta_data"]) == ("txn_9", [])


def test_delete_trashes_once_and_force_deletes(shop, store):
    order_id = shop.add_order(total="1")
    assert store("DELETE", f"/orders/{order_id}").json()["status"] == "pending"
    assert store.get(f"/orders/{order_id}")["status"] == "trash"
    assert (store.get("/orders"), len(store.get("/orders?status=trash"))) == ([], 1)
    again = store("DELETE", f"/orders/{order_id}")
    assert (again.status_code, again.json()["code"]) == (410, "woocommerce_rest_already_trashed")
    assert store("DELETE", f"/orders/{order_id}?force=true").status_code == 200
    assert store("GET", f"/orders/{order_id}").status_code == 404


def test_a_batch_answers_each_item_in_its_place(shop, store):
    order_id = shop.add_order(total="1")
    body = {"create": [{"customer_note": "hi"}], "update": [{"id": order_id, "status": "on-hold"}, {"id": 999}]}
    answer = store("POST", "/orders/batch", json=body).json()
    assert answer["create"][0]["customer_note"] == "hi"
    assert answer["update"][0]["status"] == "on-hold"
    assert answer["update"][1]["error"]["code"] == "woocommerce_rest_shop_order_invalid_id"
    assert store("POST", "/orders/batch", json={"create": []}).json() == {"create": []}
    gone = store("POST", "/orders/batch", json={"delete": [order_id]}).json()
    assert gone["delete"][0]["id"] == order_id
    assert store("GET", f"/orders/{order_id}").status_code == 404


def test_staff_change_an_order_behind_the_clients_back(shop, store):
    order_id = shop.add_order(total="10.23", billing={"city": "London"}, meta={"_a": "1"})
    shop.update_order(order_id, total="12.34", currency="EUR", status="on-hold", billing={"city": "Paris"})
    order = store.get(f"/orders/{order_id}")
    assert (order["total"], order["currency"], order["status"]) == ("12.34", "EUR", "on-hold")
    assert (order["billing"]["city"], order["meta_data"][0]["value"]) == ("Paris", "1")
    shop.trash(order_id)
    assert store.get(f"/orders/{order_id}")["status"] == "trash"
    assert texts(shop, order_id) == ["Order status changed from Pending payment to On hold."]
    with pytest.raises(TypeError):
        shop.update_order(order_id, colour="red")
    shop.delete(order_id)
    assert store("GET", f"/orders/{order_id}").status_code == 404


def test_the_order_that_is_shown_is_a_copy(shop):
    order_id = shop.add_order(total="10.23")
    shop.order(order_id)["billing"]["city"] = "Atlantis"
    shop.order(order_id)["line_items"][0]["meta_data"].append("x")
    assert shop.order(order_id)["billing"]["city"] == ""
    assert shop.order(order_id)["line_items"][0]["meta_data"] == []
