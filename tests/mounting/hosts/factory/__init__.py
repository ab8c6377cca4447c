"""A factory with flask-smorest, Flask-WTF, Flask-Login, Flask-Talisman, ProxyFix and error pages of its own."""

from typing import Any

from flask import Flask
from flask_smorest import Blueprint
from flask_talisman import Talisman
from werkzeug.middleware.proxy_fix import ProxyFix

from factory.extensions import api, bridge, csrf, login

shop = Blueprint("shop", __name__, url_prefix="/shop")


@shop.route("/", methods=["GET"])
@shop.response(200)
def home() -> dict[str, int]:
    return {"zebra": 1, "apple": 2}


@shop.route("/form", methods=["POST"])
def form() -> str:
    return "sent"


def create_app(instance_path: str | None = None, config: dict[str, Any] | None = None) -> Flask:
    app = Flask("factory", instance_path=instance_path)
    app.config.update(
        SECRET_KEY="of the host",
        API_TITLE="The host",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        BRIDGE_SECRET_KEY=f"file:{app.instance_path}/bridge.key",
        BRIDGE_DATABASE_URL=f"sqlite:///{app.instance_path}/bridge.sqlite",
    )
    app.config.update(config or {})
    app.wsgi_app = ProxyFix(app.wsgi_app)
    login.init_app(app)
    login.user_loader(lambda _: None)
    Talisman(app)
    bridge.init_app(app, url_prefix="/pay", worker=True)
    csrf.init_app(app)
    api.init_app(app)
    api.register_blueprint(shop)
    for code in (400, 404, 405, 500, 503):
        app.register_error_handler(code, lambda error: (f"<h1>The host's page: {error.code}</h1>", 418))
    return app
