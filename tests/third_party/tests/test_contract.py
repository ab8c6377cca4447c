"""Fjord Pay's adapter keeps the contract, over HTTP, with a stand-in for Fjord."""

import json
import threading
from base64 import b64encode
from decimal import Decimal

import pytest
from bridge.adapters.contract import AdapterContract, Provider
from bridge.simulators.faults import Fault, Faults
from bridge.simulators.server import serve
from werkzeug.wrappers import Request, Response

from fjord_pay import FjordPay


class Fjord:
    """As far as the adapter needs it. Whoever sends twice pays twice."""

    def __init__(self):
        self.payments = {}
        self.lock = threading.Lock()

    def __call__(self, environ, start_response):
        request = Request(environ)
        with self.lock:
            status, answer = self.answer(request)
        return Response(json.dumps(answer), status, content_type="application/json")(environ, start_response)

    def answer(self, request):
        if request.headers.get("Authorization") != f"Basic {b64encode(b'17:s3cret-password').decode()}":
            return refusal("who_are_you", 401)
        number, _, verb = request.path.removeprefix("/v1/payments").lstrip("/").partition("/")
        if not number:
            return self.listed(request.args["ref"]) if request.method == "GET" else self.make(request.json)
        payment = self.payments.get(number)
        if payment is None:
            return refusal("not_found", 404)
        return getattr(self, verb)(payment, request.json) if verb else (200, payment)

    def listed(self, ref):
        return 200, {"payments": [each for each in self.payments.values() if each["ref"] == ref]}

    def make(self, asked):
        if asked["card"] == "not-a-card":
            return refusal("bad_card")
        state = "DENIED" if asked["card"] == "poor" else "HELD" if asked["hold"] else "PAID"
        number, taken = f"F-{len(self.payments) + 1}", asked["amount"] if state == "PAID" else "0.00"
        made = {name: asked[name] for name in ("amount", "currency", "ref")}
        self.payments[number] = made | {"number": number, "state": state, "taken": taken, "returned": []}
        return 201, self.payments[number]

    def take(self, payment, asked):
        if payment["state"] != "HELD":
            return refusal("not_held")
        if Decimal(asked["amount"]) > Decimal(payment["amount"]):
            return refusal("too_much")
        payment |= {"state": "PAID", "taken": asked["amount"]}
        return 200, payment

    def release(self, payment, _):
        if payment["state"] != "HELD":
            return refusal("not_held")
        payment["state"] = "RELEASED"
        return 200, payment

    def __getattr__(self, name):
        return {"return": self.send_back}[name]

    def send_back(self, payment, asked):
        gone = sum(Decimal(each["amount"]) for each in payment["returned"])
        if gone + Decimal(asked["amount"]) > Decimal(payment["taken"]):
            return refusal("too_much")
        payment["returned"].append({"number": f"{payment['number']}-{len(payment['returned']) + 1}", **asked})
        return 201, payment["returned"][-1]


def refusal(code, status=422):
    return status, {"code": code, "problem": f"Refused: {code}."}


class FjordProvider(Provider):
    adapter = FjordPay
    good = "rich"
    declined = "poor"

    def __init__(self, url, fjord, faults):
        super().__init__({"merchant": "17", "password": "s3cret-password", "api": url})
        self.fjord = fjord
        self.faults = faults

    def charges(self, settings, payment):
        made = self.fjord.payments.values()
        return sum(each["ref"] == payment.attempt_id and each["state"] in ("PAID", "HELD") for each in made)

    def refused(self, payment):
        return self.payment("not-a-card")

    def unreachable(self, payment):
        self.faults.next(Fault.REFUSED)
        return payment

    def lost_answer(self, payment):
        self.faults.next(Fault.DROPPED)
        return payment

    def nonsense(self, payment):
        self.faults.next(Fault.HTML)
        return payment

    def strange_status(self, payment):
        answer = {"number": "F-9", "state": "DREAMING", "ref": payment.attempt_id, "taken": "0.00", "returned": []}
        self.faults.next(Fault.WRONG_JSON, body=answer | {"amount": "10.23", "currency": payment.currency})
        return payment


class TestFjordPay(AdapterContract):
    @pytest.fixture
    def provider(self):
        fjord = Fjord()
        faults = Faults(fjord)
        with serve(faults) as server:
            provider = FjordProvider(server.url, fjord, faults)
            yield provider
            provider.close()
