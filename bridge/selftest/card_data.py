"""S3: card data in every notation, under every name, at every place. Each request is refused, and afterwards none of it
stands in the database, the sandbox's own one, what went to shops and providers, a log or an answer."""

import base64
import json
import logging
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from random import Random
from typing import Any
from urllib.parse import unquote_plus, urlencode

import requests

from bridge.selftest import leaks
from bridge.selftest.beside.town import Town
from bridge.selftest.beside.towns import Towns
from bridge.selftest.card_notations import HARMLESS, NAMES, NETWORKS, card_number, notations
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import INTENTS, PAYMENTS, Answer, Call

ALL = 1_000
SIZES: dict[Size, tuple[int, int]] = {"slice": (1, 2), "small": (2, ALL), "full": (len(NETWORKS), ALL)}
"""With how many networks' numbers each notation is tried, and at how many places it and each name."""
OUTLETS = ("sandbox", "automatic")
REFUSED = (400, "wcpay_card_data_refused")
Members = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where something can be put: texts as the member `at`, secret names beside it. `call` makes the request of a
    client of an outlet with these members in it; `fits` is what can stand there."""

    name: str
    at: str
    call: Callable[[str, Members], Call] = field(repr=False)
    fits: str = r"(?s:.*)"
    is_for_names: bool = True


@dataclass(frozen=True)
class Try:
    """One request, and what of it nobody may keep: digits, or a word."""

    name: str
    call: Call
    trace: str


def run(context: RunContext, report: Report) -> None:
    for kind in context.present(report):
        seed = f"{context.seed}/{kind}"
        with Towns(context, kind).open(seed) as town, _overhearing(town) as heard:
            desk = _Desk(town)
            tries = list(_tries(Random(seed), desk, *SIZES[context.size]))
            for each in tries:
                report.judge(f"seed {seed}, {each.name}", partial(_faults, town, heard, each))
            for text in HARMLESS:
                report.judge(f"seed {seed}, {text}", partial(_passes, town, desk, text))
            town.work()
            report.judge(f"seed {seed}, afterwards", partial(_found, [*heard, *desk.stored()], tries))
        report.faults += len(tries)
        report.progress(kind)


class _Desk:
    """Orders of two stores, one to be paid and one to be sent back, and the requests that would do it."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._orders = {outlet: town.new_order(outlet, "900.00") for outlet in OUTLETS}
        self._paid = {outlet: town.new_order(outlet, "9000.00") for outlet in OUTLETS}
        for outlet, order in self._paid.items():
            town.request(Call("POST", INTENTS, self._create(outlet) | {"order_id": order}, outlet))

    def places(self) -> Sequence[Place]:
        return (
            Place("the reason of a refund", "reason", lambda o, m: self._post(o, "refund", self._refund(o) | m)),
            Place("a refund", "note", lambda o, m: self._post(o, "refund", self._refund(o) | m)),
            Place("a payment method", "payment_method", lambda o, m: self.create(o, m)),
            Place("deep in a create", "note", lambda o, m: self.create(o, {"a": [{"b": [m]}]})),
            Place("a name", "note", lambda o, m: self.create(o, dict.fromkeys(m.values(), 1)), is_for_names=False),
            Place("metadata at a reader", "note", self._at_reader),
            Place("a preview", "description", self._preview),
            Place("a query", "note", lambda o, m: Call("POST", f"{INTENTS}?{urlencode(m)}", self._create(o), o)),
            Place("a form", "reason", self._form),
            Place("a path", "id", self._path, fits=r"\w+", is_for_names=False),
            Place("the body of a GET", "note", lambda o, m: Call("GET", f"{INTENTS}/pi_1", m, o)),
            Place("a hint", "id", lambda o, m: self._post(o, "webhook", {"type": "payment_intent.created"} | m)),
        )

    def create(self, outlet: str, members: Members) -> Call:
        return self._post(outlet, "payment_intents", self._create(outlet) | members)

    def stored(self) -> Iterator[str]:
        """The bridge's database, the sandbox's own one, and what the shops show of the orders."""
        yield from (told for _, told in leaks.contents(self._town.place.database_url))
        books = self._town.books_file("sandbox")
        yield from (file.read_bytes().decode("utf-8", "replace") for file in books.parent.glob(f"{books.name}*"))
        for outlet in OUTLETS:
            shop = self._town.shops[outlet]
            for order in (self._orders[outlet], self._paid[outlet]):
                told = [shop.order(order), shop.notes(order), shop.refunds(order)]
                yield json.dumps(told, ensure_ascii=False, default=str)

    def _create(self, outlet: str) -> Members:
        customer = self._town.place.outlets[outlet].customer
        return {"order_id": self._orders[outlet], "customer": customer, "payment_method": "pm_card_visa"}

    def _refund(self, outlet: str) -> Members:
        return {"order_id": self._paid[outlet], "amount": 100}

    def _post(self, outlet: str, route: str, body: Members) -> Call:
        return Call("POST", f"{PAYMENTS}/{route}", body, outlet)

    def _at_reader(self, outlet: str, members: Members) -> Call:
        route = f"orders/{self._orders[outlet]}/create_terminal_intent"
        return self._post(outlet, route, {"payment_methods": ["card_present"], "metadata": members})

    def _preview(self, outlet: str, members: Members) -> Call:
        line = {"description": "Hat", "unit_amount": 100, "quantity": 1} | members
        return self._post(outlet, "payment_intents/preview", {"currency": "usd", "line_items": [line]})

    def _form(self, outlet: str, members: Members) -> Call:
        basic = base64.b64encode(":".join(self._town.place.outlets[outlet].key).encode()).decode()
        headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
        data = urlencode(self._refund(outlet) | members).encode()
        return Call("POST", f"{PAYMENTS}/refund", outlet=outlet, headers=headers, raw=data)

    def _path(self, outlet: str, members: Members) -> Call:
        return Call("GET", f"{INTENTS}/{members['id']}", outlet=outlet)


def _tries(random: Random, desk: _Desk, of_networks: int, of_places: int) -> Iterator[Try]:
    places, networks, outlets = desk.places(), cycle(random.sample(NETWORKS, len(NETWORKS))), cycle(OUTLETS)

    def some(fit: Iterable[Place]) -> list[Place]:
        known = list(fit)
        return random.sample(known, min(of_places, len(known)))

    for name, write in notations().items():
        example = write("4242424242424242")
        for place in some(place for place in places if re.fullmatch(place.fits, example, re.ASCII)):
            for first, length in (next(networks) for _ in range(of_networks)):
                number = card_number(random, first, length)
                call = place.call(next(outlets), {place.at: write(number)})
                yield Try(f"{name}, {place.name}, {first}... ({length})", call, number)
    for name in NAMES:
        for place in some(place for place in places if place.is_for_names):
            word = "".join(random.choices(string.ascii_lowercase[6:], k=20))
            yield Try(f"{name}, {place.name}", place.call(next(outlets), {name: word}), word)
    for first, length in NETWORKS:
        number = card_number(random, first, length)
        yield Try(f"a number of JSON, {first}...", desk.create(next(outlets), {"note": int(number)}), number)


def _faults(town: Town, heard: list[str], each: Try) -> Iterator[Fault]:
    answer = town.request(each.call)
    heard.append(answer.text)
    if (answer.status, _code(answer)) != REFUSED:
        yield Fault("wrong", f"card data is answered {answer.status} {_code(answer)}")


def _passes(town: Town, desk: _Desk, text: str) -> Iterator[Fault]:
    answer = town.request(desk.create("sandbox", {"note": text}))
    if _code(answer) == REFUSED[1]:
        yield Fault("wrong", "it is taken for card data")


def _code(answer: Answer) -> str:
    return str(answer.body.get("code", "")) if isinstance(answer.body, dict) else ""


def _found(kept: Sequence[str], tries: Sequence[Try]) -> Iterator[Fault]:
    """Whatever separates the digits, and whatever script they are of."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), "\n".join(kept))
    digits = "".join(str(unicodedata.digit(sign)) for sign in text if unicodedata.digit(sign, None) is not None)
    for each in tries:
        if each.trace in (digits if each.trace.isdigit() else text):
            yield Fault("leaked", f"card data is kept or sent on: {each.name}")


@contextmanager
def _overhearing(town: Town) -> Iterator[list[str]]:
    """All that goes to shops and providers, and all that is logged."""
    heard: list[str] = []

    def listen(_host: str, request: requests.PreparedRequest) -> None:
        body = request.body or b""
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
        heard.append(unquote_plus(f"{request.url} {text}"))

    logs = _Logs(heard)
    logging.root.addHandler(logs)
    town.wire.arriving = listen
    try:
        yield heard
    finally:
        town.wire.arriving = None
        logging.root.removeHandler(logs)


class _Logs(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != leaks.log.name:  # what the battery itself writes down of answers
            self._heard.append(unquote_plus(self.format(record)))
