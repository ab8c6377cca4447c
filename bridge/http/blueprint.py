"""The one way to the bridge by HTTP: a blueprint that closes over its own services. Nothing is global."""

from bridge.http import (
    authorizations,
    charges,
    connection_tokens,
    customers,
    errors,
    health,
    idempotency,
    index,
    manners,
    metrics,
    openapi,
    orders,
    pay,
    payment_intents,
    previews,
    refunds,
    timeline,
    transactions,
    webhooks,
)
from bridge.http.policy import Policy
from bridge.http.smorest import Blueprint
from bridge.services import Services

__all__ = ["Blueprint", "Policy", "make_blueprint"]

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
    pay,
)


def make_blueprint(services: Services, settings: Policy, *, name: str = "wcpay_bridge") -> Blueprint:
    """A fresh blueprint. It may be mounted under any prefix; two in one app need two names."""
    blueprint = Blueprint(name, "WooPayments' REST API")
    errors.install(blueprint, settings, services.database.troubles)
    manners.install(blueprint, services, settings)
    idempotency.install(blueprint, services)
    payment_intents.add_routes(blueprint, services, settings)
    for resource in RESOURCES:
        resource.add_routes(blueprint, services)
    webhooks.add_routes(blueprint, services, settings)
    index.add_routes(blueprint)
    health.add_routes(blueprint, services)
    metrics.add_routes(blueprint, services, settings)
    openapi.add_routes(blueprint, settings, services.version, lambda: make_blueprint(services, settings))
    return blueprint
