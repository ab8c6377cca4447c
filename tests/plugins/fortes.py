"""Every request that an adapter sends to one of the Fortes, in any test, is held against that Forte's documents.

Requests are watched where they are handed to the session of adapters, so that it does not matter what they reach.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from bridge.outbound.transport import Session
from tests.adapters import forte_payments_wire, forte_platform_wire

PATHS = {
    re.compile(r"/(auth|payments|notifications)/v\d/"): forte_payments_wire,
    re.compile(r"/api/v1/projects/"): forte_platform_wire,
}
Send = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def in_no_document() -> Iterator[list[str]]:
    """What adapters have sent to the Fortes that is wrong; a test that provokes it takes it out."""
    wrong: list[str] = []
    send: Send = Session.send

    def watched(session: Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        wrong.extend(_wrong(request))
        return send(session, request, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "send", watched)
        yield wrong


@pytest.fixture(autouse=True)
def _only_what_the_documents_know(in_no_document: list[str]) -> Iterator[None]:
    yield
    wrong = list(in_no_document)
    in_no_document.clear()
    assert wrong == []


def _wrong(request: requests.PreparedRequest) -> Iterator[str]:
    parts = urlsplit(request.url or "")
    for path, wire in PATHS.items():
        if path.match(parts.path):
            content = request.body.encode() if isinstance(request.body, str) else request.body or b""
            headers = dict(request.headers.items())
            sent = wire.Sent(str(request.method), parts.path, headers, content, dict(parse_qsl(parts.query)))
            yield from (f"{sent.method} {sent.path}: {fault}" for fault in wire.wrong(sent))
