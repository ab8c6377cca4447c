"""The resource by which webhook endpoints are made over HTTP; a secret is shown once, by the answer that makes it.

Source: https://docs.stripe.com/api/webhook_endpoints.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .errors import Json, invalid, no_such
from .listing import page
from .request_checks import CURRENT_VERSION
from .state import Call, State, merged_metadata
from .webhooks import ROTATION, Secret, WebhookEndpoint, check_url


def make(state: State, account: str, url: str, secrets: Iterable[str] = (), **more: Any) -> WebhookEndpoint:
    """A new endpoint of `account`; without `secrets` it gets one. ValueError for an address that is not safe."""
    check_url(url)
    signing = tuple(Secret(secret) for secret in secrets) or (Secret(state.mint("whsec")),)
    endpoint = WebhookEndpoint(state.mint("we"), url, account, secrets=signing, created=state.now(), **more)
    return state.webhooks.keep(endpoint)


def rotate(state: State, endpoint: WebhookEndpoint, secret: str | None, keep_for: float = ROTATION) -> str:
    """Give the endpoint a new secret, beside which the older ones sign for `keep_for` seconds more."""
    now = state.clock()
    new = secret or state.mint("whsec")
    older = tuple(replace(one, end=min(one.end or now + keep_for, now + keep_for)) for one in endpoint.secrets)
    state.webhooks.keep(replace(endpoint, secrets=(Secret(new), *(one for one in older if one.valid(now)))))
    return new


def create(call: Call) -> Json:
    params = call.params
    if params.get("api_version", CURRENT_VERSION) != CURRENT_VERSION:
        raise invalid(f"This simulator renders events in version {CURRENT_VERSION} only.", "api_version")
    _check_address(params["url"])
    endpoint = make(
        call.state,
        call.account,
        params["url"],
        connect=params.get("connect", False),
        events=_events(params["enabled_events"]),
        description=params.get("description") or None,
        metadata=_metadata({}, params),
        api_version=params.get("api_version"),
    )
    return {**endpoint.to_json(), "secret": endpoint.secrets[0].value}


def retrieve(call: Call) -> Json:
    return _endpoint(call).to_json()


def update(call: Call) -> Json:
    endpoint, params = _endpoint(call), call.params
    if "url" in params:
        _check_address(params["url"])
    changes: Json = {name: params[name] or None for name in ("url", "description") if name in params}
    if "enabled_events" in params:
        changes["events"] = _events(params["enabled_events"])
    if "disabled" in params:
        changes["enabled"] = not params["disabled"]
    changes["metadata"] = _metadata(dict(endpoint.metadata), params)
    return call.state.webhooks.keep(replace(endpoint, **changes)).to_json()


def delete(call: Call) -> Json:
    endpoint = _endpoint(call)
    call.state.webhooks.remove(endpoint.id)
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def list_all(call: Call) -> Json:
    newest_first = reversed(call.state.webhooks.endpoints)
    mine = [endpoint.to_json() for endpoint in newest_first if endpoint.account == call.account]
    return page(mine, call.params, "/v1/webhook_endpoints")


def _endpoint(call: Call) -> WebhookEndpoint:
    found = call.state.webhooks.find(call.ids["id"])
    if found is None or found.account != call.account:
        raise no_such("webhook endpoint", call.ids["id"], "webhook_endpoint")
    return found


def _check_address(url: str) -> None:
    try:
        check_url(url)
    except ValueError as error:
        raise invalid(str(error), "url", "url_invalid") from error


def _events(given: list[str]) -> tuple[str, ...]:
    if not given:
        raise invalid("You must select at least one event.", "enabled_events")
    return tuple(given)


def _metadata(before: Json, params: Json) -> tuple[tuple[str, str], ...]:
    return tuple(merged_metadata(before, params.get("metadata")).items())
