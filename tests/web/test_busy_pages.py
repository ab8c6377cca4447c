"""Buyers whose store does not answer leave threads for others; who is refused reads so on a page."""

import threading
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from bridge.http.bulkhead import THREADS
from bridge.simulators.faults import Fault
from tests.cli.processes import wait_for
from tests.web.conftest import OpenShop, Shop


def ask(shop: Shop, url: str, method: str = "GET") -> TestResponse:
    """As a server with two threads would hand it on: one of them may wait."""
    environ = {THREADS: 2, "REMOTE_ADDR": "127.0.0.1"}
    client = shop.local.app.test_client()
    return client.open(urlsplit(url).path, method=method, base_url="http://127.0.0.1", environ_overrides=environ)


def test_a_buyer_beyond_those_that_may_wait_is_told_so_on_a_page(open_shop: OpenShop) -> None:
    shop = open_shop("forte_payments")
    url = shop.create()["pay_url"]
    over = threading.Event()
    faults = shop.local.shop_faults
    faults.next(Fault.STALLED, match="GET ", until=over)
    answers: list[TestResponse] = []
    waiting = threading.Thread(target=lambda: answers.append(ask(shop, f"{url}/confirm", "POST")))
    waiting.start()
    wait_for(lambda: faults.injected)
    page, script = ask(shop, url), ask(shop, f"{url}/confirm", "POST")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "Too many people are paying now" in page.text
    assert (script.status_code, script.json["code"]) == (503, "wcpay_overloaded")
    assert len(faults.injected) == 1
    over.set()
    waiting.join()
    assert answers[0].status_code == 200
    assert ask(shop, url).status_code == 200
