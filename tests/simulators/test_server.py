"""The small WSGI server of the simulators and its certificates, over real sockets."""

import http.client
import logging
import socket
import ssl
import stat
import threading
import time
from io import BytesIO

import pytest
import requests
from werkzeug.wrappers import Request, Response

from bridge.simulators.certificates import Certificates
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve


@Request.application
def echo(request):
    """Answers the method, the path, and how many bytes of body came."""
    return Response(f"{request.method} {request.path} {len(request.get_data())}")


def connection_to(server):
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)


def strict_context(ca_file):
    """What `ssl.create_default_context` makes in Python 3.13."""
    context = ssl.create_default_context(cafile=str(ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def exchange(connection, method, path, **more):
    connection.request(method, path, **more)
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_one_connection_carries_many_requests():
    with serve(echo) as server:
        connection = connection_to(server)
        answers = [
            exchange(connection, "GET", "/a"),
            exchange(connection, "POST", "/b", body=b"12345"),
            exchange(connection, "PUT", "/c", body=iter([b"123", b"45"]), encode_chunked=True),
            exchange(connection, "HEAD", "/d"),
            exchange(connection, "GET", "/e"),
        ]
        local = connection.sock.getsockname()
        connection.close()
    assert answers == [(200, "GET /a 0"), (200, "POST /b 5"), (200, "PUT /c 5"), (200, ""), (200, "GET /e 0")]
    assert local[1] != server.port


def test_a_body_that_the_app_leaves_unread_does_not_spoil_the_next_request():
    with serve(Response("ok")) as server:
        connection = connection_to(server)
        assert exchange(connection, "POST", "/", body=b"GET /smuggled HTTP/1.1\r\n\r\n") == (200, "ok")
        assert exchange(connection, "GET", "/") == (200, "ok")
        connection.close()


@pytest.mark.parametrize(
    "head", ["Content-Length: x", "Content-Length: -1", "Transfer-Encoding: chunked\r\nX: y\r\n\r\nzz"]
)
def test_a_body_without_a_sound_length_is_a_400_and_the_end(head):
    with serve(echo) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_a_client_that_asks_first_is_told_to_go_on():
    with serve(echo) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert raw.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b"ab")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200 OK")


def test_an_app_that_fails_is_a_500_and_a_log_line(caplog):
    def broken(environ, start_response):
        raise RuntimeError("out of order")

    with serve(broken) as server, caplog.at_level(logging.ERROR):
        assert requests.get(server.url, timeout=10).status_code == 500
    assert "out of order" in caplog.text


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("fault", "error"),
    [(Fault.CUT, requests.exceptions.ChunkedEncodingError), (Fault.DROPPED, requests.exceptions.ConnectionError)],
)
def test_an_app_may_hang_up_on_its_client_and_the_server_lives_on(certificates, secure, fault, error):
    app = Faults(echo)
    app.next(fault)
    trust = {"verify": str(certificates.ca_file), "timeout": 10}
    with serve(app, tls=(certificates.cert_file, certificates.key_file) if secure else None) as server:
        with pytest.raises(error):
            requests.get(f"{server.url}/path", **trust)
        assert requests.get(f"{server.url}/path", **trust).text == "GET /path 0"


def test_nothing_is_printed_and_idle_connections_end_with_the_server(capfd):
    server = serve(echo)
    connection = connection_to(server)
    exchange(connection, "GET", "/")
    started = [thread for thread in threading.enumerate() if thread.name.startswith(f"server-{server.port}")]
    server.close()
    server.close()
    assert len(started) == 2
    assert not any(thread.is_alive() for thread in started)
    assert connection.sock.recv(1) == b""
    connection.close()
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_a_busy_port_is_an_oserror(capfd):
    with serve(echo) as server, pytest.raises(OSError, match="in use"):
        serve(echo, port=server.port)
    assert capfd.readouterr() == ("", "")


def test_a_port_is_free_again_at_once():
    with serve(echo) as server:
        requests.get(server.url, timeout=10)
    with serve(echo, port=server.port) as again:
        assert requests.get(again.url, timeout=10).status_code == 200


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_has_brackets(certificates):
    with serve(echo, host="::1", tls=(certificates.cert_file, certificates.key_file)) as server:
        assert server.url == f"https://[::1]:{server.port}"
        assert requests.get(server.url, verify=str(certificates.ca_file), timeout=10).text == "GET / 0"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_tls_passes_the_strict_checks(certificates, host):
    with serve(echo, tls=(certificates.cert_file, certificates.key_file)) as server:
        context = strict_context(certificates.ca_file)
        connection = http.client.HTTPSConnection(host, server.port, timeout=10, context=context)
        assert exchange(connection, "POST", "/", body=b"ab") == (200, "POST / 2")
        connection.close()


def test_a_client_that_never_speaks_tls_holds_up_nobody(certificates):
    with (
        serve(echo, tls=(certificates.cert_file, certificates.key_file)) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as silent,
    ):
        assert requests.get(server.url, verify=str(certificates.ca_file), timeout=10).status_code == 200
        silent.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(server.url, timeout=10)
        assert requests.get(server.url, verify=str(certificates.ca_file), timeout=10).status_code == 200


def test_certificates_name_other_hosts_and_nobody_else_reads_the_key(tmp_path):
    files = Certificates.create(tmp_path, ("shop.test",), clock=time.time)
    assert stat.S_IMODE(files.key_file.stat().st_mode) == 0o600
    with serve(echo, tls=(files.cert_file, files.key_file)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            context = strict_context(files.ca_file)
            with context.wrap_socket(raw, server_hostname="shop.test") as secure:
                assert secure.getpeercert()["subjectAltName"] == (("DNS", "shop.test"),)
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            strict_context(files.ca_file).wrap_socket(raw, server_hostname="localhost")
    assert Certificates.create(tmp_path, ("shop.test",)) == files


def test_the_app_sees_https_and_a_whole_body(certificates):
    seen = {}

    def app(environ, start_response):
        seen.update(environ, body=environ["wsgi.input"].read())
        return Response("")(environ, start_response)

    with serve(app, tls=(certificates.cert_file, certificates.key_file)) as server:
        data = BytesIO(b"x" * 100_000)
        requests.post(f"{server.url}/a%20b?c=d", data=data, verify=str(certificates.ca_file), timeout=10)
    assert (seen["wsgi.url_scheme"], seen["PATH_INFO"], seen["QUERY_STRING"]) == ("https", "/a b", "c=d")
    assert (len(seen["body"]), seen["CONTENT_LENGTH"]) == (100_000, "100000")
