"""Notes, refunds, and what the simulated store tells about itself and what it sells."""

import pytest

from bridge.simulators.woocommerce import WooCommerceSimulator

NOTE_KEYS = "id author date_created date_created_gmt note customer_note _links"
REFUND_KEYS = (
    "id date_created date_created_gmt amount reason refunded_by refunded_payment meta_data line_items shipping_lines "
    "tax_lines fee_lines _links"
)
WOOPAYMENTS = "woocommerce-payments/woocommerce-payments.php"


def note(store, order_id, **body):
    return store("POST", f"/orders/{order_id}/notes", json=body)


def refund(store, order_id, **body):
    return store("POST", f"/orders/{order_id}/refunds", json=body)


def told(response):
    return response.status_code, response.json()["code"]


def test_notes_are_written_listed_and_deleted(shop, store):
    order_id = shop.add_order(total="1")
    first = note(store, order_id, note="<b>Paid</b> ✓")
    assert first.status_code == 201
    assert list(first.json()) == NOTE_KEYS.split()
    assert first.headers["Location"].endswith(f"/orders/{order_id}/notes/{first.json()['id']}")
    note(store, order_id, note="", customer_note=True)
    note(store, order_id, note="by me", added_by_user=True)
    assert [(one["author"], one["note"], one["customer_note"]) for one in store.get(f"/orders/{order_id}/notes")] == [
        ("WooCommerce", "<b>Paid</b> ✓", False),
        ("WooCommerce", "", True),
        ("admin", "by me", False),
    ]
    assert len(store.get(f"/orders/{order_id}/notes?type=customer")) == 1
    assert "X-WP-Total" not in store("GET", f"/orders/{order_id}/notes").headers
    path = f"/orders/{order_id}/notes/{first.json()['id']}"
    assert store("DELETE", path).status_code == 501
    assert store("DELETE", path, params={"force": "true"}).status_code == 200
    assert told(store("GET", path)) == (404, "woocommerce_rest_invalid_id")


def test_a_newer_note_comes_first(shop, store, clock):
    order_id = shop.add_order(total="1")
    note(store, order_id, note="old")
    clock.now += 1
    note(store, order_id, note="new")
    assert [one["note"] for one in store.get(f"/orders/{order_id}/notes")] == ["new", "old"]


@pytest.mark.parametrize("body", [{}, {"note": None}])
def test_a_note_without_text_is_refused_as_recorded(shop, store, body):
    response = note(store, shop.add_order(total="1"), **body)
    assert response.json() == {
        "code": "rest_missing_callback_param",
        "message": "Missing parameter(s): note",
        "data": {"status": 400, "params": ["note"]},
    }


def test_the_notes_of_a_missing_order_have_two_error_codes(store):
    assert told(note(store, 999, note="x")) == (404, "woocommerce_rest_order_invalid_id")
    assert told(store("GET", "/orders/999/notes")) == (404, "woocommerce_rest_shop_order_invalid_id")


def test_a_refund_on_paper_is_shown_as_recorded(shop, store):
    order_id = shop.add_order(total="50.00", payment_method="bacs", status="processing")
    response = refund(store, order_id, amount="12.345", reason="Partial", api_refund=False)
    shape = response.json()
    assert response.status_code == 201
    assert list(shape) == REFUND_KEYS.split()
    assert (shape["amount"], shape["refunded_by"], shape["refunded_payment"]) == ("12.35", 1, False)
    assert [(row["key"], row["value"]) for row in shape["meta_data"]] == [("_refund_type", "partial")]
    literal = r"/wp-json/wc/v3/orders/(?P<order_id>[\d]+)/refunds/"
    assert response.headers["Location"] == f"{store.url}{literal}{shape['id']}"
    order = shop.order(order_id)
    assert order["refunds"] == [{"id": shape["id"], "reason": "Partial", "total": "-12.35"}]
    assert order["status"] == "processing"


def test_refunding_the_rest_makes_the_order_refunded(shop, store):
    order_id = shop.add_order(total="50.00", status="processing")
    refund(store, order_id, amount="20.00", api_refund=False)
    assert told(refund(store, order_id, amount="30.01", api_refund=False))[0] == 500
    last = refund(store, order_id, amount="30.00", api_refund=False).json()
    assert last["meta_data"][0]["value"] == "full"
    assert shop.order(order_id)["status"] == "refunded"
    assert [one["amount"] for one in store.get(f"/orders/{order_id}/refunds")] == ["30.00", "20.00"]


def test_zero_and_missing_amounts_are_accepted(shop, store):
    order_id = shop.add_order(total="50.00")
    assert refund(store, order_id, amount="0", api_refund=False).json()["amount"] == "0.00"
    assert refund(store, order_id, api_refund=False).json()["amount"] == ""


def test_a_line_is_refunded_with_its_own_amount(shop, store):
    order_id = shop.add_order(total="50.00")
    line = shop.order(order_id)["line_items"][0]["id"]
    items = [{"id": line, "quantity": 1, "refund_total": 10}]
    shape = refund(store, order_id, line_items=items, api_refund=False).json()
    [copy] = shape["line_items"]
    assert (shape["amount"], copy["quantity"], copy["total"], copy["price"]) == ("10.00", -1, "-10.00", 10)
    assert (copy["meta_data"][0]["key"], copy["meta_data"][0]["value"]) == ("_refunded_item_id", str(line))


@pytest.mark.parametrize(
    ("amount", "method", "code", "message", "data"),
    [
        ("5", "bacs", "cannot_create_order_refund", "The payment gateway for this order does not support", 500),
        ("5", "nowhere", "cannot_create_order_refund", "The payment gateway for this order does not exist.", 500),
        ("99", "bacs", "cannot_create_order_refund", "Invalid refund amount.", 500),
        ("-5", "bacs", "invalid_order_refund", "Refund amount must be greater than zero.", 400),
    ],
)
def test_a_refused_refund_is_a_500_with_a_bare_number(shop, store, amount, method, code, message, data):
    order_id = shop.add_order(total="50.00", payment_method=method)
    response = refund(store, order_id, amount=amount)
    assert told(response) == (500, f"woocommerce_rest_{code}")
    assert response.json()["message"].startswith(message)
    assert response.json()["data"] == data
    assert shop.refunds(order_id) == []


def test_a_gateway_that_supports_refunds_makes_them_or_tells_why_not(shop, store):
    shop.activate_plugin(WOOPAYMENTS)
    order_id = shop.add_order(total="50.00", payment_method="woocommerce_payments")
    assert refund(store, order_id, amount="5.00").json()["refunded_payment"] is True
    shop.fail_gateway_refunds("Charge ch_1 has already been refunded.")
    response = refund(store, order_id, amount="5.00")
    assert told(response) == (500, "woocommerce_rest_cannot_create_order_refund")
    assert response.json()["message"] == "Charge ch_1 has already been refunded."
    assert len(shop.refunds(order_id)) == 1


def test_the_refunds_of_a_missing_order(store):
    response = refund(store, 999, amount="1", api_refund=False)
    assert (*told(response), response.json()["data"]) == (500, "woocommerce_rest_invalid_order_id", 404)
    assert store.get("/orders/999/refunds") == []


def test_a_refund_is_read_and_deleted_through_its_own_order_only(shop, store):
    order_id, other_id = shop.add_order(total="50.00"), shop.add_order(total="50.00")
    refund_id = refund(store, order_id, amount="5", api_refund=False).json()["id"]
    assert store.get(f"/orders/{order_id}/refunds/{refund_id}")["amount"] == "5.00"
    assert told(store("GET", f"/orders/{other_id}/refunds/{refund_id}"))[0] == 500
    assert store("DELETE", f"/orders/{order_id}/refunds/{refund_id}").status_code == 200
    assert told(store("GET", f"/orders/{order_id}/refunds/{refund_id}"))[0] == 404


def test_staff_who_refund_by_status_leave_a_refund_behind(shop):
    order_id = shop.add_order(total="50.00", status="refunded")
    assert [(one["amount"], one["reason"]) for one in shop.refunds(order_id)] == [("50.00", "Order fully refunded.")]


def test_the_site_index_names_the_site_to_anybody(store):
    index = store.session.get(f"{store.url}/wp-json/").json()
    assert list(index)[:8] == [
        "name",
        "description",
        "url",
        "home",
        "gmt_offset",
        "timezone_string",
        "namespaces",
        "authentication",
    ]
    assert (index["name"], index["url"], index["home"]) == ("Corner shop", store.url, store.url)
    assert index["routes"]["/wc/v3/orders"]["methods"] == ["GET", "POST"]


def test_the_namespace_index_is_open_too(store):
    index = store.get("", auth=None)
    assert index["namespace"] == "wc/v3"
    assert r"/wc/v3/orders/(?P<id>[\d]+)" in index["routes"]


def test_the_settings_tell_currency_and_decimals(store):
    values = {one["id"]: one["value"] for one in store.get("/settings/general")}
    assert values["woocommerce_currency"] == "USD"
    decimals = store.get("/settings/general/woocommerce_price_num_decimals")
    assert (decimals["value"], decimals["type"], decimals["group_id"]) == ("2", "number", "general")
    assert told(store("GET", "/settings/general/nope")) == (404, "rest_setting_setting_invalid")
    assert told(store("GET", "/settings/nope")) == (404, "rest_setting_setting_group_invalid")


def test_the_system_status_proves_identity_plugins_and_decimals(shop, store):
    status = store.get("/system_status?_fields=environment.home_url,environment.version,settings.number_of_decimals")
    assert status == {
        "environment": {"home_url": store.url, "version": "10.5.0"},
        "settings": {"number_of_decimals": 2},
    }
    shop.activate_plugin(WOOPAYMENTS)
    plugins = store.get("/system_status?_fields=active_plugins")["active_plugins"]
    assert [(one["plugin"], one["name"]) for one in plugins] == [
        ("woocommerce/woocommerce.php", "WooCommerce"),
        (WOOPAYMENTS, "WooPayments"),
    ]


def test_the_gateways_are_those_of_the_active_plugins(shop, store):
    assert [one["id"] for one in store.get("/payment_gateways")] == ["bacs", "cod"]
    shop.activate_plugin(WOOPAYMENTS)
    assert "refunds" in store.get("/payment_gateways/woocommerce_payments")["method_supports"]
    assert told(store("GET", "/payment_gateways/nope")) == (404, "woocommerce_rest_payment_gateway_invalid")


def test_a_product_shows_its_image_and_whether_it_is_virtual(shop, store):
    [card] = store.get("/products?virtual=true")
    assert (card["price"], card["virtual"], card["shipping_required"]) == ("9.99", True, False)
    assert card["images"][0]["src"] == f"{store.url}/wp-content/uploads/gift-card.png"
    line = store.get(f"/orders/{shop.seed_demo_orders()['virtual']}")["line_items"][0]
    assert line["image"] == {"id": str(card["images"][0]["id"]), "src": card["images"][0]["src"]}
    assert store.get(f"/products/{card['id']}")["name"] == "Gift card"
    assert told(store("GET", "/products/999")) == (404, "woocommerce_rest_product_invalid_id")


def test_customers_are_found_by_email(shop, store):
    customer_id = shop.add_customer("ada@example.com", "Ada", "Lovelace")
    [found] = store.get("/customers?email=ADA@example.com")
    assert (found["id"], found["username"], found["is_paying_customer"]) == (customer_id, "ada", False)
    shop.add_order(total="1", status="completed", customer_id=customer_id)
    assert store.get(f"/customers/{customer_id}")["is_paying_customer"] is True
    assert told(store("GET", "/customers/999")) == (404, "woocommerce_rest_invalid_id")


def test_another_gateway_pays_only_what_is_not_past_paying(shop):
    held, paid = shop.add_order(total="10.23"), shop.add_order(total="10.23", status="processing")
    shop.update_order(held, status="on-hold")
    assert shop.pay_by_gateway(held, "ppcp-gateway", "PayPal", "PAYPAL-1")
    assert not shop.pay_by_gateway(paid, "ppcp-gateway", "PayPal", "PAYPAL-2")
    shown = shop.order(held)
    assert (shown["status"], shown["transaction_id"]) == ("processing", "PAYPAL-1")
    assert shown["date_paid"]
    assert shop.notes(held)[-1]["note"] == "Payment via PayPal (PAYPAL-1)."
    assert shop.order(paid)["transaction_id"] == ""


def test_the_time_for_unpaid_orders_ends_only_what_waits_at_the_checkout(shop):
    waiting = shop.add_order(total="10.23", created_via="checkout")
    by_staff = shop.add_order(total="10.23", created_via="admin")
    on_hold = shop.add_order(total="10.23", created_via="checkout", status="on-hold")
    assert [shop.expire_unpaid(order) for order in (waiting, by_staff, on_hold)] == [True, False, False]
    assert [shop.order(order)["status"] for order in (waiting, by_staff, on_hold)] == [
        "cancelled",
        "pending",
        "on-hold",
    ]
    assert shop.notes(waiting)[-1]["note"].startswith("Unpaid order cancelled - time limit reached.")


def test_webhooks_go_out_by_the_way_that_is_given():
    sent = []

    def post(url, headers, body, *, timeout, context=None):
        sent.append((url, headers.get("X-WC-Webhook-Topic", "ping")))
        return 200, None

    shop = WooCommerceSimulator("shop", post=post)
    shop.add_webhook("order.updated", "https://nowhere.test/hook")
    shop.update_order(shop.add_order(total="1.00"), status="cancelled")
    shop.deliver_due()
    assert sent == [("https://nowhere.test/hook", "ping"), ("https://nowhere.test/hook", "order.updated")]
