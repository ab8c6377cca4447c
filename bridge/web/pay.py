"""The buyer's page, rendered: what it says at each stage, and the Content-Security-Policy that fits what it loads.

Plain HTML with one style sheet and one script of ours; of others only what the provider's own form needs.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined

from bridge.domain.money import Money
from bridge.payments.checkout_page import ELEMENTS, LINK, REDIRECT, WIDGET, Stage, Visit

SOURCES = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "font-src": [],
    "frame-src": [],
    "worker-src": [],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
"""What a page may load before a provider's form asks for more."""
LOADED = ("script-src", "style-src", "img-src", "connect-src", "font-src", "frame-src")
STRIPE = {
    "script-src": ["https://js.stripe.com", "https://*.js.stripe.com"],
    "frame-src": ["https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"],
    "connect-src": ["https://api.stripe.com"],
    "img-src": ["https://*.stripe.com"],
}
"""Source: Stripe, "Integration security guide", content security policy."""
_MORE = ("style-src", "img-src", "connect-src", "font-src", "frame-src", "script-src", "worker-src")
_SOURCE = re.compile(r"(https|wss)://[\w*.-]+(:\d+)?|data:|blob:", re.ASCII)
_ASSETS = {"pay.css": "text/css; charset=utf-8", "pay.js": "text/javascript; charset=utf-8"}
_SCRIPTED = (WIDGET, ELEMENTS)


@dataclass(frozen=True, slots=True)
class Page:
    """HTML, and its Content-Security-Policy."""

    html: str
    policy: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load as `pay.<version>.css`; the version changes with the content."""

    content: bytes
    content_type: str
    version: str


def render_visit(visit: Visit, *, up: str, status: str, looking: bool = False, asked: bool = False) -> Page:
    """The payment as it stands.

    `up` leads from the page to the folder above it, `status` to how the payment stands, as JSON. `looking`: the buyer
    was here before, and a reader begins at the heading. `asked`: the buyer wants to know whether it was paid.
    """
    scripts = _provider_script(visit)
    kind = visit.kind if visit.kind not in _SCRIPTED or scripts else ""
    form = kind == ELEMENTS or (kind == WIDGET and visit.stage is Stage.OPEN)
    html = _render(
        "pay_visit.html",
        up=up,
        status=status,
        visit=visit,
        intent=visit.intent,
        stage=visit.stage.value,
        kind=kind,
        money=str(Money(visit.intent.amount, visit.intent.currency)),
        shop=urlsplit(visit.store.identity or visit.store.url).hostname,
        home=_home(visit),
        looking=looking,
        asked=asked,
        needs=_needs(visit) if form else None,
        onward=urlsplit(_onward(visit)).hostname if kind == LINK else "",
        scripted=form or visit.stage in (Stage.OPENED, Stage.PROCESSING),
    )
    return Page(html, _policy(visit, kind))


def render_problem(title: str, text: str, *, up: str, again: str = "") -> Page:
    """Something went wrong; `again` is the address that may work in a moment, if there is one."""
    html = _render("pay_problem.html", up=up, title=title, text=text, again=again, scripted=False)
    return Page(html, _join(SOURCES | {"script-src": ["'none'"]}))


@cache
def assets() -> dict[str, Asset]:
    """Style sheet and script, by name."""
    found = {}
    for name, content_type in _ASSETS.items():
        content = (files("bridge.web") / "static" / name).read_bytes()
        found[name] = Asset(content, content_type, hashlib.sha256(content).hexdigest()[:12])
    return found


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bridge.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found = assets()
    environment.globals |= {
        "style": f"pay.{found['pay.css'].version}.css",
        "script": f"pay.{found['pay.js'].version}.js",
    }
    return environment


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


def _home(visit: Visit) -> str:
    """Where the buyer goes afterwards: where the store says for a payment that is done, else the shop's own address."""
    intent, wish = visit.intent, visit.store.options.get("return_url", "")
    if visit.stage in (Stage.PAID, Stage.PROCESSING) and wish:
        names = {"order_id": intent.order_id, "order_number": intent.order_number, "order_key": intent.order_key}
        for name, value in names.items():
            wish = wish.replace(f"{{{name}}}", quote(str(value), safe=""))
        if _is_safe(wish, visit):
            return wish
    return visit.store.url


def _is_safe(url: Any, visit: Visit) -> bool:
    """https, or for a store that moves no real money also http."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and not visit.store.live))


def _provider_script(visit: Visit) -> str:
    url = visit.provider_data.get("script_url")
    return str(url) if visit.kind in _SCRIPTED and _is_safe(url, visit) else ""


def _onward(visit: Visit) -> str:
    url = (visit.next_action.get("redirect_to_url") or {}).get("url")
    return str(url) if _is_safe(url, visit) else ""


def _needs(visit: Visit) -> dict[str, Any]:
    """What the script is given, by kind. Widget data go through as they are."""
    given = visit.provider_data
    if visit.kind == WIDGET:
        names = ("script_url", "integrity", "container_id", "data")
        return {name: given.get(name) for name in names}
    return {
        "script_url": given.get("script_url"),
        "publishable_key": given.get("publishable_key") or given.get("stripePublishableKey"),
        "stripe_account": given.get("stripe_account") or given.get("stripeConnectedAccountId"),
        "client_secret": visit.client_secret or given.get("client_secret"),
    }


def _policy(visit: Visit, kind: str) -> str:
    policy = {directive: list(sources) for directive, sources in SOURCES.items()}
    if kind in (REDIRECT, LINK):
        # Chromium asks form-action also where a form's answer leads: to the provider, whose host nobody knows before.
        policy["form-action"] += ["https:"] if visit.store.live else ["https:", "http:"]
    if kind in _SCRIPTED:
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(_provider_script(visit)))
        more = STRIPE if origin == "https://js.stripe.com" else {each: [origin] for each in LOADED}
        for directive, sources in more.items():
            policy[directive] += sources
        for directive, sources in _wished(visit.provider_data.get("content_policy")).items():
            policy[directive] += sources
    return _join(policy)


def _wished(wish: Any) -> dict[str, list[str]]:
    """What the owner lets the provider's form load besides: `{"connect-src": "https://api.example", ...}`."""
    if not isinstance(wish, dict):
        return {}
    return {
        directive: [
            source
            for source in str(wish.get(directive, "")).split()
            if _SOURCE.fullmatch(source) or (directive, source) == ("style-src", "'unsafe-inline'")
        ]
        for directive in _MORE
    }


def _join(policy: dict[str, list[str]]) -> str:
    return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in policy.items() if sources)
