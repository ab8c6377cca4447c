"""`/wp-json/wc/v3/payments/payment_intents`: create one, look one up."""

from typing import Any

from bridge.http.idempotency import begun_attempt, fresh_attempt
from bridge.http.rate_limit import Limits
from bridge.http.request_context import require
from bridge.http.routes.checkout_page import pay_link
from bridge.http.serializers import created_intent, shown_intent
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import WORD, Blueprint
from bridge.http.wordpress.error_table import CREATE, LOOK_UP
from bridge.http.wordpress.request_pipeline import authorised
from bridge.payments.create import create_payment_intent
from bridge.payments.idempotency import repeat_create
from bridge.payments.intents import view_intent
from bridge.reports import lists
from bridge.schemas.woopayments import CreatedIntent, Parameters, ShownIntent
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/payment_intents"
NAMES = rf"(?!preview$){WORD}"
"""`preview` is a route of its own, for POST only."""
EXAMPLE = {"payment_method": "pm_card_visa", "customer": "cus_OUQoHGzJLw87Tk", "order_id": 19}


def add_routes(blueprint: Blueprint, services: Services, settings: HttpSettings, limits: Limits) -> None:
    @blueprint.route(PATH, methods=["POST"], tags=["Payment intents"], failures=CREATE, once=True)
    @blueprint.arguments(Parameters, example=EXAMPLE)
    @blueprint.doc(summary="Create a payment intent", operationId="createPaymentIntent")
    @blueprint.response(
        200, CreatedIntent, as_is=True, description="What the order owes was charged, or its payment was started."
    )
    def create(parameters: dict[str, Any]) -> dict[str, Any]:
        """Charges what an order owes, once: a repeat is answered with the same intent.

        Amount and currency are the order's. Parameters may be sent as JSON, form or query.
        """
        store, begun = authorised(services), begun_attempt()
        with limits.declines(store.config.shop_id, require().address) as guard:
            shown = (repeat_create(store, begun) if begun else None) or create_payment_intent(
                store,
                order_id=parameters.get("order_id"),
                customer=parameters.get("customer"),
                payment_method=parameters.get("payment_method"),
                attempt_id=fresh_attempt(),
                before_start=guard.begin,
            )
        return created_intent(shown, settings.compat, pay_link(services, shown.intent))

    @blueprint.route(
        f"{PATH}/<payment_intent_id>", methods=["GET"], tags=["Payment intents"], failures=LOOK_UP, names=NAMES
    )
    @blueprint.doc(summary="Look up a payment intent", operationId="getPaymentIntent")
    @blueprint.response(200, ShownIntent, as_is=True, description="The intent as the bridge knows it.")
    def get(payment_intent_id: str) -> dict[str, Any]:
        """By its id, by an attempt's id, or by the provider's own reference."""
        store = authorised(services)
        shown = view_intent(store, payment_intent_id)
        charge = lists.charge_of(services, shown.intent)
        return shown_intent(shown, charge, store.config, pay_link(services, shown.intent))
