"""The forms of an answer: JSON in an envelope, and a page."""

import json
from typing import Any

from werkzeug.wrappers import Response


def answer(data: Any, status: int = 200) -> Response:
    """`{"data": ...}`"""
    return json_answer({"data": data}, status)


def json_answer(body: Any, status: int) -> Response:
    response = Response(json.dumps(body, separators=(",", ":")), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def page(html: str, status: int = 200) -> Response:
    """A page that nobody stores, whose address nobody hears of, and that loads nothing from anywhere."""
    response = Response(html, status=status, content_type="text/html; charset=utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response
