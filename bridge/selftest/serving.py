"""A bridge as its owner runs it, `serve` and `worker` as processes, and clients that pay there all the time."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import requests

from bridge.selftest import leaks
from bridge.selftest.judge import Fault, Judge
from bridge.selftest.report import Report
from bridge.selftest.run_context import Kind, RunContext
from bridge.selftest.system_under_test import BRIDGE, INTENTS, METRICS_TOKEN, UNLIMITED, prying
from bridge.selftest.world import SECRET_KEY, TIMEOUT, World, sqlite_url
from bridge.simulators.certificates import Certificates

CLIENTS = 10
AGAIN = 1.0
"""Seconds after which a client that got no good answer asks again."""
STARTING = 30.0
OK = "ok"
_LISTEN = "import sys; from bridge.selftest.leaks import listen; listen(sys.argv.pop(1))"
_PROGRAM = "from bridge.cli import main; main()"
_NAIVE = "from bridge.selftest.naive import main; main(int(sys.argv[1]), sys.argv[2])"


@dataclass(frozen=True)
class Told:
    """What a client was told of an order: OK, or what it got instead; `at` is by the monotonic clock, in seconds."""

    order: int
    at: float
    says: str


@dataclass
class Traffic:
    """Clients that make `rate` payments per second in all, and what they have been told."""

    world: World
    url: str
    rate: float
    told: list[Told] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        clients = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._ended.set()
            for client in clients:
                client.join()

    def ask(self, order: int) -> bool:
        """Ask for an order's payment, on a new connection; whether it was a success."""
        outlet = self.world.place.outlets["automatic"]
        wanted: dict[str, Any] = {"order_id": order, "customer": outlet.customer, "payment_method": "pm_card_visa"}
        try:
            answer = requests.post(f"{self.url}{INTENTS}", json=wanted, auth=outlet.key, timeout=60)
            says = OK if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"
            if says != OK:
                leaks.log.debug("a client is answered %s %s", answer.headers, answer.text)
        except requests.RequestException as error:
            says = repr(error)
        self.told.append(Told(order, time.monotonic(), says))
        return says == OK

    @property
    def last(self) -> Mapping[int, str]:
        """What was told last of every order."""
        return {told.order: told.says for told in self.told}

    def _run(self) -> None:
        """One client: an order, its payment, and again."""
        while not self._ended.wait(CLIENTS / self.rate):
            order = self.world.new_order("automatic")
            while not self.ask(order) and not self._ended.wait(AGAIN):
                pass


class Process:
    """A command that can be killed, with all the processes that it has started, and started again. Whatever it tells a
    log is looked at, and anything else that it prints; unless `overheard`, it logs as it does for its owner."""

    def __init__(
        self,
        context: RunContext,
        code: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        overheard: bool = True,
    ) -> None:
        heard = [f"{_LISTEN}; {code}", str(context.leaks)] if overheard else [code]
        self._command = [sys.executable, "-c", *heard, *arguments]
        self._lookout, self._said = context.lookout, context.new_folder() / "said"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        self._environment = kept | dict(environment)
        self.start()

    def start(self) -> None:
        with self._said.open("w") as said:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._lookout.look("what a process prints", self.prints())

    def prints(self) -> str:
        """Since it was started."""
        return self._said.read_text()


@dataclass
class Site:
    """What is served, and who judges it. A `worker` works apart from the `server`, or there is none."""

    context: RunContext
    kind: Kind
    world: World
    traffic: Traffic
    server: Process
    worker: Process | None
    judge: Judge

    @property
    def address(self) -> tuple[str, int]:
        split = urlsplit(self.traffic.url)
        return str(split.hostname), int(split.port or 0)

    def is_up(self) -> bool:
        """Whether anybody answers."""
        try:
            requests.get(f"{self.traffic.url}/bridge/v1/health/ready", timeout=5)
        except requests.RequestException:
            return False
        return True

    def is_working(self) -> bool:
        """Whether the worker has begun since it was started."""
        return self.worker is None or "Working" in self.worker.prints()

    def settle(self, seconds: float) -> None:
        """Clients who got no good answer ask again until they do, and the worker tells the shop; or time runs out."""
        patience = seconds if self.context.subject == BRIDGE else 1.0
        last = self.traffic.last
        refused, untold = [order for order, says in last.items() if says != OK], list(last)

        def is_settled() -> bool:
            while refused and self.traffic.ask(refused[-1]):
                refused.pop()
            while not refused and untold and not self.judge.faults("automatic", untold[-1]):
                untold.pop()
            return not (refused or untold)

        wait_for(is_settled, patience)

    def judge_all(self, report: Report) -> None:
        """Every order is paid once, its client and its shop know, and nobody else is told anything."""
        self._pry()
        for order, says in self.traffic.last.items():
            report.judge(f"seed {self.context.seed}, {self.kind}, order {order}", partial(self._faults, order, says))

    def _pry(self) -> None:
        """By a client that logs nothing itself."""
        for call in prying(self.world.place):
            with closing(HTTPConnection(urlsplit(self.traffic.url).netloc, timeout=60)) as line, suppress(OSError):
                line.request(call.method, call.path, headers=dict(call.headers))
                answer = line.getresponse()
                leaks.log.debug("an answer: %s %s", answer.headers, answer.read())

    def _faults(self, order: int, says: str) -> list[Fault]:
        faults = self.judge.faults("automatic", order)
        if says != OK:
            faults.append(Fault("stuck", f"the client was never told of a success: {says}"))
        elif len(self.judge.facts("automatic", order).live) != 1:
            faults.append(Fault("lost", "a success that the provider does not know"))
        return faults


@contextmanager
def serving(
    context: RunContext,
    kind: Kind,
    rate: float,
    *,
    apart: bool = False,
    timeout: float = TIMEOUT,
    overheard: bool = True,
    options: Sequence[str] = (),
) -> Iterator[Site]:
    """The subject, ready to be asked. With `apart` its worker is a process of its own; `options` are for both, and
    unless they are `overheard` they log as they do for their owner, and one process serves."""
    folder = context.new_folder()
    with (
        context.database(kind, folder) as url,
        World(folder, url, str(context.seed), start=time.time(), timeout=timeout) as world,
        _real_time(world),
    ):
        port = free_port()
        traffic = Traffic(world, f"http://127.0.0.1:{port}", rate)
        server, worker = _start(context, world, port, apart=apart, overheard=overheard, options=options)
        try:
            site = Site(context, kind, world, traffic, server, worker, Judge(world))
            if not wait_for(lambda: site.is_up() and site.is_working(), STARTING):
                raise RuntimeError("the server does not start")
            yield site
        finally:
            for process in (server, worker):
                if process:
                    process.kill()


@contextmanager
def open_server(context: RunContext, *options: str, tls: bool = False) -> Iterator[tuple[str, int]]:
    """The address of a `serve` with its defaults and these options, which has no store."""
    folder = context.new_folder()
    port = free_port()
    settings = {"BRIDGE_DATABASE_URL": sqlite_url(folder), "BRIDGE_SECRET_KEY": SECRET_KEY}
    if tls:
        made = Certificates.create(folder)
        options += ("--certfile", str(made.cert_file), "--keyfile", str(made.key_file))
    process = Process(context, _PROGRAM, ["serve", "--bind", f"127.0.0.1:{port}", *options], settings)
    try:
        if not wait_for(lambda: _listens(port), STARTING):
            raise RuntimeError("the server does not start")
        yield ("127.0.0.1", port)
    finally:
        process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def _start(
    context: RunContext, world: World, port: int, *, apart: bool, overheard: bool, options: Sequence[str]
) -> tuple[Process, Process | None]:
    if context.subject != BRIDGE:
        place = world.folder / "place"
        place.write_bytes(pickle.dumps(world.place))
        return Process(context, _NAIVE, [str(port), str(place)], {}), None
    address = f"127.0.0.1:{port}"
    settings = {
        "BRIDGE_DATABASE_URL": world.place.database_url,
        "BRIDGE_SECRET_KEY": world.place.secret_key,
        "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
        "BRIDGE_PUBLIC_URL": f"http://{address}",
        "BRIDGE_METRICS_TOKEN": METRICS_TOKEN,
        "BRIDGE_PROVIDER_TIMEOUT": str(world.place.timeout),
        "BRIDGE_LOCAL_HTTP": "yes",
        **{f"BRIDGE_{name.upper()}": value for name, value in UNLIMITED.items()},
    }
    workers = "2" if overheard else "1"
    own = ["--bind", address, "--workers", workers, "--threads", "8", *(["--no-worker"] if apart else [])]
    own += [] if overheard else ["--access-log"]
    server = Process(context, _PROGRAM, ["serve", *own, *options], settings, overheard=overheard)
    worker = Process(context, _PROGRAM, ["worker", *options], settings, overheard=overheard) if apart else None
    return server, worker


@contextmanager
def _real_time(world: World) -> Iterator[None]:
    """The world's clock goes as ours does: a server cannot be given another one."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.02):
            world.clock.set(time.time())

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
