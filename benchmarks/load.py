"""Clients: so many connections that stay open, each of which asks for the next thing as soon as it has its answer."""

import asyncio
import statistics
import time
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.calls import Call, Failed, require_success
from benchmarks.processes import Server

LARGEST_HEAD = 1 << 16


@dataclass
class Outcome:
    """`seconds` from the first request to the last answer; `latencies` are seconds, too."""

    seconds: float
    latencies: list[float]

    @property
    def figures(self) -> dict[str, float]:
        p50, p99 = quantile(self.latencies, 0.5), quantile(self.latencies, 0.99)
        rate = len(self.latencies) / self.seconds
        return {"requests/s": rate, "p50 ms": p50 * 1000, "p99 ms": p99 * 1000, "p99 / p50": p99 / p50}


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=1000, method="inclusive")[min(int(share * 1000), 999) - 1]


def _run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """In a thread of its own, because the caller's may have a loop that runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def ask_all(server: Server, calls: Sequence[Call], connections: int) -> Outcome:
    """Every call once. Raises Failed for an answer that is no success, or none."""
    return _run(_ask_all(server, calls, connections))


async def _ask_all(server: Server, calls: Sequence[Call], connections: int) -> Outcome:
    left = iter(calls)
    latencies: list[float] = []
    started = time.perf_counter()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(connections, len(calls))):
                group.create_task(converse(server, left, latencies))
    except* Failed as failed:
        raise failed.exceptions[0] from None
    return Outcome(time.perf_counter() - started, latencies)


async def converse(server: Server, left: Iterator[Call], latencies: list[float]) -> None:
    """One connection after the other, as long as each stays open, until nothing is left. Raises Failed."""
    try:
        while (call := next(left, None)) is not None:
            await _on_one_connection(server, call, left, latencies)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise Failed(f"a connection broke: {error!r}") from None


async def _on_one_connection(server: Server, call: Call | None, left: Iterator[Call], latencies: list[float]) -> None:
    reader, writer = await asyncio.open_connection(server.host, server.port, limit=LARGEST_HEAD)
    try:
        while call is not None:
            started = time.perf_counter()
            writer.write(call.wire(f"{server.host}:{server.port}"))
            status, body, stays = await _answer(reader)
            latencies.append(time.perf_counter() - started)
            require_success(call, status, body)
            call = next(left, None) if stays else None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status and body, and whether the connection stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    headers = dict(line.partition(": ")[::2] for line in head[1:] if line)
    body = await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split(" ")[1]), body, headers.get("connection") != "close"


@dataclass
class Probe:
    """Somebody else, who asks for one thing again and again meanwhile."""

    call: Call
    latencies: list[float] = field(default_factory=list)


def ask_beside(server: Server, calls: Sequence[Call], connections: int, probe: Probe, pause: float) -> Outcome:
    """Every call once, and the probe's every `pause` seconds meanwhile, until all are answered. Raises Failed."""
    return _run(_ask_beside(server, calls, connections, probe, pause))


async def _ask_beside(server: Server, calls: Sequence[Call], connections: int, probe: Probe, pause: float) -> Outcome:
    watching = asyncio.create_task(_watch(server, probe, pause))
    try:
        return await _ask_all(server, calls, connections)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(server: Server, probe: Probe, pause: float) -> None:
    while True:
        await asyncio.sleep(pause)
        await converse(server, iter([probe.call]), probe.latencies)
