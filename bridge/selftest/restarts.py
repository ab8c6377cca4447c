"""B14: `wcpay-bridge serve` is restarted again and again while clients pay, and no request notices."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests

from bridge.selftest.bench import Bench, Kind, Size
from bridge.selftest.judge import Fault, Judge
from bridge.selftest.subject import BRIDGE, INTENTS
from bridge.selftest.tally import Tally
from bridge.selftest.world import World

SIZES: dict[Size, tuple[int, float]] = {"slice": (1, 1.0), "small": (2, 3.0), "full": (20, 60.0)}
"""How many restarts, and how many seconds between them."""
CLIENTS, RATE = 10, 50.0
"""So many at once, so many requests per second in all."""
DRAINED = 30.0
"""Seconds in which a server that is told to end has to be done, and in which the shop has to hear of everything."""
STARTING = 30.0


@dataclass
class Traffic:
    """What the clients have asked for and been told."""

    world: World
    url: str
    answers: dict[int, str] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """One client: an order, its payment, and again, on a new connection each time."""
        outlet = self.world.place.outlets["automatic"]
        while not self._ended.wait(CLIENTS / RATE):
            order = self.world.new_order("automatic")
            wanted: dict[str, Any] = {"order_id": order, "customer": outlet.customer, "payment_method": "pm_card_visa"}
            try:
                answer = requests.post(f"{self.url}{INTENTS}", json=wanted, auth=outlet.key, timeout=60)
                self.answers[order] = "ok" if answer.status_code == 200 else f"{answer.status_code} {answer.text[:200]}"
            except requests.RequestException as error:
                self.answers[order] = repr(error)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        clients = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            self._ended.set()
            for client in clients:
                client.join()


def run(bench: Bench, tally: Tally) -> None:
    if bench.subject != BRIDGE:
        tally.skipped = "it is about `serve`"
        return
    for kind in bench.present(tally):
        _rolling(bench, kind, tally)


def _rolling(bench: Bench, kind: Kind, tally: Tally) -> None:
    restarts, pause = SIZES[bench.size]
    folder = bench.new_folder()
    with (
        bench.database(kind, folder) as url,
        World(folder, url, str(bench.seed), start=time.time()) as world,
        _real_time(world),
        _served(world) as (server, address),
    ):
        traffic = Traffic(world, address)
        with traffic.flowing():
            for _ in range(restarts):
                time.sleep(pause)
                server.send_signal(signal.SIGHUP)
                tally.faults += 1
            time.sleep(pause)
        judge = Judge(world)
        _wait(lambda: not any(judge.faults("automatic", order) for order in traffic.answers), DRAINED)
        began = time.monotonic()
        server.terminate()
        _wait(lambda: server.poll() is not None, DRAINED)
        tally.figures[f"{kind}, {len(traffic.answers)} payments"] = f"drained in {time.monotonic() - began:.1f} s"
        if server.poll() is None:
            tally.violate(f"seed {bench.seed}, {kind}", Fault("stuck", "it does not end"))
        for order, told in traffic.answers.items():
            tally.judge(f"seed {bench.seed}, {kind}, order {order}", partial(_faults, judge, order, told))
    tally.progress(kind)


def _faults(judge: Judge, order: int, told: str) -> list[Fault]:
    faults = judge.faults("automatic", order)
    if told != "ok":
        faults.append(Fault("wrong", f"a client noticed: {told}"))
    elif len(judge.facts("automatic", order).live) != 1:
        faults.append(Fault("lost", "a success that the provider does not know"))
    return faults


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


@contextmanager
def _served(world: World) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    place, address = world.place, f"http://127.0.0.1:{port}"
    settings = {
        "BRIDGE_DATABASE_URL": place.database_url,
        "BRIDGE_SECRET_KEY": place.secret_key,
        "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
        "BRIDGE_PUBLIC_URL": address,
    }
    serve = ["serve", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8"]
    command = [sys.executable, "-c", "from bridge.cli import main; main()", *serve]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, env=kept | settings, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        if not _wait(lambda: _is_ready(address), STARTING):
            raise RuntimeError("the server does not start")
        yield server, address
    finally:
        server.kill()
        server.wait()


def _is_ready(address: str) -> bool:
    try:
        return requests.get(f"{address}/bridge/v1/health/ready", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def _wait(true: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
