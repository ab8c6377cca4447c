"""An endpoint for what simulators send by themselves, on a real socket."""

import threading
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Request, Response

TIMEOUT = 10
"""Seconds."""


@dataclass
class Receiver:
    """Keeps what it gets and answers with the next of `statuses`, then 200. With `held` it waits until that is set."""

    statuses: list[int] = field(default_factory=list)
    received: list[Request] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    held: threading.Event | None = None
    url: str = ""

    def __call__(self, environ, start_response):
        request = Request(environ)
        request.get_data()
        with self.changed:
            self.received.append(request)
            status = self.statuses.pop(0) if self.statuses else 200
            self.changed.notify_all()
        if self.held is not None:
            self.held.wait(TIMEOUT)
        return Response(status=status, headers={"Location": "/elsewhere"})(environ, start_response)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.get_json() for request in self.received]

    def wait_for(self, number: int) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: len(self.received) >= number, TIMEOUT)
