"""Every request that the Stripe adapter sends, in any test, is held against the SDK's parameter types, enums closed.

A new SDK shows by itself what moved. Requests are watched where they are handed to the session of adapters, so
that it does not matter what they reach. How answers are held against the SDK's resource types: tests/simulators/stripe.
"""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from werkzeug.exceptions import HTTPException

from bridge.outbound.transport import Session
from bridge.simulators.stripe.errors import ApiError
from bridge.simulators.stripe.params import check, decode
from bridge.simulators.stripe.routes import build_map

Send = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def in_no_type() -> Iterator[list[str]]:
    """What adapters have sent to Stripe that the SDK's types do not have; a test that provokes it takes it out."""
    wrong: list[str] = []
    send: Send = Session.send

    def watched(session: Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        if "Stripe-Version" in request.headers:
            wrong.extend(_wrong(request))
        return send(session, request, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "send", watched)
        yield wrong


@pytest.fixture(autouse=True)
def _only_what_the_sdk_knows(in_no_type: list[str]) -> Iterator[None]:
    yield
    wrong = list(in_no_type)
    in_no_type.clear()
    assert wrong == []


def _wrong(request: requests.PreparedRequest) -> Iterator[str]:
    parts = urlsplit(request.url or "")
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
    try:
        route, _ = build_map().bind("api.stripe.com").match(parts.path, str(request.method))
        pairs = [pair for text in (parts.query, body) for pair in parse_qsl(text, keep_blank_values=True)]
        check(route.parameters, decode(pairs))
    except HTTPException as error:
        yield f"{request.method} {parts.path}: {error.name}"
    except ApiError as error:
        yield f"{request.method} {parts.path}: {error}"
