"""A payment handler as it is often written: it reads the order, charges it, tells the shop. It has no guards.

The batteries run against it too, and must fail: one that cannot fail proves nothing.
"""

import os
import pickle
import signal
import sys
import time
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import requests
from flask import Flask, jsonify, request

from bridge.domain.money import Money
from bridge.domain.ports import Clock
from bridge.outbound.transport import make_session
from bridge.selftest.system_under_test import INTENTS, PAYMENTS, Answer, Call, MakeSession, Outlet, Pause, Place, send
from bridge.simulators.server import serve

Json = dict[str, Any]


class NaiveSubject:
    """Six routes, no database, no worker."""

    def __init__(self, place: Place, source: Random, make_session: MakeSession) -> None:
        self._place = place
        self._source = source
        self._make_session = make_session
        self._app = Flask("naive")
        self._app.add_url_rule(INTENTS, view_func=self._create, methods=["POST"])
        self._app.add_url_rule(f"{INTENTS}/<intent>", view_func=self._show, methods=["GET"])
        self._app.add_url_rule(f"{PAYMENTS}/refund", view_func=self._refund, methods=["POST"])
        for verb in ("capture", "cancel"):
            route = f"{PAYMENTS}/orders/<int:order>/{verb}_authorization"
            self._app.add_url_rule(route, verb, getattr(self, f"_{verb}"), methods=["POST"])
        self._app.add_url_rule("/bridge/v1/webhooks/<store>", view_func=self._hear, methods=["POST"])

    def request(self, call: Call) -> Answer:
        return send(self._app, self._place, call)

    def work(self, until: float | None = None) -> int:  # noqa: ARG002 it never does
        return 0

    def flagged(self) -> set[tuple[str, int]]:
        """It tells nobody."""
        return set()

    def compared(self, store_id: str) -> list[str]:  # noqa: ARG002 it compares nothing
        return []

    def keep_house(self) -> None:
        """It has no jobs."""

    def employ(self) -> None:
        """It does everything at once."""

    def dismiss(self) -> bool:
        return True

    def forget(self) -> None:
        self._session.close()
        del self._session

    def close(self) -> None:
        self._session.close()

    def _create(self) -> Any:
        wanted, outlet = request.get_json(), self._outlet()
        order = self._shop(outlet, "GET", f"orders/{wanted['order_id']}")
        answer = self._stripe(
            "payment_intents",
            {
                "amount": Money.parse(order["total"], order["currency"]).amount,
                "currency": order["currency"].lower(),
                "customer": wanted["customer"],
                "payment_method": wanted["payment_method"],
                "confirm": "true",
                "capture_method": outlet.capture,
                "allowed_payment_method_types[0]": "card",
                "metadata[order_id]": order["id"],
                "metadata[site_url]": outlet.shop_url,
            },
        )
        if "error" in answer:
            return jsonify(code="declined", message=answer["error"]["message"], data={}), 500
        if answer["status"] == "succeeded":
            self._pay(outlet, order["id"], answer["id"])
        elif answer["status"] == "requires_capture":
            self._shop(outlet, "PUT", f"orders/{order['id']}", {"status": "on-hold", "transaction_id": answer["id"]})
        secret = answer["client_secret"] if answer["status"] == "requires_action" else None
        charge = {"id": answer["latest_charge"]}
        return jsonify(id=answer["id"], status=answer["status"], charge=charge, client_secret=secret)

    def _show(self, intent: str) -> Any:
        answer = self._stripe(f"payment_intents/{intent}")
        if "error" in answer:
            return jsonify(code="error", message=answer["error"]["message"], data={}), 500
        return jsonify(id=answer["id"], status=answer["status"])

    def _capture(self, order: int) -> Any:
        intent = request.get_json()["payment_intent_id"]
        answer = self._stripe(f"payment_intents/{intent}/capture", {})
        if "error" in answer:
            return jsonify(code="error", message=answer["error"]["message"], data={}), 500
        self._shop(self._outlet(), "PUT", f"orders/{order}", {"status": "processing"})
        return jsonify(status="succeeded", id=intent)

    def _cancel(self, order: int) -> Any:
        intent = request.get_json()["payment_intent_id"]
        answer = self._stripe(f"payment_intents/{intent}/cancel", {})
        if "error" in answer:
            return jsonify(code="error", message=answer["error"]["message"], data={}), 500
        self._shop(self._outlet(), "PUT", f"orders/{order}", {"status": "cancelled"})
        return jsonify(status="canceled", id=intent)

    def _refund(self) -> Any:
        wanted, outlet = request.get_json(), self._outlet()
        if "charge_id" in wanted:
            what = {"charge": wanted["charge_id"]}
        else:
            order = self._shop(outlet, "GET", f"orders/{wanted['order_id']}")
            what = {"payment_intent": order["transaction_id"]}
        answer = self._stripe("refunds", {**what, "amount": wanted["amount"]})
        if "error" in answer:
            return jsonify(code="error", message=answer["error"]["message"], data={}), 500
        if "order_id" in wanted:
            amount = str(Money(int(wanted["amount"]), order["currency"]).decimal)
            meta = [{"key": "_wcpay_refund_id", "value": answer["id"]}]
            body = {"amount": amount, "api_refund": False, "meta_data": meta}
            self._shop(outlet, "POST", f"orders/{wanted['order_id']}/refunds", body)
        return jsonify(id=answer["id"], status=answer["status"], amount=answer["amount"])

    def _hear(self, store: str) -> Any:
        """What the message says is what counts."""
        outlet = next(one for one in self._place.outlets.values() if one.store_id == store)
        event = request.get_json()
        if event["type"] == "payment_intent.succeeded":
            intent = event["data"]["object"]
            self._pay(outlet, int(intent["metadata"]["order_id"]), intent["id"])
        return jsonify(received=True)

    @cached_property
    def _session(self) -> requests.Session:
        place = self._place
        return self._make_session(timeout=place.timeout, ca_file=place.ca_file, allow_private=True)

    def _outlet(self) -> Outlet:
        key = request.authorization.username if request.authorization else ""
        return next(one for one in self._place.outlets.values() if one.key[0] == key)

    def _pay(self, outlet: Outlet, order: int, intent: str) -> None:
        self._shop(outlet, "PUT", f"orders/{order}", {"set_paid": True, "transaction_id": intent})

    def _shop(self, outlet: Outlet, method: str, path: str, body: Json | None = None) -> Json:
        url = f"{outlet.shop_url}/wp-json/wc/v3/{path}"
        answer: Json = self._session.request(method, url, json=body, auth=outlet.shop_key).json()
        return answer

    def _stripe(self, path: str, form: Json | None = None) -> Json:
        """With a new key for every request, as libraries do by themselves; a broken connection is tried again."""
        for _ in range(2):
            headers = {
                "Authorization": f"Bearer {self._place.stripe_key}",
                "Stripe-Account": self._place.account,
                "Idempotency-Key": str(UUID(int=self._source.getrandbits(128))),
            }
            try:
                method, url = "GET" if form is None else "POST", f"{self._place.stripe_url}/v1/{path}"
                answer: Json = self._session.request(method, url, data=form, headers=headers).json()
            except requests.RequestException:
                continue
            return answer
        return {"error": {"message": "Stripe could not be reached."}}


def open_naive(
    place: Place,
    clock: Clock,  # noqa: ARG001 it does not look at it
    source: Random,
    make_session: MakeSession,
    pause: Pause = time.sleep,  # noqa: ARG001 nor wait
) -> NaiveSubject:
    return NaiveSubject(place, source, make_session)


def main(port: int, place: str) -> None:
    """Serve it on the place that is pickled in that file. On SIGHUP it is deployed anew, as it is often done."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])  # before there are threads that could be given it
    subject = NaiveSubject(pickle.loads(Path(place).read_bytes()), Random(), make_session)  # noqa: S301 our own file
    with serve(subject._app, port=port):
        signal.sigwait([signal.SIGHUP])
        os.execv(sys.executable, sys.orig_argv)  # noqa: S606 what was begun
