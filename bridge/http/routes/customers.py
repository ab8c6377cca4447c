"""`/wp-json/wc/v3/payments/customers/{customer_id}/payment_methods`: what a payer has saved at the provider."""

from typing import Any

from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import FORWARDED
from bridge.http.wordpress.request_pipeline import authorised
from bridge.payments.customers import payment_methods
from bridge.schemas.woopayments_orders import SavedPaymentMethod
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/customers/<customer_id>/payment_methods"
OWN_PARTS = ("card", "sepa_debit", "link")


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(PATH, methods=["GET"], tags=["Customers"], failures=FORWARDED)
    @blueprint.doc(summary="List the payment methods of a customer", operationId="listPaymentMethods")
    @blueprint.response(200, SavedPaymentMethod(many=True), description="Empty for an unknown customer.")
    def list_payment_methods(customer_id: str) -> list[dict[str, Any]]:
        return [_shown(method) for method in payment_methods(authorised(services), customer_id)]


def _shown(method: dict[str, Any]) -> dict[str, Any]:
    """With one own part at the most. Source: WooPayments, `prepare_item_for_response`."""
    own = next((name for name in OWN_PARTS if method.get(name)), None)
    shown = {"id": method["id"], "type": method["type"], "billing_details": method.get("billing_details") or {}}
    return shown | ({own: method[own]} if own else {})
