"""WordPress' `_method` and X-HTTP-Method-Override: what they lead to, and that they can be switched off."""

from typing import Any

import pytest

from tests.http.conftest import BODY, MakeDoor
from tests.plugins.local import INTENTS

OVERRIDDEN: list[tuple[str, dict[str, Any]]] = [
    ("GET", {"query_string": BODY | {"_method": "POST"}}),
    ("GET", {"query_string": BODY | {"_method": "post"}}),
    ("PUT", {"query_string": BODY | {"_method": "POST"}}),
    ("GET", {"query_string": BODY, "headers": {"X-HTTP-Method-Override": "POST"}}),
    ("DELETE", {"json": BODY, "headers": {"X-HTTP-Method-Override": "POST"}}),
]


@pytest.mark.parametrize(("method", "request_"), OVERRIDDEN)
@pytest.mark.parametrize("switched_on", [True, False])
def test_another_method_counts_only_where_that_is_on(
    make_door: MakeDoor, method: str, request_: dict[str, Any], switched_on: bool
) -> None:
    door = make_door() if switched_on else make_door(method_override=False)
    response = door.open(method, INTENTS, **request_)
    assert response.status_code == (200 if switched_on else 404)
    assert door.shelf.reads == (response.status_code == 200)


@pytest.mark.parametrize("headers", [{}, {"X-HTTP-Method-Override": "GET"}])
def test_the_requests_own_method_decides_what_a_key_may_do_where_it_is_off(
    make_door: MakeDoor, headers: dict[str, str]
) -> None:
    door = make_door(method_override=False)
    query = {"_method": "GET"}
    assert door.post(key="read", json=BODY, query_string=query, headers=headers).status_code == 401
    assert door.create(query_string=query, headers=headers).status_code == 200
