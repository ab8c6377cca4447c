"""What happens to every request before its view, in WordPress' order.

Credentials 401, then the key's permission 401, the route 404, the JSON 400, the parameters 400; whether the caller may
have the resource 401, and whether it exists, is for the view.
"""

from dataclasses import replace
from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from bridge.domain import logs
from bridge.domain.actors import KEY, Actor
from bridge.domain.card_data import refuse_card_data
from bridge.http.auth import authenticate, permits, require_permission, require_refunds, tell_refused
from bridge.http.client_address import client_address
from bridge.http.rate_limit import Limits
from bridge.http.request_context import RequestContext, begin, require
from bridge.http.settings_protocol import HttpSettings
from bridge.http.smorest import Blueprint, Route
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.errors import LARGEST_BODY, RestError, bad_request, forbidden, no_route, too_large
from bridge.http.wordpress.parameters import merge, read_body
from bridge.http.wordpress.php_input import lists, nest, query_pairs
from bridge.http.wordpress.route_index import describe_path
from bridge.registry.keys import used
from bridge.services import Services, StoreHandle

log = logs.logger(__name__)

_CREDENTIALS = ("consumer_key", "consumer_secret", "oauth_")


def install(blueprint: Blueprint, services: Services, settings: HttpSettings, limits: Limits) -> None:
    """Every request of this blueprint goes through here first."""

    def admit() -> Response | None:
        services.refusals.write()
        context = _begin(blueprint, settings)
        route = _route(blueprint, settings, context)
        if route:
            context.failures, context.largest_body = route.failures, route.largest_body
            context.once = route.rule if route.once else ""
        if not (route and route.offline):
            services.database.use()  # one that cannot be used says so to everybody, not only to who has a key
        _limit_body(context.largest_body)
        _identify(services, settings, limits, context)
        asks_for_options = context.method == "OPTIONS"
        if asks_for_options:
            route = blueprint.matched_by_any_method()
        elif route is None:
            raise no_route()
        elif route.sends_back:
            _require_refunds(services, settings, context)
        siblings = blueprint.routes_at(route.rule) if route else []
        context.allowed = _allowed(context, siblings)
        if asks_for_options:
            return render(describe_path(siblings))
        if not (route and route.raw):
            _read_parameters(context)
        return None

    blueprint.before_request(admit)


def authorised(services: Services) -> StoreHandle:
    """The store of the caller. Raises RestError for anybody: a view that asks for its store needs no other check."""
    context = require()
    key = context.key
    if key is None:
        raise forbidden()
    store = services.store(key.store_id, context.store_updated)
    return replace(store, actor=lambda: Actor(KEY, key.id, context.address))


def _begin(blueprint: Blueprint, settings: HttpSettings) -> RequestContext:
    prefix = blueprint.mounted_at()
    return begin(
        RequestContext(
            method=request.method.upper(),
            path=request.path[len(prefix) :],
            address=client_address(request, settings),
            root=settings.public_url or request.root_path.rstrip("/") + prefix,
            query=lists(nest(query_pairs(request.query_string.decode("utf-8", "replace")))),
            largest_body=LARGEST_BODY,
        )
    )


def _limit_body(largest: int) -> None:
    """Read the body, so that one whose length nobody told is not cut off silently."""
    limit = request.max_content_length
    request.max_content_length = largest + 1 if limit is None else min(limit, largest + 1)
    try:
        body = request.get_data()
    except HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - malformed chunks or a lost connection: each server has its own errors
        log.warning("the body of a request could not be read: %s", type(error).__name__)
        raise bad_request() from None
    if len(body) > largest:
        raise too_large(largest)


def _route(blueprint: Blueprint, settings: HttpSettings, context: RequestContext) -> Route | None:
    """`_method` and X-HTTP-Method-Override count, also on GET, unless the owner has switched them off. The request goes
    on to where the other method leads."""
    wanted = context.query.get("_method", request.headers.get("X-HTTP-Method-Override"))
    if settings.method_override and isinstance(wanted, str) and wanted:
        context.method = wanted.upper()
        route, request.url_rule, request.view_args = blueprint.match(context.method)
        return route
    return blueprint.route_of(request.endpoint or "", request.view_args or {})


def _identify(services: Services, settings: HttpSettings, limits: Limits, context: RequestContext) -> None:
    """Keys count below /wp-json/wc/ and /wp-json/wc-... only."""
    if not context.path.startswith(("/wp-json/wc/", "/wp-json/wc-")):
        return
    pair = authenticate(services, settings, limits, request, context)
    if pair is None:
        return
    limits.key_requests.take(pair.key.id)
    limits.store_requests.take(pair.key.store_id)
    context.key, context.store_updated = pair.key, pair.store_updated
    try:
        require_permission(settings, pair.key.permissions, context.method)
    except RestError:
        tell_refused(services, settings, request, "wrong_scope", pair.key)
        raise
    used(services, pair)


def _require_refunds(services: Services, settings: HttpSettings, context: RequestContext) -> None:
    """A money rule: by whichever method, override or body the route was reached, it is for keys that may refund."""
    if context.key is None:
        return  # the view refuses whoever has none
    try:
        require_refunds(settings, context.key)
    except RestError:
        tell_refused(services, settings, request, "no_refunds", context.key)
        raise


def _allowed(context: RequestContext, siblings: list[Route]) -> tuple[str, ...]:
    """The methods of a path that the caller may use on it."""

    def may_use(route: Route, method: str) -> bool:
        key = context.key
        if key is None or route.public:
            return route.public
        return permits(key.permissions, method) and (key.may_refund or not route.sends_back)

    return tuple(method for route in siblings for method in route.methods if may_use(route, method))


def _read_parameters(context: RequestContext) -> None:
    path: dict[str, Any] = request.view_args or {}
    body = read_body(request, context.method)
    if context.key:
        refuse_card_data(without_credentials(context.query), without_credentials(body), path)
    context.parameters = merge(context.query, body, path)


def without_credentials(place: Any) -> Any:
    """A nonce may look like a card number, and is another one each time."""
    if not isinstance(place, dict):
        return place
    return {name: value for name, value in place.items() if not name.startswith(_CREDENTIALS)}
