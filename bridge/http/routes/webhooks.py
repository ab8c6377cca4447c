"""Messages of machines: what providers send by themselves, and WooPayments' own webhook route, which is only a hint."""

from typing import Any

from flask import Response, request

from bridge.domain import logs
from bridge.domain.errors import BridgeError, EventRefused
from bridge.http.client_address import client_address
from bridge.http.request_context import require
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.error_table import LOOK_UP, MESSAGE
from bridge.http.wordpress.request_pipeline import authorised
from bridge.inbound.provider_inbox import receive
from bridge.inbound.wcpay_webhook import apply_webhook
from bridge.schemas.woopayments_orders import HintTaken, MessageTaken
from bridge.services import Services

log = logs.logger(__name__)

LARGEST_MESSAGE = 1024 * 1024
"""Bytes."""
ENDPOINT = r"[\w-]{1,64}"
PEER = "x-bridge-peer"
"""Where adapters find the address of whoever sent a message. It never comes from the wire."""
TAGS = ["Webhooks"]


def add_routes(blueprint: Blueprint, services: Services, settings: HttpSettings) -> None:
    @blueprint.route(
        "/bridge/v1/webhooks/<endpoint>",
        methods=["POST"],
        tags=TAGS,
        public=True,
        raw=True,
        largest_body=LARGEST_MESSAGE,
        names=ENDPOINT,
        failures=MESSAGE,
    )
    @blueprint.doc(summary="Receive a provider's message", operationId="receiveMessage", security=[])
    @blueprint.response(
        200, MessageTaken, as_is=True, description="It has been stored, now or before, and will be processed."
    )
    def receive_message(endpoint: str) -> dict[str, Any]:
        """The provider's signature over the bytes is the key. Whatever the message says, the provider is asked."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers[PEER] = client_address(request, settings)
        received = receive(services, endpoint, headers, request.get_data())
        return {"received": True, "duplicate": not received.new}

    @blueprint.route("/wp-json/wc/v3/payments/webhook", methods=["POST"], tags=TAGS, failures=LOOK_UP[:1])
    @blueprint.doc(summary="Hint that something happened to a payment", operationId="takeHint")
    @blueprint.alt_response(
        400, schema=HintTaken, description='`{"result":"bad_request"}`: a required member is missing.'
    )
    @blueprint.alt_response(
        500, schema=HintTaken, description='`{"result":"error"}`: the payment could not be checked.'
    )
    @blueprint.response(200, HintTaken, description="The payment was checked, or there was nothing to check.")
    def take_webhook() -> Response:
        """As WooPayments' platform sends it. The body changes nothing: the payment is looked at, at its provider."""
        store = authorised(services)
        try:
            apply_webhook(store, require().parameters)
        except EventRefused as error:
            return _result("bad_request", 400, error)
        except BridgeError as error:
            return _result("error", 500, error)
        return render({"result": "success"})


def _result(word: str, status: int, error: BridgeError) -> Response:
    log.info("a hint was not accepted: %s", error)
    return render({"result": word}, status)
