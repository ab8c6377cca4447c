"""`GET /` of a bridge that stands alone says what this is; a mounted one leaves its host's `/` alone."""

import re

import pytest

from tests.http.conftest import Door

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept", ["application/json", "*/*", None])
def test_a_program_gets_json_whose_links_lead_somewhere(door: Door, accept: str | None) -> None:
    answer = door.get("/", key=None, headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.json["name"]) == (200, "wcpay-bridge")
    assert "stores" not in answer.json
    for link in answer.json["links"].values():
        assert door.get(link, key=None).status_code == 200, link


def test_a_browser_gets_a_page_whose_links_lead_somewhere(door: Door) -> None:
    page = door.get("/", key=None, headers={"Accept": BROWSER})
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    links = re.findall(r'href="([^"]+)"', page.text)
    assert {"bridge/v1/docs", "bridge/v1/health/live"} <= set(links)
    for link in links:
        assert link == "data:," or door.get(f"/{link}", key=None).status_code == 200, link


def test_it_names_no_store(door: Door) -> None:
    store = door.bridge.services.stores.store(door.store.id)
    for accept in ("application/json", BROWSER):
        text = door.get("/", key=None, headers={"Accept": accept}).text
        assert not any(fact in text for fact in (store.id, store.url, store.adapter))


def test_nothing_else_is_there(door: Door) -> None:
    assert door.post("/", key=None).status_code == 404
    assert door.get("/elsewhere", key=None).status_code == 404
