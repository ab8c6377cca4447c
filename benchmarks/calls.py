"""What is measured: steps, each a request or a delivery by the worker, that have to succeed."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bridge import Bridge
from bridge.services import Queue
from bridge.worker.runner import CLAIMS

PAYMENTS = "/wp-json/wc/v3/payments"
INTENTS = f"{PAYMENTS}/payment_intents"
DELIVER = "deliver"
"""A step: the worker tells a shop one thing."""


class Failed(RuntimeError):
    """A subject did not do what is measured: its figures would be about something else."""


@dataclass(frozen=True)
class Call:
    """A request of a client; `pair` are its consumer key and secret."""

    method: str
    path: str
    body: str = ""
    pair: tuple[str, str] = field(default=("", ""), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def all_headers(self) -> dict[str, str]:
        token = base64.b64encode(":".join(self.pair).encode()).decode()
        own = {"Authorization": f"Basic {token}"} if self.pair[0] else {}
        return {**own, **({"Content-Type": "application/json"} if self.body else {}), **self.headers}

    def environ(self) -> dict[str, Any]:
        """For a WSGI application."""
        builder = EnvironBuilder(
            self.path,
            base_url="http://127.0.0.1",
            method=self.method,
            data=self.body or None,
            headers=list(self.all_headers().items()),
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        )
        return builder.get_environ()

    def wire(self, host: str) -> bytes:
        """For a socket, whose connection stays open."""
        body = self.body.encode()
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in self.all_headers().items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


Step = Call | str
"""A request, or DELIVER."""


def post(path: str, body: Any, pair: tuple[str, str], **headers: str) -> Call:
    return Call("POST", path, json.dumps(body), pair, {name.replace("_", "-"): text for name, text in headers.items()})


def get(path: str, pair: tuple[str, str]) -> Call:
    return Call("GET", path, pair=pair)


class Prepared:
    """Steps that are ready to be done: what a client would do to send them is no part of what they cost."""

    def __init__(self, app: Flask, bridge: Bridge, steps: Iterable[Step]) -> None:
        self._app, self._bridge = app, bridge
        self._steps = [(step, step.environ() if isinstance(step, Call) else None) for step in steps]

    def run(self) -> list[Any]:
        """Do all; the answers' JSON. Raises Failed."""
        return [self._deliver() if environ is None else self._ask(step, environ) for step, environ in self._steps]

    def _ask(self, step: Step, environ: dict[str, Any]) -> Any:
        chunks, status, _headers = run_wsgi_app(self._app, environ)
        body = b"".join(chunks)
        require_success(step, int(status[:3]), body)
        return body

    def _deliver(self) -> Any:
        """One update, and nothing else that the worker may have to do by now."""
        work = CLAIMS[Queue.DELIVERIES](self._bridge.services)
        if work is None:
            raise Failed("there is nothing to deliver")
        work.run()
        return b""


def require_success(step: Step, status: int, body: bytes) -> None:
    """Raises Failed."""
    if status not in (200, 201):
        name = f"{step.method} {step.path}" if isinstance(step, Call) else step
        raise Failed(f"{name} is answered {status} {body[:300].decode(errors='replace')}")


def answers(app: Flask, bridge: Bridge, steps: Sequence[Step]) -> list[Any]:
    """What is answered to each, as JSON. Raises Failed."""
    return [json.loads(body) for body in Prepared(app, bridge, steps).run()]
