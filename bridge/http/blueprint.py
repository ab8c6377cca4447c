"""The one way to the bridge by HTTP: a blueprint that closes over its own services. Nothing is global."""

from bridge.http import idempotency
from bridge.http.rate_limit import Limits
from bridge.http.routes import (
    authorizations,
    charges,
    checkout_page,
    connection_tokens,
    customers,
    health,
    metrics,
    openapi,
    orders,
    payment_intents,
    previews,
    refunds,
    timeline,
    transactions,
    webhooks,
)
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import Blueprint
from bridge.http.wordpress import errors, request_pipeline, route_index
from bridge.services import Services

__all__ = ["Blueprint", "HttpSettings", "make_blueprint"]

RESOURCES = (
    previews,
    orders,
    refunds,
    customers,
    connection_tokens,
    charges,
    authorizations,
    transactions,
    timeline,
)


def make_blueprint(services: Services, settings: HttpSettings, *, name: str = "wcpay_bridge") -> Blueprint:
    """A fresh blueprint. It may be mounted under any prefix; two in one app need two names."""
    blueprint = Blueprint(name, "WooPayments' REST API")
    errors.install(blueprint, settings, services.database.troubles)
    limits = Limits(settings, services.clock)
    request_pipeline.install(blueprint, services, settings, limits)
    idempotency.install(blueprint, services)
    payment_intents.add_routes(blueprint, services, settings, limits)
    checkout_page.add_routes(blueprint, services, limits)
    for resource in RESOURCES:
        resource.add_routes(blueprint, services)
    webhooks.add_routes(blueprint, services, settings)
    route_index.add_routes(blueprint)
    health.add_routes(blueprint, services)
    metrics.add_routes(blueprint, services, settings, limits)
    openapi.add_routes(blueprint, settings, services.version, lambda: make_blueprint(services, settings))
    return blueprint
