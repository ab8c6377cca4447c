"""Two apps of one project, that share their extensions."""

from typing import Any

from flask import Flask

from bridge import Bridge

bridge = Bridge()


def create_shop(config: dict[str, Any]) -> Flask:
    app = Flask("shop")
    app.config.update(config)
    bridge.init_app(app, url_prefix="/pay", worker=not app.testing)
    return app


def create_office(config: dict[str, Any]) -> Flask:
    app = Flask("office")
    app.config.update(config, BRIDGE_ERROR_STATUS="precise")
    bridge.init_app(app, worker=not app.testing)
    return app
