"""gunicorn, set up for a service whose requests wait for others: threads, no trust in forwarded headers."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from bridge.app import EXTENSION, Bridge, create_app
from bridge.settings import Settings


class GunicornServer(BaseApplication):  # type: ignore[misc]
    """Every process makes its own Bridge after the fork; with `worker` each also delivers and settles in a thread."""

    def __init__(self, settings: Settings, *, worker: bool, **options: Any) -> None:
        self._settings = settings
        self._worker = worker
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        fixed = {
            "worker_class": "gthread",
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

    def load(self) -> Flask:
        return create_app(Bridge(self._settings), worker=self._worker)


def _close(app: Flask | None) -> None:
    if app is not None:
        app.extensions[EXTENSION].close()
