"""S4: who may do what. Every route that is served is asked by every kind of caller, in every way in which a key can be
sent and a method be named, about payments that are there; and every other store asks for all that is one store's.

Nothing is answered but the refusal, nothing of another store is told from what never was, nothing goes out and no
money moves.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice, product
from random import Random
from types import MappingProxyType
from typing import Any

from bridge.selftest.beside.kinds import MAIN
from bridge.selftest.beside.town import Town
from bridge.selftest.beside.towns import Towns
from bridge.selftest.callers import (
    KEY_PROFILES,
    OVERRIDES,
    PUBLIC_URLS,
    TRUSTED,
    WAYS,
    Caller,
    Sent,
    Stamp,
    Way,
    forgers,
    override,
)
from bridge.selftest.judge import Fault
from bridge.selftest.report import Report
from bridge.selftest.route_access import REFUND, ROUTES, Access, Proof, served
from bridge.selftest.run_context import RunContext, Size
from bridge.selftest.system_under_test import INTENTS, PAYMENTS, Answer, BridgeSubject, Call, Subject, find_subject

ALL = 1_000_000
SIZES: dict[Size, tuple[tuple[str, ...], int, int]] = {
    "slice": (("manual",), 6, 1),
    "small": (("manual",), 120, ALL),
    "full": (("manual", "automatic", "sandbox"), ALL, ALL),
}
"""Whose payments are asked for, and how many of a route's callers, ways and overrides, and of other stores, are
tried."""
COMPATS = ("documented", "woopayments")
MISSING = {
    "payment_intent_id": "pi_missing",
    "intention_id": "pi_absent",
    "charge_id": "ch_missing",
    "transaction_id": "txn_missing",
    "customer_id": "cus_missing",
    "order_id": "987654",
    "name": "missing",
    "endpoint": "missing",
    "token": "missing",
}
REFUSALS = {
    "documented": {"rest_forbidden"},
    "woopayments": {
        "rest_forbidden",
        "woocommerce_rest_authentication_error",
        "woocommerce_rest_authentication_missing_parameter",
    },
}
"""With which codes a caller is refused, by profile: in the documented one nobody is told why."""
UNABLE = 501
"""What an adapter cannot do."""
REPEATED = {"Idempotency-Key": "theirs"}
"""With which the store made its own payment."""


@dataclass
class Scene:
    """A store's payments, the names by which each kind of thing is asked for, and who asks. `gone` lists what has left
    the bridge since the last look."""

    town: Town
    subject: Subject
    compat: str
    outlet: str
    names: Mapping[str, tuple[str, ...]]
    callers: Sequence[Caller]
    random: Random
    gone: list[str] = field(default_factory=list)

    def stamp(self) -> Stamp:
        return Stamp(self.town.clock(), f"{self.random.getrandbits(128):032x}")

    def ask(self, sent: Sent) -> Answer:
        return self.subject.request(sent.call())

    def asked(self, method: str, path: str, names: Mapping[str, str]) -> Sent:
        """A request about these things, of nobody yet."""
        access = ROUTES.get((method, path), Access(Proof.KEY))
        where = re.sub(r"\{(\w+)\}", lambda name: names.get(name[1], "1"), path)
        return Sent(method, where, body=access.filled(names))

    def as_owner(self, sent: Sent, outlet: str) -> Sent:
        return WAYS[0].write(sent, self.town.place.outlets[outlet].key, self.stamp())

    def money(self) -> list[int]:
        """How much every provider has written down."""
        town = self.town
        ledgers = (town.stripe.ledger, town.platform.ledger, *(forte.ledger for forte in town.fortes.values()))
        return [*(len(ledger.entries()) for ledger in ledgers), len(list(town.sandbox_rows("sandbox")))]


def run(context: RunContext, report: Report) -> None:
    outlets, tries, others = SIZES[context.size]
    for kind in context.present(report):
        towns = Towns(context, kind)
        for outlet, compat in product(outlets, COMPATS):
            seed = f"{context.seed}/{kind}/{outlet}/{compat}"
            with towns.open(seed) as town, playing(context, town, outlet, compat, seed) as scene:
                routes = served(scene.subject._app)  # type: ignore[attr-defined]
                play(scene, routes, report, seed, tries, others)
            report.progress(f"{kind}, {outlet}, {compat}")


@contextmanager
def playing(context: RunContext, town: Town, outlet: str, compat: str, seed: str) -> Iterator[Scene]:
    """What is asked for and who asks, of another subject at the same place, with settings of its own."""
    settings = {"compat": compat, "trusted_proxies": TRUSTED, "public_url": PUBLIC_URLS}
    place = replace(town.place, settings=settings)
    source = Random(f"{seed}/ids of {compat}")
    opened = find_subject(context.subject)(place, town.clock, source, town.wire.make_session, town.clock.advance)
    with closing(opened) as subject:
        scene = _scene(town, subject, outlet, compat, Random(seed))
        town.wire.arriving = lambda host, request: scene.gone.append(f"{request.method} {host}")
        try:
            yield scene
        finally:
            town.wire.arriving = None


def play(
    scene: Scene, routes: Iterable[tuple[str, str]], report: Report, seed: str, tries: int = ALL, others: int = ALL
) -> None:
    """Each of the routes with so many callers, ways and overrides, and so many other stores."""
    report.judge(f"seed {seed}", partial(_is_complete, scene))
    for method, path in routes:
        where = f"seed {seed}, {method} {path}"
        report.judge(where, partial(_has_an_entry, method, path))
        if (access := ROUTES.get((method, path))) is None:
            continue
        if access.proof is not Proof.KEY:
            report.judge(f"{where}, callers", partial(_indifferent, scene, method, path))
            continue
        report.judge(f"{where}, its owner", partial(_owner, scene, method, path))
        for caller, way, how in _chosen(scene, tries):
            name = f"{where}, {caller.name}, {way.name} {how}"
            report.judge(name, partial(_faults, scene, method, path, caller, way, how))
        strangers = list(_strangers(scene.outlet))
        for stranger in scene.random.sample(strangers, min(others, len(strangers))):
            report.judge(f"{where}, {stranger}", partial(_stranger, scene, method, path, stranger))


def _has_an_entry(method: str, path: str) -> Iterator[Fault]:
    if (method, path) not in ROUTES:
        yield Fault("wrong", f"{method} {path} has no entry in the table of who may do what")


def _is_complete(scene: Scene) -> Iterator[Fault]:
    for name, values in scene.names.items():
        if not values:
            yield Fault("wrong", f"nothing is there to be asked for as {name}")


def _scene(town: Town, subject: Subject, outlet: str, compat: str, random: Random) -> Scene:
    """A payment that is held, where the store holds them, and one that was taken and sent back in part."""
    held, paid = _created(town, outlet, REPEATED), _created(town, outlet)
    order = paid["order"]
    if paid.get("status") == "requires_capture":
        body = {"payment_intent_id": paid["id"]}
        town.request(Call("POST", f"{PAYMENTS}/orders/{order}/capture_authorization", body, outlet))
    sent_back = town.request(Call("POST", f"{PAYMENTS}/refund", {"order_id": order, "amount": 100}, outlet)).body or {}
    charge = (paid.get("charge") or {}).get("id")
    intents = _known(held.get("id"), held.get("attempt_id"), paid.get("id"))
    names = {
        "payment_intent_id": intents,
        "intention_id": intents,
        "charge_id": _known(charge, (held.get("charge") or {}).get("id")),
        "transaction_id": _known(charge, sent_back.get("id")),
        "customer_id": _known(town.place.outlets[outlet].customer),
        "order_id": (str(order), str(held["order"])),
    }
    return Scene(town, subject, compat, outlet, names, tuple(_callers(town, subject, outlet)), random)


def _created(town: Town, outlet: str, headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    order = town.new_order(outlet, "10.23")
    body = {"order_id": order, "customer": town.place.outlets[outlet].customer, "payment_method": "pm_card_visa"}
    return {**(town.request(Call("POST", INTENTS, body, outlet, headers)).body or {}), "order": order}


def _known(*names: str | None) -> tuple[str, ...]:
    return tuple(name for name in names if name)


def _callers(town: Town, subject: Subject, outlet: str) -> Iterator[Caller]:
    key, secret = town.place.outlets[outlet].key
    yield from forgers(key, secret, town.place.outlets[next(_strangers(outlet))].key[1])
    yield Caller("the store's own client", (key, secret), lambda _method, _path: True)
    if isinstance(subject, BridgeSubject):
        for profile in KEY_PROFILES:
            made = profile.make(subject.bridge.services, town.place.outlets[outlet].store_id)
            yield Caller(f"a {profile.name} key", (made.consumer_key, made.consumer_secret), profile.may)


def _strangers(outlet: str) -> Iterator[str]:
    return (name for name in MAIN if name != outlet)


def _chosen(scene: Scene, tries: int) -> Iterable[tuple[Caller, Way, str]]:
    """So many of all; first every caller and every way once."""
    chance = scene.random
    callers, ways = chance.sample(scene.callers, len(scene.callers)), chance.sample(WAYS, len(WAYS))
    hows = chance.sample(OVERRIDES, len(OVERRIDES))
    every = list(product(callers, ways, hows))
    if tries >= len(every):
        return every
    once = islice(zip(cycle(callers), cycle(ways), cycle(hows), strict=False), max(len(callers), len(ways)))
    return list(dict.fromkeys([*once, *chance.sample(every, tries)]))[:tries]


def _faults(scene: Scene, method: str, path: str, caller: Caller, way: Way, how: str) -> Iterator[Fault]:
    """Whoever may ask is let in; to everybody else only the refusal comes back, and nothing goes out."""
    written = override(scene.asked(method, path, _first(scene.names)), how)
    if caller.may(method, path) and way.is_taken(written):
        harmless = override(scene.asked(method, path, MISSING), how)
        answer = scene.ask(way.write(harmless, caller.pair, scene.stamp()))
        if answer.status == 401:
            yield Fault("wrong", f"whoever may is refused: {answer}")
        return
    money = scene.money()
    scene.gone.clear()
    answer = scene.ask(way.write(written, caller.pair, scene.stamp()))
    if answer.status not in _statuses(scene, path) or _code(answer) not in REFUSALS[scene.compat]:
        yield Fault("wrong", f"whoever may not is answered {answer}")
    if scene.gone or scene.money() != money:
        yield Fault("wrong", f"somebody was asked for whoever may not: {scene.gone}")
    if told := _told(scene, answer):
        yield Fault("leaked", f"whoever may not hears of {told}: {answer}")
    if method == "GET" and not how:
        head = scene.ask(way.write(replace(written, method="HEAD"), caller.pair, scene.stamp()))
        if head.status != 401 or head.text:
            yield Fault("wrong", f"whoever may not is answered {head} to HEAD")


def _statuses(scene: Scene, path: str) -> set[int]:
    """With which a refusal may come: WordPress answers 403 to a user whom it knows, of what is not for him."""
    return {401, 403} if (scene.compat, path) == ("woopayments", REFUND) else {401}


def _owner(scene: Scene, method: str, path: str) -> Iterator[Fault]:
    """The store's own client gets to see its payments: what others are refused is there."""
    is_held = "authorizations/{" not in path or scene.town.place.outlets[scene.outlet].capture == "manual"
    if method != "GET" or not is_held:
        return
    answer = scene.ask(scene.as_owner(scene.asked(method, path, _first(scene.names)), scene.outlet))
    if answer.status not in (200, UNABLE):
        yield Fault("wrong", f"the store's own client is answered {answer}")


def _indifferent(scene: Scene, method: str, path: str) -> Iterator[Fault]:
    """Where no key is asked for, a key changes nothing; and what asks for another proof gets nobody in."""
    is_below_keys = path.startswith("/wp-json/wc/")
    places = [MISSING]
    if "{endpoint}" in path:
        places.append(MISSING | {"endpoint": scene.town.place.outlets[scene.outlet].store_id})
    for names in places:
        sent = scene.asked(method, path, names)
        nobody = scene.ask(sent)
        if (nobody.status < 400) != (ROUTES[method, path].proof is Proof.NOTHING) and "{name}" not in path:
            yield Fault("wrong", f"nobody is answered {nobody}")
        for caller, way in zip(scene.callers, cycle(WAYS[:2]), strict=False):
            answer = scene.ask(way.write(sent, caller.pair, scene.stamp()))
            is_same = (answer.status, answer.text) == (nobody.status, nobody.text)
            is_refused = answer.status == 401 and _code(answer) in REFUSALS[scene.compat]
            if is_below_keys and caller.is_known and not caller.may(method, path):
                is_right = is_refused
            else:
                is_right = is_same or (is_below_keys and scene.compat == "woopayments" and is_refused)
            if not is_right:
                yield Fault("wrong", f"{caller.name}, {way.name}, is answered {answer}")
            if told := _told(scene, answer):
                yield Fault("leaked", f"{caller.name} hears of {told}")


def _stranger(scene: Scene, method: str, path: str, outlet: str) -> Iterator[Fault]:
    """Another store's own client asks for what is the first one's: it is as missing as what never was."""
    money = scene.money()
    nothing = scene.ask(scene.as_owner(scene.asked(method, path, MISSING), outlet))
    asked = [(name, value) for name, values in scene.names.items() for value in values]
    for name, value in asked:
        answer = scene.ask(scene.as_owner(scene.asked(method, path, MISSING | {name: value}), outlet))
        if answer.status != nothing.status or _masked(answer, value) != _masked(nothing, MISSING[name]):
            yield Fault("leaked", f"{name} {value} of another store is told from what is missing: {answer}")
        if told := _told(scene, answer, value):
            yield Fault("leaked", f"another store hears of {told}: {answer}")
    repeated = scene.as_owner(scene.asked(method, path, _first(scene.names)), outlet)
    answer = scene.ask(replace(repeated, headers={**repeated.headers, **REPEATED}))
    if "Idempotent-Replayed" in answer.headers or (method == "POST" and answer.status < 400 and nothing.status >= 400):
        yield Fault("leaked", f"another store's request is repeated, or done: {answer}")
    if scene.money() != money:
        yield Fault("wrong", "money of another store moved")


def _first(names: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {**MISSING, **{name: values[0] for name, values in names.items() if values}}


def _code(answer: Answer) -> str:
    return str(answer.body.get("code", "")) if isinstance(answer.body, dict) else ""


def _masked(answer: Answer, value: str) -> str:
    """Without the name that was asked for, and without tokens, of which each is another one."""
    return re.sub(rf"pst_\w+|\b{re.escape(value)}\b", "...", answer.text)


def _told(scene: Scene, answer: Answer, asked: str = "") -> str:
    """The name of something of the store that the answer has, and its reader has not said; order numbers are anybody's,
    and a customer is the account's."""
    ours = {
        value for name, values in scene.names.items() if name not in ("order_id", "customer_id") for value in values
    }
    return next((value for value in sorted(ours - {asked}) if value in answer.text), "")
