"""The one way to the bridge by HTTP: a blueprint that closes over its own services. Nothing is global."""

from bridge.http import errors, health, index, manners, openapi, payment_intents
from bridge.http.policy import Policy
from bridge.http.smorest import Blueprint
from bridge.payments.services import Services

__all__ = ["Blueprint", "Policy", "make_blueprint"]


def make_blueprint(services: Services, settings: Policy, *, name: str = "wcpay_bridge") -> Blueprint:
    """A fresh blueprint. It may be mounted under any prefix; two in one app need two names."""
    blueprint = Blueprint(name, "WooPayments' REST API")
    errors.install(blueprint, settings)
    manners.install(blueprint, services, settings)
    payment_intents.add_routes(blueprint, services, settings)
    index.add_routes(blueprint)
    health.add_routes(blueprint, services)
    openapi.add_routes(blueprint, settings, services.version, lambda: make_blueprint(services, settings))
    return blueprint
