"""gunicorn, set up for a service whose requests wait for others: threads, no trust in forwarded headers."""

import resource
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from bridge.app import EXTENSION, Bridge, create_app
from bridge.server.worker import BufferingWorker
from bridge.settings import Settings

MAX_CONNECTIONS = 1000
"""Of each process."""
DESCRIPTORS = MAX_CONNECTIONS + 1000
"""Files and sockets of a process, beside its clients' those towards databases, stores and providers."""


class ServerLogger(Logger):  # type: ignore[misc]
    """gunicorn's own lines go where all others go, and lose their secrets on the way."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self.error_log.propagate = True


class GunicornServer(BaseApplication):  # type: ignore[misc]
    """Every process makes its own Bridge after the fork; with `worker` each also delivers and settles in a thread."""

    def __init__(self, settings: Settings, *, worker: bool, **options: Any) -> None:
        self._settings = settings
        self._worker = worker
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        fixed = {
            "worker_class": BufferingWorker,
            "worker_connections": MAX_CONNECTIONS,
            "logger_class": ServerLogger,
            "forwarded_allow_ips": "",
            "control_socket_disable": True,
            "timeout": int(self._settings.provider_timeout) * 2 + 30,
            "graceful_timeout": int(self._settings.provider_timeout) + 5,
            "limit_request_line": 8190,
            "worker_exit": lambda _server, worker: _close(worker.app.callable),
        }
        for name, value in {**fixed, **self._options}.items():
            if value is not None:
                self.cfg.set(name, value)

    def run(self) -> None:
        _raise_limit()
        super().run()

    def load(self) -> Flask:
        return create_app(Bridge(self._settings), worker=self._worker)


def _close(app: Flask | None) -> None:
    if app is not None:
        app.extensions[EXTENSION].close()


def _raise_limit() -> None:
    """Many systems allow 1,024 open files until a program asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
