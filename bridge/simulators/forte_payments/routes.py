"""The table of addresses: who may call each, with which body, and who does the work."""

from collections.abc import Callable
from dataclasses import dataclass

from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from . import bodies, control_api, hosted, notifications, payments, request_checks, widget
from .assumptions import TOKEN_PATHS
from .request_checks import Door
from .schema_language import Thing
from .state import Call


@dataclass(frozen=True, eq=False)
class Route:
    """One endpoint. `body` is the shape of its JSON body, None for no body; `invalid` the status for another shape;
    `api` says that it answers JSON to programs, `shared` that scripts of other origins may call it."""

    method: str
    path: str
    door: Door
    run: Callable[[Call], Response]
    body: Thing | None = None
    invalid: int = 400
    api: bool = True
    shared: bool = False


_SUBSCRIPTIONS = "/notifications/v1/subscriptions"
_SUBSCRIPTION = f"{_SUBSCRIPTIONS}/<id>"
_INTENT = "/payments/v2/intent"
_ENDS = "<any(approve, decline, expire):action>"
_NEW, _CHANGED = bodies.NEW_SUBSCRIPTION, bodies.CHANGED_SUBSCRIPTION

# fmt: off
ROUTES = (
    *(Route("POST", path, request_checks.anybody, payments.create_token, bodies.CREDENTIALS) for path in TOKEN_PATHS),
    Route("POST",   _INTENT, request_checks.merchant, payments.create_intent, bodies.PAYMENT),
    Route("POST",   f"{_INTENT}/redirect", request_checks.merchant, payments.create_redirect, bodies.PAYMENT),
    Route("POST",   "/payments/v1/payments/statuses", request_checks.merchant, payments.list_statuses, bodies.STATUSES),
    Route("GET",    "/payments/v1/widget/manifest", request_checks.merchant, widget.show_manifest),
    Route("POST",   _SUBSCRIPTIONS, request_checks.merchant, notifications.create_subscription, _NEW, 422),
    Route("GET",    _SUBSCRIPTIONS, request_checks.merchant, notifications.list_subscriptions),
    Route("PATCH",  _SUBSCRIPTION, request_checks.merchant, notifications.change_subscription, _CHANGED, 422),
    Route("DELETE", _SUBSCRIPTION, request_checks.merchant, notifications.delete_subscription),
    Route("POST",   f"{_SUBSCRIPTION}/enable", request_checks.merchant, notifications.enable_subscription),
    Route("POST",   f"{_SUBSCRIPTION}/disable", request_checks.merchant, notifications.disable_subscription),
    Route("POST",   f"{_SUBSCRIPTION}/test", request_checks.merchant, notifications.test_subscription),
    Route("POST",   "/notifications/v1/webhooks/replay", request_checks.merchant, notifications.replay_webhooks),
    Route("GET",    "/<uuid:site>", request_checks.anybody, hosted.open_page, api=False),
    Route("POST",   "/<uuid:site>", request_checks.anybody, hosted.submit_page, api=False),
    Route("GET",    f"/{widget.SCRIPT_NAME}", request_checks.anybody, widget.serve_script, api=False, shared=True),
    Route("GET",    f"/{widget.VERSIONED_NAME}", request_checks.anybody, widget.serve_script, api=False, shared=True),
    Route("GET",    "/widget/v1/session", request_checks.buyer, widget.show_session, shared=True),
    Route("POST",   "/widget/v1/identity", request_checks.buyer, widget.verify_identity, shared=True),
    Route("POST",   "/widget/v1/payment", request_checks.buyer, widget.pay, bodies.CARD_PAYMENT, shared=True),
    Route("GET",    "/__sim/intents", request_checks.operator, control_api.list_intents),
    Route("POST",   f"/__sim/intents/<id>/{_ENDS}", request_checks.operator, control_api.end_intent),
)
# fmt: on


def build_map() -> Map:
    """A URL map whose endpoints are the Routes."""
    rules = [Rule(route.path, methods=[route.method], endpoint=route) for route in ROUTES]
    return Map(rules, strict_slashes=True, redirect_defaults=False, merge_slashes=False)
