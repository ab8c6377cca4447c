"""`/bridge/v1/pay/<token>`: the buyer's page, what its buttons do, and for its script how the payment stands."""

import functools
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request

from bridge.domain import errors as domain
from bridge.domain import logs
from bridge.domain.intents import PaymentIntent
from bridge.http.rate_limit import Limits, network_of
from bridge.http.request_context import require
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.errors import RestError, no_route
from bridge.payments import checkout_page
from bridge.payments.checkout_page import REDIRECT, Stage
from bridge.payments.hosted_checkout import ALREADY_OPENED, NOT_NOW
from bridge.services import Services
from bridge.web.pay import Page, assets, render_problem, render_visit
from bridge.web.troubles import ASK_SHOP, FAULT, TOO_MANY_LINKS, TROUBLES, trouble_of

log = logs.logger(__name__)

PATH, ASSETS = "/bridge/v1/pay", "/bridge/v1/assets/<name>"
LARGEST_FORM = 4096
"""Bytes."""
TAGS = ["Pay page"]
LIMITED = ("wcpay_rate_limited",)
HTML = "text/html"
PAGE = {"type": "string"}
STAGE = {
    "type": "object",
    "properties": {"stage": {"type": "string"}, "payable": {"type": "boolean"}},
    "required": ["stage"],
}
"""How the page's answers are documented."""
NO_POLICY = "[^/]+"
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with no-referrer, browsers would not say which origin a form came from
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}
HOP_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
NOT_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
ONE_YEAR = {**NOT_KEPT, "Cache-Control": "public, max-age=31536000, immutable"}

NAVIGATION = ("navigate", "document")
_AHEAD = re.compile("prefetch|prerender|preview", re.IGNORECASE)
_MACHINES = re.compile(
    r"bot\b|crawl|spider|slurp|preview|prefetch|unfurl|scan(ner)?\b|facebookexternalhit|facebookcatalog|whatsapp|viber"
    r"|skypeuri|slack|discord|embedly|iframely|vkshare|pinterest|mattermost|ms-office|microsoft office|googleimageproxy"
    r"|google-(pagerenderer|read-aloud|safety|inspectiontool)|feedfetcher|barracuda|proofpoint|mimecast",
    re.IGNORECASE,
)
"""Who opens links to show or to check what is behind them, by User-Agent."""


def pay_link(services: Services, intent: PaymentIntent) -> dict[str, str]:
    """`pay_url` of an intent that waits for the buyer, for an answer of the API; else nothing."""
    token, root = checkout_page.token_for(services, intent), require().root
    if token is None:
        return {}
    host = "" if urlsplit(root).netloc else request.host_url.rstrip("/")
    return {"pay_url": f"{host}{root}{PATH}/{token}"}


def add_routes(blueprint: Blueprint, services: Services, limits: Limits) -> None:
    page: dict[str, Any] = {"tags": TAGS, "public": True, "raw": True, "names": NO_POLICY, "largest_body": LARGEST_FORM}
    _add_page(blueprint, services, limits, page)
    _add_script_routes(blueprint, services, limits, page)


def _add_page(blueprint: Blueprint, services: Services, limits: Limits, page: dict[str, Any]) -> None:
    """What a person sees and presses."""
    for_people = functools.partial(_for_people, limits)

    @blueprint.route(f"{PATH}/<token>", methods=["GET"], **page)
    @blueprint.doc(summary="The buyer's page", operationId="showPayPage", security=[])
    @blueprint.alt_response(303, description="In redirect mode, for a browser: a redirect to the provider's page.")
    @_of_people(blueprint)
    @blueprint.response(200, description="A page.", content_type=HTML)
    @for_people
    def show(token: str) -> Response:
        """Shows how the payment stands and lets the buyer pay. In redirect mode a person who comes for the first time
        is sent on to the provider; HEAD, prefetches and link previews are not."""
        visit = checkout_page.visit(services, token)
        if visit.kind == REDIRECT and visit.stage is Stage.OPEN and not request.query_string and is_person():
            return _hop(services, token, again=False)
        return _show(checkout_page.shown(services, token), token)

    @blueprint.route(f"{PATH}/<token>", methods=["POST"], **page)
    @blueprint.doc(summary="A button of the buyer's page", operationId="pressPayPage", security=[])
    @blueprint.alt_response(303, description="To the provider's page, or to the page that shows what came of it.")
    @blueprint.alt_response(400, schema=PAGE, description="A page: there is no such button.", content_type=HTML)
    @blueprint.alt_response(
        403, schema=PAGE, description="A page: the form came from somewhere else.", content_type=HTML
    )
    @_of_people(blueprint)
    @blueprint.response(200, description="A page.", content_type=HTML)
    @for_people
    def press(token: str) -> Response:
        """`action` is one of check, open, again, onward, retry, approve, decline, as a form. The token itself is what
        proves that the form is ours; one that a browser sends from another origin is refused."""
        if not _is_ours():
            return _answer(render_problem("This form came from another place", ASK_SHOP, up=_up()), 403)
        return _press(services, token, request.form.get("action", ""))


def _of_people(blueprint: Blueprint) -> Callable[[Any], Any]:
    """Documents the pages for buyers that tell of a trouble."""

    def decorate(view: Any) -> Any:
        told: dict[int, list[str]] = {}
        for trouble in (*TROUBLES, FAULT):
            told.setdefault(trouble.status, []).append(trouble.title)
        for status, titles in told.items():
            said = "; ".join(dict.fromkeys(titles))
            view = blueprint.alt_response(status, schema=PAGE, description=f"A page: {said}.", content_type=HTML)(view)
        return view

    return decorate


def _add_script_routes(blueprint: Blueprint, services: Services, limits: Limits, page: dict[str, Any]) -> None:
    """What the page's script asks, and the files that the page is made of."""

    @blueprint.route(f"{PATH}/<token>/status", methods=["GET"], refusals=LIMITED, **page)
    @blueprint.doc(summary="The state of the buyer's payment", operationId="askPayPage", security=[])
    @blueprint.alt_response(
        404, schema=STAGE, description='`{"stage":"invalid"}`: the link is not ours, or has expired.'
    )
    @blueprint.alt_response(410, schema=STAGE, description="`invalid`: the store was removed.")
    @blueprint.response(200, description='`{"stage":...}`: open, opened, declined, processing, paid or ended.')
    def status(token: str) -> Any:
        """Asks the provider, unless somebody has done so within three seconds."""
        try:
            return {"stage": checkout_page.refresh(services, token).stage.value}
        except domain.Refused as error:
            _count_guess(limits, error)
            return render({"stage": "invalid"}, _status_of_invalid(error))

    @blueprint.route(f"{PATH}/<token>/confirm", methods=["POST"], refusals=LIMITED, **page)
    @blueprint.doc(summary="Whether the buyer may confirm now", operationId="confirmPayPage", security=[])
    @blueprint.alt_response(403, schema=STAGE, description="The request came from somewhere else.")
    @blueprint.alt_response(
        404, schema=STAGE, description='`{"stage":"invalid"}`: the link is not ours, or has expired.'
    )
    @blueprint.alt_response(410, schema=STAGE, description="`invalid`: the store was removed.")
    @blueprint.alt_response(
        409, schema=STAGE, description="The order cannot be paid by this payment, or it is past that."
    )
    @blueprint.alt_response(502, schema=STAGE, description="The store could not be asked: do not confirm anything.")
    @blueprint.response(200, description='`{"stage":...,"payable":true}`: the order was read, and can be paid.')
    def confirm(token: str) -> Any:
        """The page's script asks this right before it has the provider's form confirm a payment. The order is read."""
        if not _is_ours():
            return render({"stage": "invalid", "payable": False}, 403)
        try:
            seen = checkout_page.confirm(services, token)
        except domain.Refused as error:
            _count_guess(limits, error)
            return render({"stage": "invalid", "payable": False}, _status_of_invalid(error))
        except domain.StoreError:
            return render({"stage": checkout_page.visit(services, token).stage.value, "payable": False}, 502)
        payable = checkout_page.may_confirm(seen)
        return render({"stage": seen.stage.value, "payable": payable}, 200 if payable else 409)

    @blueprint.route(ASSETS, methods=["GET"], **page)
    @blueprint.doc(summary="Style sheet and script of the buyer's page", operationId="getAsset", security=[])
    @blueprint.alt_response(404, description="There is no such file.")
    @blueprint.response(200, description="A file whose name changes with its content.", content_type="text/css")
    def asset(name: str) -> Response:
        return _asset(name)


def _status_of_invalid(error: domain.Refused) -> int:
    return 410 if error.reason == checkout_page.STORE_REMOVED else 404


def is_person() -> bool:
    """Whether somebody sees what we answer: no HEAD, nothing fetched ahead or for a preview, no script, no frame."""
    headers = request.headers
    if request.method not in ("GET", "POST") or require().method != request.method:
        return False
    if any(_AHEAD.search(headers.get(name, "")) for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")):
        return False
    if (headers.get("Sec-Fetch-Mode", "navigate"), headers.get("Sec-Fetch-Dest", "document")) != NAVIGATION:
        return False
    agent = headers.get("User-Agent", "")
    return bool(agent) and not _MACHINES.search(agent)


def _is_ours() -> bool:
    """Whether a form came from a page of this origin, as far as the browser says."""
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.partition("://")[2] in {request.host, urlsplit(require().root).netloc} - {""}


def _count_guess(limits: Limits, error: Exception) -> None:
    """A link that nobody has made counts as a guess of its address. Raises RestError (429)."""
    if getattr(error, "reason", "") == checkout_page.LINK_INVALID:
        limits.guesses.take("pay", network_of(require().address))


def _for_people(limits: Limits, view: Callable[[str], Response]) -> Callable[[str], Response]:
    """Errors as pages."""

    @functools.wraps(view)
    def answer(token: str) -> Response:
        try:
            return view(token)
        except Exception as error:
            try:
                _count_guess(limits, error)
            except RestError as limited:
                page = render_problem("Tried too often", TOO_MANY_LINKS, up=_up())
                return _answer(page, limited.status, {"Retry-After": str(limited.data["retry_after"])})
            trouble = trouble_of(error)
            if trouble is FAULT:
                log.exception("the buyer's page failed")
            else:
                log.info("the buyer's page: %s", error)
        again = f"{_up()}pay/{token}" if trouble.again else ""
        return _answer(render_problem(trouble.title, trouble.text, up=_up(), again=again), trouble.status)

    return answer


def _press(services: Services, token: str, action: str) -> Response:
    """What a button does."""
    if action == "check":
        checkout_page.refresh(services, token)
        return _show(checkout_page.shown(services, token), token, asked=True)
    if action in ("open", "again") and is_person():
        return _hop(services, token, again=action == "again", seen=request.form.get("seen", type=int))
    try:
        if action == "retry":
            return _go(checkout_page.try_again(services, token))
        if action in ("approve", "decline"):
            checkout_page.decide(services, token, approve=action == "approve")
            return _go(token)
        if action == "onward":
            return _away(checkout_page.onward(services, token))
    except domain.OrderNotPayable:
        if (visit := checkout_page.visit(services, token)).closed:
            return _show(visit, token)
        raise
    except domain.Refused as error:
        if error.reason != NOT_NOW:
            raise
        return _go(token)  # it was pressed twice: the page shows what came of it
    return _answer(render_problem("There is no such button", ASK_SHOP, up=_up()), 400)


def _hop(services: Services, token: str, *, again: bool, seen: int | None = None) -> Response:
    """To the provider, once. Its address stands in this answer and nowhere else."""
    try:
        opening = checkout_page.open_redirect(services, token, again=again, seen=seen)
    except domain.OrderNotPayable:
        if (visit := checkout_page.visit(services, token)).closed:
            return _show(visit, token)
        raise
    except domain.Refused as error:
        if error.reason not in (NOT_NOW, ALREADY_OPENED):
            raise
        return _show(checkout_page.visit(services, token), token)
    return _away(opening.url)


def _away(url: str) -> Response:
    return Response(status=303, headers={**HOP_HEADERS, "Location": url})


def _show(visit: checkout_page.Visit, token: str, *, asked: bool = False) -> Response:
    page = render_visit(
        visit,
        up=_up(),
        status="status" if request.path.endswith("/") else f"{token}/status",
        looking=asked or bool(request.query_string),
        asked=asked,
    )
    return _answer(page, 409 if visit.closed else 200)


def _asset(name: str) -> Response:
    stem, _, rest = name.partition(".")
    version, _, suffix = rest.partition(".")
    found = assets().get(f"{stem}.{suffix}")
    if found is None:
        raise no_route()
    headers = ONE_YEAR if version == found.version else NOT_KEPT  # of a page that another release has made
    return Response(found.content, headers=headers, content_type=found.content_type)


def _up() -> str:
    """From the page to the folder above `pay`, so that it works below any prefix that a proxy may add."""
    return "../../" if request.path.endswith("/") else "../"


def _go(token: str) -> Response:
    """To a payment's page, only to look."""
    return Response(status=303, headers={**HOP_HEADERS, "Location": f"{_up()}pay/{token}?look"})


def _answer(page: Page, status: int, more: Mapping[str, str] = NO_HEADERS) -> Response:
    headers = {**PAGE_HEADERS, "Content-Security-Policy": page.policy, **more}
    return Response(page.html, status, headers, content_type="text/html; charset=utf-8")
