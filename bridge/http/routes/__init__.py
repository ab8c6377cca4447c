"""The routes, one file per resource, each of which is listed here."""

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
from bridge.services import Services

__all__ = ["add_routes", "openapi"]

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
    health,
)
"""Those that need nothing but services."""


def add_routes(blueprint: Blueprint, services: Services, settings: HttpSettings, limits: Limits) -> None:
    """All but the description of the API, which is of the whole blueprint."""
    payment_intents.add_routes(blueprint, services, settings, limits)
    checkout_page.add_routes(blueprint, services, limits)
    for resource in RESOURCES:
        resource.add_routes(blueprint, services)
    webhooks.add_routes(blueprint, services, settings)
    metrics.add_routes(blueprint, services, settings, limits)
