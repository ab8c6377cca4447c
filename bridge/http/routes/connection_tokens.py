"""`/wp-json/wc/v3/payments/connection_tokens`: what a card reader's app needs to connect."""

from flask import Response

from bridge.http.smorest import Blueprint
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.error_table import FORWARDED
from bridge.http.wordpress.request_pipeline import authorised
from bridge.payments.terminal import connection_token
from bridge.schemas.woopayments_orders import ConnectionToken
from bridge.services import Services


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(
        "/wp-json/wc/v3/payments/connection_tokens",
        methods=["POST"],
        tags=["In-person payments"],
        failures=FORWARDED,
    )
    @blueprint.doc(summary="Let a card reader connect", operationId="createConnectionToken")
    @blueprint.response(200, ConnectionToken, description="The provider's token.")
    def create_connection_token() -> Response:
        store = authorised(services)
        return render({**connection_token(store), "test_mode": not store.config.live})
