"""Every fault as a client meets it on a real socket, and whether the application behind it did its work."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random

import pytest
import requests
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from bridge.simulators.faults import DRIPS, Fault, Faults
from bridge.simulators.server import serve

TIMEOUT = 10


class Counter:
    """An application that remembers the bodies it was sent and answers how many there were."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.called = threading.Event()

    def __call__(self, environ, start_response):
        self.bodies.append(Request(environ).get_data())
        self.called.set()
        return Response(f'{{"count": {len(self.bodies)}}}', content_type="application/json")(environ, start_response)


@pytest.fixture
def app() -> Counter:
    return Counter()


@pytest.fixture
def faults(app: Counter) -> Faults:
    return Faults(app, retry_after=7)


@pytest.fixture
def url(faults: Faults) -> Iterator[str]:
    with serve(faults) as server:
        yield server.url


def post(url: str, path: str = "/pay") -> requests.Response:
    return requests.post(url + path, data={"a": "1"}, timeout=TIMEOUT)


def test_without_a_fault_the_application_answers(url, app):
    assert post(url).json() == {"count": 1}
    assert app.bodies == [b"a=1"]


@pytest.mark.parametrize(("fault", "processed"), [(Fault.REFUSED, 0), (Fault.DROPPED, 1), (Fault.CUT, 1)])
def test_a_lost_connection_is_really_lost(url, app, faults, fault, processed):
    faults.next(fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(url)
    assert len(app.bodies) == processed
    assert fault.processed is bool(processed)
    assert post(url).json() == {"count": processed + 1}


def test_a_lost_connection_is_lost_over_tls_too(app, faults, certificates):
    with serve(faults, tls=(certificates.cert_file, certificates.key_file)) as server, requests.Session() as session:
        session.trust_env, session.verify = False, str(certificates.ca_file)
        for fault in (Fault.REFUSED, Fault.DROPPED, Fault.CUT):
            faults.next(fault)
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                session.post(f"{server.url}/pay", timeout=TIMEOUT)
        assert session.post(f"{server.url}/pay", timeout=TIMEOUT).json() == {"count": 3}


@pytest.mark.parametrize(
    ("fault", "status", "processed"),
    [
        (Fault.ERROR_500, 500, 0),
        (Fault.ERROR_503, 503, 0),
        (Fault.RATE_LIMITED, 429, 0),
        (Fault.CONFLICT, 409, 0),
        (Fault.PROCESSED_500, 500, 1),
    ],
)
def test_an_error_status_is_answered_before_or_after_the_work(url, app, faults, fault, status, processed):
    faults.next(fault)
    answer = post(url)
    assert answer.status_code == status
    assert answer.json() == {"error": {"type": "api_error", "message": f"An injected fault: HTTP {status}."}}
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert len(app.bodies) == processed
    assert fault.processed is bool(processed)


def test_truncated_json_looks_complete_and_does_not_parse(url, app, faults):
    faults.next(Fault.TRUNCATED)
    answer = post(url)
    assert answer.status_code == 200
    assert answer.content == b'{"coun'
    assert len(app.bodies) == 1


def test_a_page_instead_of_json(url, app, faults):
    faults.next(Fault.HTML)
    answer = post(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!DOCTYPE html>")
    assert len(app.bodies) == 1


def test_valid_json_that_is_something_else(url, app, faults):
    faults.next(Fault.WRONG_JSON)
    faults.next(Fault.WRONG_JSON, body=[])
    assert post(url).json() == {"hello": "world"}
    assert post(url).json() == []
    assert len(app.bodies) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 422, 429, 502, 504])
def test_any_status_can_be_answered_without_the_work(url, app, faults, status):
    faults.next(Fault.STATUS, status=status)
    faults.next(Fault.STATUS, status=status, body={"error": {"code": "ERR02"}})
    first, second = post(url), post(url)
    assert (first.status_code, second.status_code) == (status, status)
    assert first.json()["error"]["message"] == f"An injected fault: HTTP {status}."
    assert second.json() == {"error": {"code": "ERR02"}}
    assert "Retry-After" not in first.headers
    assert app.bodies == []
    assert not Fault.STATUS.processed


def test_a_redirect_leads_elsewhere_without_the_work(url, app, faults):
    faults.next(Fault.REDIRECT, location="/elsewhere")
    answer = requests.post(url + "/pay", timeout=TIMEOUT, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"], answer.content) == (303, "/elsewhere", b"")
    assert app.bodies == []
    assert not Fault.REDIRECT.processed


def test_an_answer_can_lack_its_body(url, app, faults):
    faults.next(Fault.EMPTY)
    answer = post(url)
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "application/json", b"")
    assert len(app.bodies) == 1
    assert Fault.EMPTY.processed


def test_an_answer_can_be_huge_and_still_be_the_right_one(app):
    faults = Faults(app, huge=5_000_000)
    faults.next(Fault.HUGE)
    with serve(faults) as server:
        answer = post(server.url)
    assert (len(answer.content), answer.json()) == (5_000_000, {"count": 1})


def test_an_answer_can_be_called_something_else(url, app, faults):
    faults.next(Fault.WRONG_TYPE)
    answer = post(url)
    assert (answer.headers["Content-Type"], answer.json()) == ("text/plain; charset=utf-8", {"count": 1})


def test_an_answer_can_be_compressed_unasked(url, app, faults):
    faults.next(Fault.GZIP)
    answer = requests.post(url + "/pay", timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
    assert (answer.headers["Content-Encoding"], answer.json()) == ("gzip", {"count": 1})


@pytest.mark.parametrize(("fault", "processed"), [(Fault.STALLED, 0), (Fault.STALLED_AFTER, 1)])
def test_a_stalled_answer_arrives_when_the_test_lets_it_go(url, app, faults, fault, processed):
    arrived, release = threading.Event(), threading.Event()
    faults.next(fault, until=release, match=lambda request: arrived.set() is None)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(post, url)
        assert (app.called if processed else arrived).wait(TIMEOUT)
        assert len(app.bodies) == processed
        assert not answer.done()
        release.set()
        assert answer.result(TIMEOUT).json() == {"count": 1}


def test_a_client_that_gives_up_on_a_stall_does_not_stop_the_work(url, app, faults):
    release = threading.Event()
    faults.next(Fault.STALLED, until=release)
    with pytest.raises(requests.ReadTimeout):
        requests.post(url + "/pay", timeout=(TIMEOUT, 0.05))
    assert app.bodies == []
    release.set()
    assert app.called.wait(TIMEOUT)


@pytest.mark.parametrize("stall", [{"seconds": 0.01}, {}])
def test_a_stall_without_an_event_ends_by_itself(app, stall):
    faults = Faults(app, stall=0.01)
    faults.next(Fault.STALLED, **stall)
    assert Client(faults).get("/").json == {"count": 1}


def test_faults_are_served_in_order_as_often_as_asked_and_recorded(url, faults):
    faults.next(Fault.ERROR_503, times=2)
    faults.next(Fault.CONFLICT)
    assert faults.pending == 3
    assert [post(url).status_code for _ in range(4)] == [503, 503, 409, 200]
    assert faults.pending == 0
    assert [(one.fault, one.method, one.path) for one in faults.injected] == [
        (Fault.ERROR_503, "POST", "/pay"),
        (Fault.ERROR_503, "POST", "/pay"),
        (Fault.CONFLICT, "POST", "/pay"),
    ]


def test_a_fault_waits_for_the_request_it_is_meant_for(url, app, faults):
    faults.next(Fault.ERROR_500, match="POST /refunds")
    faults.next(Fault.ERROR_503, match=lambda request: request.form.get("a") == "1" and request.path == "/pay")
    assert requests.get(url + "/refunds", timeout=TIMEOUT).status_code == 200
    assert post(url, "/refunds").status_code == 500
    assert post(url, "/pay").status_code == 503
    assert post(url, "/pay").status_code == 200
    assert app.bodies == [b"", b"a=1"]


def test_what_is_queued_can_be_forgotten(url, faults):
    faults.next(Fault.ERROR_500)
    faults.clear()
    assert post(url).status_code == 200


def test_a_seed_replays_the_same_faults(app):
    def run(seed: int) -> list[Fault]:
        faults = Faults(app, random=Random(seed), rate=0.5, kinds=(Fault.ERROR_500, Fault.CONFLICT))
        client = Client(faults)
        for _ in range(100):
            client.get("/")
        return [one.fault for one in faults.injected]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert set(run(1)) == {Fault.ERROR_500, Fault.CONFLICT}
    assert 30 < len(run(1)) < 70


def test_by_default_chance_takes_what_ends_quickly_and_cannot_be_overlooked(app):
    faults = Faults(app, random=Random(3), rate=1.0)
    for _ in range(100):
        try:
            Client(faults).get("/")
        except ConnectionAbortedError:
            continue
    served = {one.fault for one in faults.injected}
    stalls, others = {Fault.STALLED, Fault.STALLED_AFTER}, {Fault.STATUS, Fault.HUGE, Fault.WRONG_TYPE, Fault.GZIP}
    stalls |= set(DRIPS)
    assert served == set(Fault) - stalls - others


def test_without_a_server_a_lost_connection_is_an_exception(app, faults):
    faults.next(Fault.DROPPED)
    with pytest.raises(ConnectionAbortedError):
        Client(faults).get("/")
    assert len(app.bodies) == 1


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("fault", DRIPS)
def test_a_drip_keeps_a_client_waiting_that_limits_only_the_wait_for_the_next_bytes(app, certificates, fault, tls):
    faults, over = Faults(app, drip=0.01), threading.Event()
    files = (certificates.cert_file, certificates.key_file) if tls else None
    faults.next(fault, until=over)

    def ask() -> None:
        with requests.Session() as session, suppress(requests.RequestException):
            session.trust_env, session.verify = False, str(certificates.ca_file)
            session.post(f"{server.url}/pay", timeout=TIMEOUT)

    with serve(faults, tls=files) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask)
        assert app.called.wait(TIMEOUT)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        over.set()
        waiting.result(TIMEOUT)
    assert fault.processed


def test_a_drip_can_end_by_itself(app):
    faults = Faults(app, drip=0.01)
    faults.next(Fault.DRIP_BODY, seconds=0.05)
    with serve(faults) as server, pytest.raises(requests.RequestException):
        post(server.url)
    faults.next(Fault.DRIP_BODY, seconds=0.02)
    with pytest.raises(ConnectionAbortedError):
        Client(faults).get("/")
