"""`/wp-json/wc/v3/payments/charges/...`: one charge, and the stand-in for an order that has none."""

from typing import Any

from bridge.domain.money import Money
from bridge.domain.orders import Address
from bridge.domain.stores import Store
from bridge.http.serializers import formatted, order_members, shown_order, whole_charge
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import CHARGE, ORDER
from bridge.http.wordpress.parameters import order_number
from bridge.http.wordpress.request_pipeline import authorised
from bridge.reports import lists
from bridge.schemas.woopayments_reports import Charge, OrderAsCharge
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/charges"


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(f"{PATH}/<charge_id>", methods=["GET"], tags=["Charges"], failures=CHARGE)
    @blueprint.doc(summary="Look up a charge", operationId="getCharge")
    @blueprint.response(200, Charge, description="The charge as the bridge knows it, with its order.")
    def get_charge(charge_id: str) -> dict[str, Any]:
        store = authorised(services)
        found = lists.charge(store, charge_id)
        return {**whole_charge(found), "order": shown_order(found.intent, store.config)}

    @blueprint.route(f"{PATH}/order/<order_id>", methods=["GET"], tags=["Charges"], failures=ORDER)
    @blueprint.doc(summary="Show an order in place of a charge", operationId="getOrderAsCharge")
    @blueprint.response(200, OrderAsCharge, description="The order as the store has it.")
    def get_order_as_charge(order_id: str) -> dict[str, Any]:
        store = authorised(services)
        return _order_as_charge(lists.order_without_charge(store, order_number(order_id)), store.config)


def _order_as_charge(found: lists.UnchargedOrder, store: Store) -> dict[str, Any]:
    """Source: WooPayments, `generate_charge_from_order`."""
    order, intent = found.order, found.intent
    amount = Money.parse(order.total, order.currency, rounding=True).amount
    billing = order.billing
    return {
        "id": order.id,
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application_fee_amount": 0,
        "balance_transaction": {"currency": order.currency, "amount": amount, "fee": 0},
        "billing_details": formatted(_billing_details(billing)),
        "created": order.created,
        "currency": order.currency,
        "disputed": False,
        "outcome": False,
        "order": order_members(store, order.id, order.number, billing.name, billing.email),
        "paid": False,
        "paydown": None,
        "payment_intent": intent.shown_id if intent else None,
        "payment_method_details": {
            "card": {"country": billing.country, "checks": [], "network": ""},
            "type": "card",
        },
        "refunded": False,
        "refunds": None,
        "status": order.status,
    }


def _billing_details(billing: Address) -> dict[str, Any]:
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    address = {name: getattr(billing, name) for name in names}
    return {"address": address, "email": billing.email, "name": billing.name, "phone": billing.phone}
