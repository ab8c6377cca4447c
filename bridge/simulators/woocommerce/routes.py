"""The route table of the simulated store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import arguments, note_routes, order_routes, refund_routes, store_routes, webhook_routes
from .batching import batch_of
from .rest_server import described
from .rest_values import EDITABLE, Answer, Endpoint, Handler, RestRequest, Route
from .state import Shop

ID = r"(?P<id>[\d]+)"
NAME = r"(?P<id>[\w-]+)"
ORDERS = "/wc/v3/orders"
OF_ORDER = ORDERS + r"/(?P<order_id>[\d]+)"
WEBHOOKS = "/wc/v3/webhooks"
GROUP = r"/wc/v3/settings/(?P<group_id>[\w-]+)"


def _get(pattern: str, handler: Handler, action: str, schemas: arguments.Arguments = arguments.READ) -> Route:
    return Route(pattern, (Endpoint(("GET",), handler, schemas, action),))


ORDER_BATCH = batch_of(
    create=(order_routes.create, arguments.ORDER_CREATED),
    update=(order_routes.update, arguments.ORDER_UPDATED),
    delete=(order_routes.delete, arguments.DELETED),
)
WEBHOOK_BATCH = batch_of(
    create=(webhook_routes.create, arguments.WEBHOOK_CREATED),
    update=(webhook_routes.update, arguments.WEBHOOK_UPDATED),
    delete=(webhook_routes.delete, arguments.DELETED),
)
ROUTES = (
    Route(
        ORDERS,
        (
            Endpoint(("GET",), order_routes.list_all, arguments.ORDER_LIST, "list"),
            Endpoint(("POST",), order_routes.create, arguments.ORDER_CREATED, "create"),
        ),
    ),
    Route(
        f"{ORDERS}/{ID}",
        (
            Endpoint(("GET",), order_routes.read, arguments.ORDER_READ, "view"),
            Endpoint(EDITABLE, order_routes.update, arguments.ORDER_UPDATED, "edit"),
            Endpoint(("DELETE",), order_routes.delete, arguments.DELETED, "delete"),
        ),
    ),
    Route(f"{ORDERS}/batch", (Endpoint(EDITABLE, ORDER_BATCH, arguments.BATCH, "batch"),)),
    Route(
        f"{OF_ORDER}/notes",
        (
            Endpoint(("GET",), note_routes.list_all, arguments.NOTE_LIST, "list"),
            Endpoint(("POST",), note_routes.create, arguments.NOTE_CREATED, "create"),
        ),
    ),
    Route(
        f"{OF_ORDER}/notes/{ID}",
        (
            Endpoint(("GET",), note_routes.read, arguments.NOTE_READ, "view"),
            Endpoint(("DELETE",), note_routes.delete, arguments.NOTE_DELETED, "delete"),
        ),
    ),
    Route(
        f"{OF_ORDER}/refunds",
        (
            Endpoint(("GET",), refund_routes.list_all, arguments.REFUND_LIST, "list"),
            Endpoint(("POST",), refund_routes.create, arguments.REFUND_CREATED, "create"),
        ),
    ),
    Route(
        f"{OF_ORDER}/refunds/{ID}",
        (
            Endpoint(("GET",), refund_routes.read, arguments.REFUND_READ, "view"),
            Endpoint(("DELETE",), refund_routes.delete, arguments.REFUND_DELETED, "delete"),
        ),
    ),
    Route(
        WEBHOOKS,
        (
            Endpoint(("GET",), webhook_routes.list_all, arguments.WEBHOOK_LIST, "list"),
            Endpoint(("POST",), webhook_routes.create, arguments.WEBHOOK_CREATED, "create"),
        ),
    ),
    Route(
        f"{WEBHOOKS}/{ID}",
        (
            Endpoint(("GET",), webhook_routes.read, arguments.READ, "view"),
            Endpoint(EDITABLE, webhook_routes.update, arguments.WEBHOOK_UPDATED, "edit"),
            Endpoint(("DELETE",), webhook_routes.delete, arguments.DELETED, "delete"),
        ),
    ),
    Route(f"{WEBHOOKS}/batch", (Endpoint(EDITABLE, WEBHOOK_BATCH, arguments.BATCH, "batch"),)),
    _get("/wc/v3/products", store_routes.list_products, "list", arguments.PRODUCT_LIST),
    _get(f"/wc/v3/products/{ID}", store_routes.read_product, "view"),
    _get("/wc/v3/customers", store_routes.list_customers, "list", arguments.CUSTOMER_LIST),
    _get(f"/wc/v3/customers/{ID}", store_routes.read_customer, "view"),
    _get("/wc/v3/payment_gateways", store_routes.list_gateways, "list", {"context": arguments.CONTEXT}),
    _get(f"/wc/v3/payment_gateways/{NAME}", store_routes.read_gateway, "view", {"context": arguments.CONTEXT}),
    _get(GROUP, store_routes.list_settings, "list", {"context": arguments.CONTEXT}),
    Route(
        f"{GROUP}/{NAME}",
        (
            Endpoint(("GET",), store_routes.read_setting, {"context": arguments.CONTEXT}, "view"),
            Endpoint(EDITABLE, store_routes.update_setting, arguments.SETTING_UPDATED, "edit_setting"),
        ),
    ),
    _get("/wc/v3/system_status", store_routes.system_status, "list", {"context": arguments.CONTEXT}),
)


WOOPAYMENTS_ROUTES = ("accounts", "connection_tokens", "webhook")
"""Some of those that an active WooPayments adds to the namespace. They are shown only: a store whose payment routes are
the bridge's never gets a request for them."""
WOOPAYMENTS_ROUTE: dict[str, Any] = {"namespace": "wc/v3", "methods": ["GET"], "endpoints": []}


def route_table() -> tuple[Route, ...]:
    """Every route, with the two indexes, which anybody may read, in front."""
    table: list[Route] = []

    def index(show: Callable[[Shop, RestRequest, Mapping[str, Any]], Answer], prefix: str) -> Handler:
        def handler(shop: Shop, request: RestRequest) -> Answer:
            shown = {route.pattern: described(route) for route in table if route.pattern.startswith(prefix)}
            if shop.has_woopayments:
                shown |= {f"/wc/v3/payments/{name}": WOOPAYMENTS_ROUTE for name in WOOPAYMENTS_ROUTES}
            return show(shop, request, shown)

        return handler

    table.append(Route("/", (Endpoint(("GET",), index(store_routes.site_index, "/")),)))
    table.append(Route("/wc/v3", (Endpoint(("GET",), index(store_routes.namespace_index, "/wc/v3")),)))
    return tuple(table := [*table, *ROUTES])
