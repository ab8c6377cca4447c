"""The one way to the bridge by HTTP: a blueprint that closes over its own services. Nothing is global."""

from bridge.http import idempotency, routes
from bridge.http.rate_limit import Limits
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import Blueprint
from bridge.http.wordpress import errors, request_pipeline, route_index
from bridge.services import Services

__all__ = ["Blueprint", "HttpSettings", "make_blueprint"]


def make_blueprint(services: Services, settings: HttpSettings, *, name: str = "wcpay_bridge") -> Blueprint:
    """A fresh blueprint. It may be mounted under any prefix; two in one app need two names."""
    blueprint = Blueprint(name, "WooPayments' REST API")
    errors.install(blueprint, settings, services.database.troubles)
    limits = Limits(settings, services.clock)
    request_pipeline.install(blueprint, services, settings, limits)
    idempotency.install(blueprint, services)
    routes.add_routes(blueprint, services, settings, limits)
    route_index.add_routes(blueprint)
    if settings.api_docs:
        routes.openapi.add_routes(blueprint, settings, services.version, lambda: make_blueprint(services, settings))
    return blueprint
