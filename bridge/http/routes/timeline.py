"""`/wp-json/wc/v3/payments/timeline/{id}`: what happened to a payment."""

from typing import Any

from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import LOOK_UP
from bridge.http.wordpress.request_pipeline import authorised
from bridge.reports.timeline import timeline
from bridge.schemas.woopayments_reports import Timeline
from bridge.services import Services


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(
        "/wp-json/wc/v3/payments/timeline/<intention_id>", methods=["GET"], tags=["Transactions"], failures=LOOK_UP
    )
    @blueprint.doc(summary="What happened to a payment", operationId="getTimeline")
    @blueprint.response(200, Timeline, description="Newest first.")
    def get_timeline(intention_id: str) -> dict[str, Any]:
        """Of an intent, or of all intents of an order."""
        return {"data": timeline(authorised(services), intention_id)}
