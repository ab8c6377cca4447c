"""`/wp-json/wc/v3/payments/payment_intents/preview`: what an order or a cart would cost. An extension of ours."""

from typing import Any

from bridge.domain.outcomes import Quote, QuoteLine
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.error_table import PREVIEW
from bridge.http.wordpress.request_pipeline import authorised
from bridge.payments.preview import preview
from bridge.schemas.woopayments_previews import Preview, Previewed
from bridge.services import Services

PATH = "/wp-json/wc/v3/payments/payment_intents/preview"
EXAMPLE = {
    "currency": "USD",
    "line_items": [{"description": "Pro plan", "unit_amount": 2500, "quantity": 1}],
    "address": {"line1": "1 Main St", "city": "Springfield", "state": "IL", "postal_code": "62701", "country": "US"},
}


def add_routes(blueprint: Blueprint, services: Services) -> None:
    @blueprint.route(PATH, methods=["POST"], tags=["Payment intents"], failures=PREVIEW)
    @blueprint.arguments(Preview, example=EXAMPLE)
    @blueprint.doc(summary="Quote an order or a cart", operationId="previewPaymentIntent")
    @blueprint.response(200, Previewed, description="What it would cost now. Nothing has been created.")
    def quote(parameters: dict[str, Any]) -> dict[str, Any]:
        """Ask as often as the cart changes: nothing is stored here, at the shop or at the provider."""
        store = authorised(services)
        order_id, customer = parameters.pop("order_id", None), parameters.pop("customer", "")
        quoted = preview(store, order_id=order_id, cart=parameters, customer=customer)
        return {**_shown(quoted), "provider": store.config.adapter}


def _shown(quote: Quote) -> dict[str, Any]:
    return {
        "subtotal": quote.subtotal,
        "tax": quote.tax,
        "total": quote.total,
        "currency": quote.currency,
        "line_items": [_shown_line(line) for line in quote.lines],
    }


def _shown_line(line: QuoteLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "unit_amount": line.unit_amount,
        "quantity": line.quantity,
        "subtotal": line.subtotal,
        "tax": line.tax,
        "total": line.total,
    }
