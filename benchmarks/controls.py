"""What the bridge is held against: apps that anybody could write instead, which guard nothing.

    python -m benchmarks.controls NAME BIND PROCESSES THREADS DESCRIPTION

serves one of them with `serve`'s own server.
"""

import hmac
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import flask_smorest  # type: ignore[import-untyped]
import requests
import stripe
from flask import Flask, abort, jsonify, request

from benchmarks.calls import INTENTS
from bridge.domain.money import Money
from bridge.schemas.woopayments import CreatedIntent, Parameters
from bridge.server.application import GunicornServer
from bridge.settings import Settings

B, BARE = "b", "bare JSON"
BY_HAND, BY_HAND_AND_UPDATE = "by hand", "by hand, with the update"


def no_op(answer: dict[str, Any]) -> Flask:
    """b: the create's own schemas, and between them nothing but the whole answer of a real create."""
    app = Flask("no-op")
    blueprint = flask_smorest.Blueprint("no_op", "no_op")

    @blueprint.route(INTENTS, methods=["POST"])  # type: ignore[untyped-decorator]
    @blueprint.arguments(Parameters)  # type: ignore[untyped-decorator]
    @blueprint.response(200, CreatedIntent)  # type: ignore[untyped-decorator]
    def create(parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
        return answer

    app.register_blueprint(blueprint)
    return app


def bare(answer: dict[str, Any]) -> Flask:
    """What Flask itself costs."""
    app = Flask("bare")

    @app.post(INTENTS)
    def create() -> Any:
        request.get_json()
        return jsonify(answer)

    return app


def by_hand(place: dict[str, Any], *, updates: bool) -> Flask:
    """A handler as one writes it with `requests` and Stripe's SDK: one key is compared, the order is read and charged,
    and with `updates` the shop is told. It remembers nothing: twice asked, it charges twice."""
    app, shop = Flask("by hand"), requests.Session()
    shop.auth = tuple(place["shop_key"])
    how = {"timeout": 30, "verify": place["ca_file"]}
    client = stripe.StripeClient(place["secret_key"], base_addresses={"api": place["api_base"]})
    key, secret = place["key"]

    @app.post(INTENTS)
    def create() -> Any:
        given, wanted = request.authorization, request.get_json()
        if not (given and given.username == key and hmac.compare_digest(given.password or "", secret)):
            abort(401)
        url = f"{place['shop_url']}/wp-json/wc/v3/orders/{int(wanted['order_id'])}"
        order = shop.get(url, **how).json()
        intent = client.v1.payment_intents.create(
            {
                "amount": Money.parse(order["total"], order["currency"]).amount,
                "currency": order["currency"].lower(),
                "customer": wanted["customer"],
                "payment_method": wanted["payment_method"],
                "allowed_payment_method_types": ["card"],
                "confirm": True,
                "expand": ["latest_charge"],
                "metadata": {"order_id": str(order["id"]), "site_url": place["shop_url"]},
            },
            {"stripe_account": place["account"]},
        )
        if updates:
            paid: dict[str, Any] = {"set_paid": True, "transaction_id": intent.id}
            shop.put(url, json=paid, **how).raise_for_status()
        return jsonify(_shown(intent))

    return app


def _shown(intent: Any) -> dict[str, Any]:
    charge = intent.latest_charge
    return {
        "id": intent.id,
        "amount": intent.amount,
        "currency": intent.currency.upper(),
        "created": intent.created,
        "customer": intent.customer,
        "payment_method": intent.payment_method,
        "status": intent.status,
        "charge": {
            "id": charge.id,
            "amount": charge.amount,
            "status": charge.status,
            "billing_details": charge.billing_details.to_dict(),
            "payment_method_details": charge.payment_method_details.to_dict(),
        },
    }


CONTROLS: dict[str, Callable[[dict[str, Any]], Flask]] = {
    B: lambda place: no_op(place["answer"]),
    BARE: lambda place: bare(place["answer"]),
    BY_HAND: partial(by_hand, updates=False),
    BY_HAND_AND_UPDATE: partial(by_hand, updates=True),
}
"""Each is given what it has to know: an `answer`, and where shop and Stripe are."""


class ControlServer(GunicornServer):
    """`serve`'s server, with another app in it."""

    def __init__(self, app: Flask, **options: Any) -> None:
        self._control = app
        settings = Settings.load({}, secret_key="0" * 40, database_url="sqlite:////nowhere/bridge.sqlite")
        super().__init__(settings, worker=False, worker_exit=lambda _server, _worker: None, **options)

    def load(self) -> Flask:
        return self._control


def main(name: str, bind: str, processes: str, threads: str, description: str) -> None:
    app = CONTROLS[name](json.loads(Path(description).read_text()))
    ControlServer(app, bind=bind, workers=int(processes), threads=int(threads)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
