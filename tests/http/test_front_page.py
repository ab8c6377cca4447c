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


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_without_a_path_it_is_there_and_does_not_repeat_the_query(door: Door, slashes: str) -> None:
    """As in `GET http://bridge?consumer_secret=... HTTP/1.1`, or where a host dispatches `/pay` to it."""
    query = {"PATH_INFO": slashes, "QUERY_STRING": "consumer_key=ck_1&consumer_secret=cs_1"}
    answer = door.get("/", key=None, environ_overrides=query)
    assert (answer.status_code, answer.json["name"]) == (200, "wcpay-bridge")
    mounted = door.get("/", key=None, environ_overrides=query | {"SCRIPT_NAME": "/pay"})
    assert mounted.headers.get("Location") == (None if slashes else "/pay/")
    others = [
        door.open(method, "/", key=None, environ_overrides=query) for method in ("HEAD", "POST", "OPTIONS", "PUT")
    ]
    for said in (answer, mounted, *others):
        assert "cs_1" not in f"{said.headers} {said.text}"


def test_no_route_redirects_whoever_adds_or_doubles_a_slash(door: Door) -> None:
    query = {"QUERY_STRING": "consumer_secret=cs_1"}
    paths = [re.sub("<[^>]+>", "x", rule.rule) for rule in door.app.url_map.iter_rules()]
    assert len(paths) > 30
    for path in paths:
        for spelled in (path, path.rstrip("/"), f"{path}/", f"/{path}", path.replace("/", "//")):
            answer = door.get("/", key=None, environ_overrides=query | {"PATH_INFO": spelled})
            assert answer.status_code // 100 != 3, spelled
            assert "cs_1" not in f"{answer.headers} {answer.text}", spelled


def test_nothing_else_is_there(door: Door) -> None:
    assert door.post("/", key=None).status_code == 404
    assert door.get("/elsewhere", key=None).status_code == 404
