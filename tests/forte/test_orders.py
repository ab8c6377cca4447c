"""Orders of all kinds, through both Fortes, to the cent."""

from typing import Any

import pytest

from bridge.domain.errors import ConfigurationError
from bridge.simulators.faults import Fault
from tests.forte.conftest import OpenShop, Shop, hear, pay, story, with_settings
from tests.plugins.local import INTENTS

PREVIEW = f"{INTENTS}/preview"
ANN = {"email": "ann@example.com", "first_name": "Ann"}


def sent_lines(shop: Shop) -> list[dict[str, Any]]:
    """The lines of the newest payment that was asked for at the platform."""
    asked = [sent for sent in shop.door.sent if sent.method == "POST" and sent.path.endswith("/payments")]
    return list(asked[-1].body["lineItems"])


def summed(lines: list[dict[str, Any]]) -> int:
    return sum(line["unitAmountCents"] * line["quantity"] for line in lines)


@pytest.mark.parametrize(("total", "amount"), [("9.99", "9.99"), ("10.70", "10.70"), ("100", "100.00")])
def test_08_10_an_order_in_euros_is_paid_at_forte_payments(widget: Shop, total: str, amount: str) -> None:
    order = widget.local.shop.add_order(total=total, currency="EUR", billing=ANN)
    created = widget.create(order)
    assert created["currency"] == "EUR"
    assert created["amount"] == round(float(total) * 100)
    [sent] = widget.door.to("/payments/v2/intent")
    assert (sent.body["currency"], sent.body["items"][0]["amount"]) == ("EUR", amount)
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    assert widget.local.shop.order(order)["status"] == "processing"


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_08_102_an_order_in_yen_is_refused_before_forte_hears_of_it(open_shop: OpenShop, adapter: str) -> None:
    shop = open_shop(adapter)
    answer = shop.local.create("jpy")
    assert answer.status_code == 500
    assert answer.json["code"] == "wcpay_server_error"
    assert answer.json["data"]["reason"] == "currency_not_supported"
    assert "jpy is not a supported currency" in answer.json["message"]
    assert shop.door.sent == []


def test_105_yen_are_paid_at_the_platform_if_the_owner_says_what_cents_are(open_shop: OpenShop) -> None:
    shop = open_shop("forte_platform", currencies="USD,JPY")
    created = shop.create("jpy")
    assert (created["amount"], created["currency"]) == (500, "JPY")
    assert summed(sent_lines(shop)) == 500
    pay(shop)
    shop.local.clock.advance(3)
    assert shop.stage(created["pay_url"]) == "paid"


@pytest.mark.parametrize(("count", "lines"), [(50, 50), (51, 1)])
def test_73_an_order_of_fifty_one_lines_is_one_line_and_the_same_sum(platform: Shop, count: int, lines: int) -> None:
    order = platform.local.shop.add_order(
        lines=[{"name": f"Thing {number}", "total": f"{number}.01"} for number in range(1, count + 1)], billing=ANN
    )
    created = platform.create(order)
    total = round(float(platform.local.shop.order(order)["total"]) * 100)
    assert created["amount"] == total
    assert (len(sent_lines(platform)), summed(sent_lines(platform))) == (lines, total)


def test_09_fifty_one_lines_are_one_item_of_the_widget(widget: Shop) -> None:
    things = [{"name": f"Thing {number}", "total": "1.01"} for number in range(51)]
    widget.create(widget.local.shop.add_order(lines=things, billing=ANN))
    [item] = widget.door.to("/payments/v2/intent")[0].body["items"]
    assert (item["amount"], "51 items" in item["title"]) == ("51.51", True)


def test_73_discount_negative_fee_shipping_and_tax_sum_to_the_cent(platform: Shop) -> None:
    name = "shipping_tax_fee_discount"
    created = platform.create(name)
    assert created["amount"] == round(float(platform.local.order(name)["total"]) * 100) == 10138
    lines = sent_lines(platform)
    assert summed(lines) == 10138
    assert all(line["unitAmountCents"] >= 0 for line in lines)
    [body] = [sent.body for sent in platform.door.sent if sent.method == "POST"]
    assert "customerAddress" not in body
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(created["pay_url"]) == "paid"
    platform.local.work()
    assert platform.local.order(name)["status"] == "processing"


def test_10_discount_negative_fee_shipping_and_tax_are_one_amount_of_the_widget(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments", physical_goods="allow")
    created = shop.create("shipping_tax_fee_discount")
    assert created["amount"] == 10138
    [item] = shop.door.to("/payments/v2/intent")[0].body["items"]
    assert item["amount"] == "101.38"


@pytest.mark.parametrize("adapter", ["forte_payments", "forte_platform"])
def test_102_nothing_to_pay_is_refused(open_shop: OpenShop, adapter: str) -> None:
    assert open_shop(adapter).local.create("zero_total").json["data"]["reason"] == "invalid_amount"


@pytest.mark.parametrize(
    ("changes", "settings", "reason"),
    [
        ({"billing": {}}, {}, "buyer_unidentified"),
        ({"billing": {"email": "ann@"}}, {}, "buyer_unidentified"),
        ({"billing": ANN}, {"guests": "refuse"}, "guest_refused"),
        ({"billing": ANN, "shipping": {"address_1": "1 Main St", "postcode": "62701"}}, {}, "physical_goods"),
        ({"billing": ANN, "meta": {"_forte_wallet_address": "0x1"}}, {}, "invalid_wallet"),
    ],
)
def test_an_order_that_forte_payments_would_not_take_is_refused_by_its_quote_with_the_same_error(
    open_shop: OpenShop, changes: dict[str, Any], settings: dict[str, str], reason: str
) -> None:
    shop = open_shop("forte_payments", **settings)
    order = shop.local.shop.add_order(total="9.99", **changes)
    quote, created = shop.local.post(PREVIEW, {"order_id": order}), shop.local.create(order)
    assert (quote.status_code, quote.json["data"]["reason"]) == (500, reason)
    assert (quote.json["code"], quote.json["message"]) == (created.json["code"], created.json["message"])
    assert shop.door.sent == []


@pytest.mark.parametrize("mode", ["widget", "redirect"])
def test_what_forte_payments_takes_is_quoted_with_the_shops_sums(open_shop: OpenShop, mode: str) -> None:
    shop = open_shop("forte_payments", mode=mode)
    quote = shop.local.post(PREVIEW, {"order_id": shop.local.orders["virtual"]}).json
    assert (quote["subtotal"], quote["tax"], quote["total"], quote["currency"]) == (999, 0, 999, "USD")
    line = {"description": "Coins", "unit_amount": 500, "quantity": 2, "tax": 210}
    cart = shop.local.post(PREVIEW, {"currency": "eur", "line_items": [line]}).json
    assert (cart["subtotal"], cart["tax"], cart["total"], cart["currency"]) == (1000, 210, 1210, "EUR")
    assert shop.local.post(PREVIEW, {"currency": "JPY", "line_items": [line]}).status_code == 500
    assert shop.door.sent == []


@pytest.mark.parametrize(("total", "amount"), [("10.7", "10.70"), ("7", "7.00"), ("9007199254740.93", None)])
def test_10_the_total_is_sent_to_the_cent_however_the_shop_writes_it(
    widget: Shop, total: str, amount: str | None
) -> None:
    widget.create(widget.local.shop.add_order(total=total, billing=ANN))
    [sent] = widget.door.to("/payments/v2/intent")
    assert sent.body["items"][0]["amount"] == (amount or total)


@pytest.mark.parametrize(("options", "amount"), [({}, None), ({"rounding": "half_up"}, "10.71")])
def test_10_a_total_of_more_than_two_decimals_is_refused_unless_the_owner_lets_it_be_rounded(
    open_shop: OpenShop, options: dict[str, str], amount: str | None
) -> None:
    shop = open_shop("forte_payments", options=options)
    order = shop.local.shop.add_order(total="10.70", billing=ANN)
    finer = {**shop.local.shop.order(order), "total": "10.705"}
    shop.local.shop_faults.next(Fault.WRONG_JSON, match=f"GET /wp-json/wc/v3/orders/{order}", body=finer)
    answer = shop.local.create(order)
    if amount is None:
        assert (answer.status_code, answer.json["data"]["reason"]) == (500, "amount_not_representable")
        assert shop.door.sent == []
    else:
        [sent] = shop.door.to("/payments/v2/intent")
        assert sent.body["items"][0]["amount"] == amount


def test_108_a_paid_order_is_not_charged_again_in_the_widget(widget: Shop) -> None:
    created = widget.create()
    widget.forte.approve(widget.forte.intents[0].id)
    hear(widget)
    again = widget.create()
    assert (again["id"], again["status"], "provider_data" in again) == (created["id"], "succeeded", False)
    assert len(widget.forte.intents) == len(widget.door.to("/payments/v2/intent")) == 1


def test_108_a_paid_order_is_not_charged_again(platform: Shop) -> None:
    created = platform.create()
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(created["pay_url"]) == "paid"
    platform.local.work()
    again = platform.create()
    assert (again["id"], again["status"]) == (created["id"], "succeeded")
    assert len(platform.platform.payments) == 1
    assert platform.local.create("paid").json["data"]["reason"] == "order_processing"


def test_110_a_failed_payment_frees_its_order_and_marks_it_failed(platform: Shop) -> None:
    created = platform.create()
    pay(platform, "requires_something_new")
    platform.local.clock.advance(3)
    assert platform.platform.payments[0]["state"] == "FAILED"
    assert platform.stage(created["pay_url"]) == "ended"
    assert platform.status() == "failed"
    shown = platform.show(created["id"])
    assert (shown["status"], shown["last_payment_error"]["code"], shown["charge"]) == (
        "canceled",
        "payment_failed",
        None,
    )
    again = platform.create()
    assert (again["id"] != created["id"], again["status"]) == (True, "requires_payment_method")
    pay(platform)
    platform.local.clock.advance(3)
    assert platform.stage(again["pay_url"]) == "paid"
    assert platform.status() == "processing"


@pytest.mark.parametrize("end", ["decline", "expire"])
def test_57_a_widgets_end_without_money_marks_the_order_failed_and_is_final(widget: Shop, end: str) -> None:
    created = widget.create()
    intent = widget.forte.intents[0].id
    getattr(widget.forte, end)(intent)
    hear(widget)
    assert widget.status() == "failed"
    assert widget.show(created["id"])["status"] == "canceled"
    assert widget.create()["id"] != created["id"]


def test_82_a_draft_that_was_left_for_a_day_makes_room_for_another_with_a_secret_of_its_own(platform: Shop) -> None:
    created = platform.create()
    platform.local.clock.advance(24 * 3600 + 1)
    told = platform.create()
    assert (told["id"], told["status"], "client_secret" in told) == (created["id"], "canceled", False)
    again = platform.create()
    assert again["id"] != created["id"]
    assert again["client_secret"] not in (None, created["client_secret"])
    assert [payment["state"] for payment in platform.platform.payments] == ["CANCELLED", "DRAFT"]


def test_75_fortes_tax_comes_on_top_and_the_charge_says_so(open_shop: OpenShop) -> None:
    shop = open_shop("forte_platform", tax_mode="forte", allow_tax_difference="yes")
    place = {**ANN, "address_1": "354 Oyster Point Blvd", "city": "South San Francisco", "state": "CA"}
    order = shop.local.shop.add_order(total="25.00", billing={**place, "postcode": "94080", "country": "US"})
    created = shop.create(order)
    assert (created["amount"], shop.platform.payments[0]["amountCents"]) == (2500, 2719)
    pay(shop)
    with_settings(shop, tax_mode="woocommerce", allow_tax_difference="no")
    assert shop.stage(created["pay_url"]) == "paid"
    shop.local.work()
    assert shop.local.shop.order(order)["status"] == "processing"
    charge = shop.show(created["id"])["charge"]
    assert (charge["amount"], charge["amount_captured"]) == (2719, 2719)
    notes = [note["note"] for note in shop.local.shop.notes(order)]
    assert not [note for note in notes if "flag" in note]
    assert story(shop, created["id"])["flag"] is None


def test_80_117_a_live_store_takes_no_sandbox(platform: Shop) -> None:
    with pytest.raises(ConfigurationError):
        with_settings(platform, mode="live")


def test_81_what_the_owner_has_to_mend_is_told_to_the_merchant_and_frees_the_order(platform: Shop) -> None:
    project = platform.local.store.settings["project"]
    platform.platform.update_project(project, payments_set_up=False)
    answer = platform.local.create()
    assert (answer.status_code, answer.json["data"]["reason"]) == (500, "payments_not_set_up")
    platform.platform.update_project(project, payments_set_up=True)
    assert platform.create()["client_secret"]
