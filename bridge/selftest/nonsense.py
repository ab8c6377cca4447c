"""S2: malformed requests, with secrets at every place. Each is refused in one short line, and no secret comes into an
answer, a log, a metric or the database of `serve` and `worker`, which run as their owner runs them, at DEBUG."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random

import requests

from bridge.selftest import leaks
from bridge.selftest.judge import Fault
from bridge.selftest.malformed import Malformed, Secrets, malformed, mutate
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.serving import STARTING, Site, serving, wait_for
from bridge.selftest.system_under_test import BRIDGE, METRICS_TOKEN
from bridge.selftest.world import WEBHOOK_SECRET

SIZES: dict[Size, tuple[tuple[str, ...], int]] = {
    "slice": (("json",), 150),
    "small": (("text", "json"), 2_000),
    "full": (("text", "json"), 100_000),
}
"""In which formats the logs are written, one run for each; and how many mutations are sent in each run."""
PATIENCE = 60.0
"""Seconds in which any answer comes, on a machine that has much else to do."""
LONGEST_LINE = 1_500
"""Characters of a line in a log."""
LONGEST_SENTENCE = 500
"""Characters of a refusal: some say what would have been right."""
OTHER_THAN_4XX = (501, 505)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
_REFUSED = re.compile(r"wcpay_bridge_(?:credentials|messages)_refused_total\{[^}]*\} (\S+)")
_LINES = re.compile(r"credentials from \S+ were refused: |a message to the endpoint \S* ?was refused: ")


def run(context: RunContext, report: Report) -> None:
    formats, mutations = SIZES[context.size]
    for kind in context.present(report):
        for form in formats:
            options = ("--log-level", "debug", "--log-format", form)
            with serving(context, kind, 1.0, apart=True, timeout=5.0, overheard=False, options=options) as site:
                _play(site, f"{context.seed}/{kind}/{form}", mutations, report)
            report.progress(f"{kind}, logs as {form}")


def _play(site: Site, seed: str, mutations: int, report: Report) -> None:
    random = Random(seed)
    begun = len(site.server.prints())
    secrets = _secrets(site)
    known = list(malformed(secrets))
    for each in known:
        report.judge(f"seed {seed}, {each.name}", lambda each=each: _faults(site, each))  # type: ignore[misc]
    for number in range(mutations):
        origin = random.choice(known)
        data = mutate(random, origin.data, secrets)
        mutation = Malformed(f"mutation {number} of {origin.name}", data, refused=False)
        report.judge(f"seed {seed}, {mutation.name}", lambda each=mutation: _faults(site, each))  # type: ignore[misc]
    report.judge(f"seed {seed}, afterwards", lambda: _afterwards(site, begun))
    report.faults += len(known) + mutations


def _secrets(site: Site) -> Secrets:
    outlet = site.world.place.outlets["automatic"]
    key, secret = outlet.key
    return Secrets(
        key=key,
        secret=secret,
        token=METRICS_TOKEN or secret,
        webhook_secret=WEBHOOK_SECRET,
        endpoint=outlet.store_id,
        order=site.world.new_order("automatic"),
        now=time.time(),
    )


def _faults(site: Site, request: Malformed) -> Iterator[Fault]:
    try:
        said = _tell(site, request)
    except (TimeoutError, ConnectionError) as error:
        yield Fault("stuck", f"there was no answer: {error}")
        return
    found = _STATUS.match(said)
    if found is None:
        if request.refused or said:
            yield Fault("wrong", f"no answer, but {said[:100]!r}")
        return
    status = int(found[1])
    if (status >= 500 and status not in OTHER_THAN_4XX) or (request.refused and status < 400):
        yield Fault("wrong", f"status {status}")
    text = said.decode("latin-1")
    if "Traceback" in text or re.search(r"(?im)^server:", text.partition("\r\n\r\n")[0]):
        yield Fault("wrong", "the answer shows a traceback, or names the server")
    if leaks.tells(text):
        yield Fault("leaked", "the answer tells a secret")
    if status >= 400:
        yield from _is_one_short_line(text)


def _is_one_short_line(text: str) -> Iterator[Fault]:
    """A page has a title; what is for programs has a sentence."""
    body = text.partition("\r\n\r\n")[2]
    with suppress(ValueError):
        told = json.loads(body)
        message = str(told.get("message", "")) if isinstance(told, dict) else ""
        if "\n" in message or len(message) > LONGEST_SENTENCE:
            yield Fault("wrong", f"a refusal of {len(message)} characters: {message[:80]!r}")


def _tell(site: Site, request: Malformed) -> bytes:
    """All that the server says. A mutation may not be whole: it is told that nothing follows."""
    said = b""
    patience = PATIENCE if site.context.subject == BRIDGE else 0.5
    with socket.create_connection(site.address, timeout=patience) as sock, suppress(ConnectionError):
        sock.sendall(request.data)
        if not request.refused:
            sock.shutdown(socket.SHUT_WR)
        while part := sock.recv(65536):
            said += part
    return said


def _afterwards(site: Site, begun: int) -> Iterator[Fault]:
    """It serves as before; its logs have one short line for whatever was refused, and its metrics a count."""
    if not wait_for(site.is_up, STARTING):
        yield Fault("stuck", "it does not answer any more")
    counted = _counted(site)
    printed = site.server.prints()[begun:]
    if counted is not None and counted != (lines := len(_LINES.findall(printed))):
        yield Fault("wrong", f"{lines} lines about refused credentials and messages, and {counted} in the metrics")
    for name, text in (("serve", printed), ("worker", site.worker.prints() if site.worker else "")):
        if "Traceback" in text:
            yield Fault("wrong", f"{name} logs a traceback: {text[text.index('Traceback') :][:2000]}")
        if longest := max((line for line in text.splitlines() if len(line) > LONGEST_LINE), default="", key=len):
            yield Fault("wrong", f"{name} logs a line of {len(longest)} characters: {longest[:200]}")


def _counted(site: Site) -> int | None:
    """What the metrics say was refused; None where there are none."""
    if not METRICS_TOKEN:
        return None
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    answer = requests.get(f"{site.traffic.url}/bridge/v1/metrics", headers=headers, timeout=PATIENCE)
    return sum(int(float(number)) for number in _REFUSED.findall(answer.text))
