"""Clients that stall take no thread, and have ten seconds."""

import re
import signal
import socket
import threading
import time

import pytest

from bridge.selftest.half_open import SHAPES, Crowd, Shape, probe
from tests.cli.processes import Served
from tests.plugins.commandline import CommandLine
from tests.server.conftest import ARGUMENTS, Server, read_to_end, statuses

MANY = 20
"""Ten for each thread of the server."""
NO_TIME_LIMIT = 20.0
"""A probe that waits for a thread waits longer than that."""


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_others_are_answered_while_clients_stall(served: Server, served_with_tls: Server, shape: Shape) -> None:
    server = served_with_tls if shape.tls else served
    with Crowd(shape, server.address, MANY, "127.0.0.1") as crowd:
        assert probe(server.address, tls=shape.tls, seconds=NO_TIME_LIMIT) is not None
        assert crowd.opened >= MANY


def test_what_is_not_whole_after_ten_seconds_is_closed(served: Server, served_with_tls: Server) -> None:
    """All at once, because it takes its time. Whoever had begun is told so."""
    stalling = [shape for shape in SHAPES if shape.reads and "Connection: close" not in shape.opening.decode("latin-1")]
    said: dict[str, bytes] = {}

    def stall(shape: Shape) -> None:
        server = served_with_tls if shape.tls else served
        with socket.create_connection(server.address, timeout=60) if shape.raw_tls else server.connect() as sock:
            ended = threading.Event()
            dripping = threading.Thread(target=drip, args=(sock, shape.drip, ended))
            began = time.monotonic()
            sock.sendall(shape.opening)
            dripping.start()
            said[shape.name] = read_to_end(sock)
            assert time.monotonic() - began < 30  # ten seconds, on a machine that has much else to do
            ended.set()
            dripping.join()

    threads = [threading.Thread(target=stall, args=(shape,)) for shape in stalling]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == len(stalling)
    begun = {shape.name for shape in stalling if shape.opening and not shape.raw_tls and "idle" not in shape.name}
    assert {name for name, text in said.items() if statuses(text)[-1:] == [408]} == begun


def drip(sock: socket.socket, data: bytes, ended: threading.Event) -> None:
    while data and not ended.wait(1):
        try:
            sock.send(data)
        except OSError:
            return


def test_a_stop_does_not_wait_for_those_who_stall(module_cli: CommandLine) -> None:
    with Served(module_cli, ARGUMENTS) as program:
        address = ("127.0.0.1", int(program.url.rsplit(":", 1)[1]))
        stalling = next(shape for shape in SHAPES if shape.name == "a body that drips")
        with Crowd(stalling, address, MANY, "127.0.0.1"):
            began = time.monotonic()
            assert program.end(signal.SIGTERM) == 0
            assert time.monotonic() - began < 25  # a graceful stop may take 35


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_a_large_answer_be_read(module_cli: CommandLine, number: signal.Signals) -> None:
    with Served(module_cli, ARGUMENTS) as program, socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", int(program.url.rsplit(":", 1)[1])))
        sock.sendall(b"GET /bridge/v1/docs HTTP/1.1\r\nHost: bridge\r\n\r\n")
        said = sock.recv(1000)
        ending = threading.Thread(target=program.end, args=(number,))
        ending.start()
        while part := sock.recv(65536):
            said += part
        ending.join()
    length = re.search(rb"Content-Length: (\d+)", said)
    assert length is not None
    assert len(said.partition(b"\r\n\r\n")[2]) == int(length[1])


def test_at_the_limit_whoever_has_waited_longest_goes(module_cli: CommandLine) -> None:
    """A process has 1,000 connections at the most, and is reached all the same."""
    with Served(module_cli, ARGUMENTS) as program:
        address = ("127.0.0.1", int(program.url.rsplit(":", 1)[1]))
        with socket.create_connection(address, timeout=20) as first, Crowd(SHAPES[0], address, 1000, "127.0.0.1"):
            assert probe(address, tls=False, seconds=NO_TIME_LIMIT) is not None
            assert read_to_end(first) == b""
