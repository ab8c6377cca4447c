"""The catalogue and the orders that a demo store starts with. Their names are part of `demo --info`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .lines import VAT, coupon_line, fee_line, line_item, shipping_line, tax_line
from .orders import BILLING_FIELDS, Order
from .state import Shop

BILLING = dict.fromkeys(BILLING_FIELDS, "") | {
    "first_name": "John",
    "last_name": "Doe",
    "address_1": "123 Random St",
    "address_2": "-",
    "city": "San Francisco",
    "state": "CA",
    "postcode": "94101",
    "country": "US",
    "email": "random.email@example.com",
    "phone": "5555555555",
}
CATALOGUE: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("Widget", "W-1023", "10.23", {"image": "widget.png"}),
    ("Gadget", "G-2500", "25.00", {"image": "gadget.png"}),
    ("Lamp", "L-4000", "40.00", {}),
    ("Sample", "S-0000", "0.00", {}),
    ("Postcard set", "P-0333", "3.34", {}),
    ("Gift card", "V-0999", "9.99", {"virtual": True, "image": "gift-card.png"}),
)
PAYABLE = ("payable", *(f"payable_{number}" for number in range(2, 10)))


def seed_catalogue(shop: Shop) -> None:
    """The products that the orders are made of, and one customer."""
    for name, sku, price, more in CATALOGUE:
        shop.add_product(name, sku, Decimal(price), **more)
    shop.add_customer(BILLING["email"], "John", "Doe", billing=dict(BILLING))


def seed_orders(shop: Shop) -> dict[str, int]:
    """Make the demo's orders; their ids by name."""
    orders = {name: _order(shop, ("W-1023", 1)) for name in PAYABLE}
    orders["zero_total"] = _order(shop, ("S-0000", 1))
    orders["paid"] = _paid(shop, "txn_demo_paid")
    orders["cancelled"] = _order(shop, ("W-1023", 1))
    shop.set_status(orders["cancelled"], "cancelled")
    orders["refunded"] = _paid(shop, "txn_demo_refunded")
    shop.refund(orders["refunded"], orders["refunded"].totals["total"], reason="Customer changed mind")
    orders["jpy"] = _priced(shop, "Tea bowl", "500", currency="JPY")
    orders["kwd"] = _priced(shop, "Dates", "1.230", currency="KWD", decimals=3)
    orders["virtual"] = _order(shop, ("V-0999", 1))
    orders["multi_line"] = _order(shop, ("W-1023", 1), ("G-2500", 2))
    bundle = line_item(shop, shop.product_by_sku("P-0333"), 3, total=Decimal("10.00"))
    orders["multi_line"].lines["line_items"].append(bundle)
    shop.keep(orders["multi_line"])
    orders["shipping_tax_fee_discount"] = _everything(shop)
    return {name: order.id for name, order in orders.items()}


def _order(shop: Shop, *items: tuple[str, int], **fields: Any) -> Order:
    order = shop.new_order(billing=dict(BILLING), created_via="checkout", customer_ip_address="127.0.0.1", **fields)
    for sku, quantity in items:
        order.lines["line_items"].append(line_item(shop, shop.product_by_sku(sku), quantity))
    return shop.keep(order)


def _priced(shop: Shop, name: str, total: str, **fields: Any) -> Order:
    """One line for a product that is priced in the order's own currency.

    `decimals`: the store has so many for it, by a plugin's filter; WooCommerce itself would round the total to its own.
    """
    order = _order(shop, **fields)
    product = shop.product_by_sku("W-1023")
    order.lines["line_items"].append(line_item(shop, product, name=name, total=Decimal(total)))
    return shop.keep(order)


def _paid(shop: Shop, transaction_id: str) -> Order:
    order = _order(shop, ("G-2500", 2), payment_method="bacs", payment_method_title="Direct bank transfer")
    shop.payment_complete(order, transaction_id)
    return order


def _everything(shop: Shop) -> Order:
    """Two lamps and an untaxed widget less 10 %, shipping, a fee that lowers the total, 21 % tax: 101.38."""
    order = _order(shop)
    lamp, widget = shop.product_by_sku("L-4000"), shop.product_by_sku("W-1023")
    rows = order.lines
    rows["line_items"] = [
        line_item(shop, lamp, 2, subtotal=Decimal("80.00"), total=Decimal("72.00"), rate=VAT),
        line_item(shop, widget, 1, subtotal=Decimal("10.23"), total=Decimal("9.21")),
    ]
    rows["shipping_lines"] = [
        shipping_line(shop, Decimal("7.50"), title="Flat rate", method="flat_rate", instance="1", rate=VAT)
    ]
    rows["fee_lines"] = [fee_line(shop, "Loyalty bonus", Decimal("-3.33"), VAT)]
    rows["tax_lines"] = [tax_line(shop, order, VAT)]
    sums = order.sums(shop.price_decimals)
    rows["coupon_lines"] = [coupon_line(shop, "save10", 10, sums["discount_total"], sums["discount_tax"])]
    return shop.keep(order)
