"""`/wp-json/wc/v3/payments/refund`: send money back."""

from typing import Any

from bridge.http.idempotency import begun_attempt, fresh_attempt
from bridge.http.request_context import require
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import REFUND_OF_CHARGE, REFUND_OF_ORDER
from bridge.http.wordpress.parameters import identifier
from bridge.http.wordpress.request_pipeline import authorised
from bridge.payments.refunds import refund
from bridge.reports.lists import intent_of_refund
from bridge.schemas.woopayments_orders import Refunded, RefundWanted
from bridge.services import Services

EXAMPLE = {"order_id": 19, "amount": 250, "reason": "requested_by_customer"}


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(
        "/wp-json/wc/v3/payments/refund",
        methods=["POST"],
        tags=["Refunds"],
        failures=REFUND_OF_ORDER + REFUND_OF_CHARGE,
        once=True,
        sends_back=True,
    )
    @blueprint.arguments(RefundWanted, example=EXAMPLE)
    @blueprint.doc(summary="Refund a payment, whole or in part", operationId="createRefund")
    @blueprint.response(200, Refunded, description="The refund as the provider has it.")
    def create_refund(parameters: dict[str, Any]) -> dict[str, Any]:
        """Of an order's payment, or of a charge. It may still fail later; the shop hears of both.

        Without an Idempotency-Key the same refund within ten minutes is answered with the first one, `repeated`.
        """
        store, charge_id = authorised(services), parameters.get("charge_id")
        require().failures = REFUND_OF_CHARGE if charge_id else REFUND_OF_ORDER
        wanted = parameters | {"charge_id": identifier(charge_id) if charge_id else None}
        made = refund(store, **wanted, attempt_id=begun_attempt() or fresh_attempt())
        done = made.refund
        intent = intent_of_refund(store, done)
        return {
            "id": done.id,
            "amount": done.amount,
            "currency": intent.currency.lower(),
            "charge": done.charge_id,
            "payment_intent": intent.shown_id,
            "reason": done.reason or None,
            "status": done.status,
            "created": done.created or int(services.clock()),
        } | ({"repeated": True} if made.repeated else {})
