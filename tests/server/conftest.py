"""`served`: `wcpay-bridge serve` without any store, to speak to over bare sockets."""

import re
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from bridge.simulators.certificates import Certificates
from tests.cli.processes import Served
from tests.plugins.commandline import CommandLine

ARGUMENTS = ("--threads", "2", "--no-worker")


class Server:
    """A `serve` with one process and two threads."""

    def __init__(self, program: Served, certificates: Certificates | None) -> None:
        self.program = program
        split = urlsplit(program.url)
        self.address = (str(split.hostname), int(split.port or 0))
        self._certificates = certificates

    def connect(self) -> socket.socket:
        """A connection that waits up to a minute for anything."""
        sock = socket.create_connection(self.address, timeout=60)
        if self._certificates:
            context = ssl.create_default_context(cafile=str(self._certificates.ca_file))
            return context.wrap_socket(sock, server_hostname="127.0.0.1")
        return sock

    def tell(self, data: bytes) -> bytes:
        """Everything that the server says to this until it closes the connection."""
        with self.connect() as sock:
            sock.sendall(data)
            return read_to_end(sock)


def read_to_end(sock: socket.socket) -> bytes:
    said = b""
    try:
        while part := sock.recv(65536):
            said += part
    except ConnectionResetError:
        pass
    return said


def statuses(said: bytes) -> list[int]:
    """Of the answers in what a server said, in order."""
    return [int(number) for number in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)]


@pytest.fixture(scope="module")
def module_cli(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    home = str(tmp_path_factory.mktemp("home"))
    cli = CommandLine({"HOME": home, "XDG_DATA_HOME": home})
    cli.run("init")
    return cli


@pytest.fixture(scope="module")
def served(module_cli: CommandLine) -> Iterator[Server]:
    with Served(module_cli, ARGUMENTS) as program:
        yield Server(program, None)


@pytest.fixture(scope="module")
def served_with_tls(module_cli: CommandLine, certificates: Certificates) -> Iterator[Server]:
    files = ("--certfile", str(certificates.cert_file), "--keyfile", str(certificates.key_file))
    with Served(module_cli, (*ARGUMENTS, *files)) as program:
        yield Server(program, certificates)
