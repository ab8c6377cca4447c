"""What happens to every request before its view, in WordPress' order.

Credentials 401, then the key's permission 401, the route 404, the JSON 400, the parameters 400; whether the caller may
have the resource 401, and whether it exists, is for the view.
"""

from typing import Any

from flask import Response, request
from werkzeug.exceptions import HTTPException

from bridge.domain import logs
from bridge.domain.stores import Store
from bridge.http.auth import authenticate, permits, require_permission, tell_refused
from bridge.http.card_data import refuse_card_data
from bridge.http.rate_limit import Guesses
from bridge.http.request_context import Exchange, begin, require
from bridge.http.settings_protocol import Policy
from bridge.http.smorest import Blueprint, Route
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.errors import LARGEST_BODY, RestError, bad_request, forbidden, no_route, too_large
from bridge.http.wordpress.parameters import merge, read_body
from bridge.http.wordpress.php_input import lists, nest, query_pairs
from bridge.http.wordpress.route_index import describe_path
from bridge.registry.keys import used
from bridge.services import Services

log = logs.logger(__name__)

_CREDENTIALS = ("consumer_key", "consumer_secret", "oauth_")


def install(blueprint: Blueprint, services: Services, policy: Policy) -> None:
    """Every request of this blueprint goes through here first."""

    guesses = Guesses(policy)

    def admit() -> Response | None:
        services.refusals.write()
        exchange = _begin(blueprint, policy)
        route = _override_method(blueprint, exchange)
        if route:
            exchange.failures, exchange.largest_body = route.failures, route.largest_body
            exchange.once = route.rule if route.once else ""
        _limit_body(exchange.largest_body)
        _identify(services, policy, guesses, exchange)
        asks_for_options = exchange.method == "OPTIONS"
        if asks_for_options:
            route = blueprint.matched_by_any_method()
        elif route is None:
            raise no_route()
        siblings = blueprint.routes_at(route.rule) if route else []
        exchange.allowed = _allowed(exchange, siblings)
        if asks_for_options:
            return render(describe_path(siblings))
        if not (route and route.raw):
            _read_parameters(exchange)
        return None

    blueprint.before_request(admit)


def authorised(services: Services) -> Store:
    """The store of the caller. Raises RestError for anybody: a view that asks for its store needs no other check."""
    exchange = require()
    if exchange.key is None:
        raise forbidden()
    return services.connections.store(exchange.key.store_id, exchange.store_updated)


def _begin(blueprint: Blueprint, policy: Policy) -> Exchange:
    prefix = blueprint.mounted_at()
    return begin(
        Exchange(
            method=request.method.upper(),
            path=request.path[len(prefix) :],
            root=policy.public_url or request.root_path.rstrip("/") + prefix,
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


def _override_method(blueprint: Blueprint, exchange: Exchange) -> Route | None:
    """`_method` and X-HTTP-Method-Override, also on GET. The request goes on to where the other method leads."""
    wanted = exchange.query.get("_method", request.headers.get("X-HTTP-Method-Override"))
    if isinstance(wanted, str) and wanted:
        exchange.method = wanted.upper()
        route, request.url_rule, request.view_args = blueprint.match(exchange.method)
        return route
    return blueprint.route_of(request.endpoint or "", request.view_args or {})


def _identify(services: Services, policy: Policy, guesses: Guesses, exchange: Exchange) -> None:
    """Keys count below /wp-json/wc/ and /wp-json/wc-... only."""
    if not exchange.path.startswith(("/wp-json/wc/", "/wp-json/wc-")):
        return
    try:
        guesses.admit(request)
    except RestError:
        tell_refused(services, policy, request, "rate_limited")
        raise
    try:
        pair = authenticate(services, policy, request, exchange.path)
    except RestError:
        guesses.count(request)
        raise
    if pair is None:
        guesses.count(request)
        return
    exchange.key, exchange.store_updated = pair.key, pair.store_updated
    try:
        require_permission(policy, pair.key.permissions, exchange.method)
    except RestError:
        tell_refused(services, policy, request, "wrong_scope", pair.key)
        raise
    used(services, pair)


def _allowed(exchange: Exchange, siblings: list[Route]) -> tuple[str, ...]:
    """The methods of a path that the caller may use on it."""

    def may_use(route: Route, method: str) -> bool:
        return route.public or (exchange.key is not None and permits(exchange.key.permissions, method))

    return tuple(method for route in siblings for method in route.methods if may_use(route, method))


def _read_parameters(exchange: Exchange) -> None:
    path: dict[str, Any] = request.view_args or {}
    body = read_body(request, exchange.method)
    if exchange.key:
        refuse_card_data([without_credentials(exchange.query), without_credentials(body), path])
    exchange.parameters = merge(exchange.query, body, path)


def without_credentials(place: Any) -> Any:
    """A nonce may look like a card number, and is another one each time."""
    if not isinstance(place, dict):
        return place
    return {name: value for name, value in place.items() if not name.startswith(_CREDENTIALS)}
