"""`GET /` of a bridge that stands alone: what this is, and where to go on. A page for people, JSON for programs."""

import json
from collections.abc import Iterable, Mapping, Sequence

from flask import Flask, Response, request
from jinja2 import Environment, PackageLoader, StrictUndefined

from bridge.web.docs import style_sheet

NAME = "wcpay-bridge"
DESCRIPTION = "WooPayments' REST API in front of Stripe Connect, Forte or any payment adapter."
LINKS = {
    "api": ("/wp-json/wc/v3", "The routes of the API"),
    "docs": ("/bridge/v1/docs", "The API's documentation"),
    "openapi": ("/bridge/v1/openapi.json", "The same as an OpenAPI document"),
    "live": ("/bridge/v1/health/live", "Whether this process is alive"),
    "ready": ("/bridge/v1/health/ready", "Whether it can serve"),
}
"""Path and words of each link."""
DOCS = frozenset({"docs", "openapi"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}


def add_front_page(app: Flask, stores: Sequence[Mapping[str, str]] = (), *, api_docs: bool = True) -> None:
    """Serve `GET /`, with links to the API's documentation if that is served. `stores` (`name`, `adapter`, `url`) are
    shown as they are: only a demo's may be."""
    shown = {name: link for name, link in LINKS.items() if api_docs or name not in DOCS}

    @app.get("/")
    def front() -> Response:
        if request.script_root and not request.environ.get("PATH_INFO"):  # the page's links are relative
            return _answer(Response(status=308, headers={"Location": f"{request.script_root}/"}))
        if request.accept_mimetypes.best_match(("application/json", "text/html")) == "text/html":
            return _page(stores, shown.values())
        links = {name: request.script_root + path for name, (path, _) in shown.items()}
        told = {"name": NAME, "description": DESCRIPTION, "links": links, "stores": [dict(each) for each in stores]}
        if not stores:
            del told["stores"]
        return _answer(Response(json.dumps(told), content_type="application/json"))


def _page(stores: Sequence[Mapping[str, str]], links: Iterable[tuple[str, str]]) -> Response:
    style, policy = style_sheet()
    environment = Environment(loader=PackageLoader("bridge.web"), autoescape=True, undefined=StrictUndefined)
    html = environment.get_template("front.html").render(
        name=NAME, description=DESCRIPTION, links=links, stores=stores, style=style
    )
    return _answer(Response(html, content_type="text/html; charset=utf-8"), {"Content-Security-Policy": policy})


def _answer(response: Response, more: Mapping[str, str] | None = None) -> Response:
    response.headers.update({**HEADERS, **(more or {})})
    return response
