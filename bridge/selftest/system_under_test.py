"""What is under test: a bridge, opened on a world from its description and called over WSGI."""

import base64
import contextlib
import importlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any, Protocol

import requests
from flask import Flask

from bridge.app import Bridge, create_app
from bridge.domain.ids import RandomIds
from bridge.domain.ports import Clock
from bridge.payments import flags
from bridge.reconcile.run import reconcile
from bridge.selftest import leaks
from bridge.selftest.clock import SharedClock
from bridge.settings import Settings
from bridge.worker.periodic_jobs import run_jobs
from bridge.worker.runner import run_once

PAYMENTS = "/wp-json/wc/v3/payments"
INTENTS = f"{PAYMENTS}/payment_intents"
BUYERS_PAGE = "/bridge/v1/pay/"
"""The one place where a GET shows what the buyer pays with."""
METRICS_TOKEN = leaks.canary("", "metrics") if find_spec("prometheus_client") else ""
HOST = "127.0.0.1"
ROUNDS = 100_000
"""After so many rounds a worker that still finds work will never be done."""
LOOK_BACK = 7 * 24 * 3600.0
"""Seconds that a comparison reaches back."""
BRIDGE = "bridge.selftest.system_under_test:open_bridge"
MakeSession = Callable[..., requests.Session]
Pause = Callable[[float], None]


@dataclass(frozen=True)
class Outlet:
    """A shop and the store that serves it. `shop_key` is the bridge's own key in the shop, `key` its client's."""

    store_id: str
    capture: str
    shop_url: str
    customer: str
    shop_key: tuple[str, str] = field(repr=False)
    key: tuple[str, str] = field(repr=False)
    adapter: str = "stripe_connect"


@dataclass(frozen=True)
class Place:
    """All that a process needs to work in a world, fit for being sent to it. `timeout` is the provider's, in seconds.

    `ca_file` is None where no socket is involved. `settings` of the bridge stand beside those of every battery.
    """

    database_url: str
    secret_key: str = field(repr=False)
    clock_file: str
    stripe_url: str
    stripe_key: str = field(repr=False)
    account: str
    timeout: float
    ca_file: str | None
    outlets: Mapping[str, Outlet]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request of a client of the outlet; `raw` is a body that goes as it is, without credentials.

    It comes from `address` and names the `scheme` by which it came.
    """

    method: str
    path: str
    body: Any = None
    outlet: str = "automatic"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    scheme: str = "https"
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """`body` is parsed JSON, None if it is something else; `text` is what came."""

    status: int
    body: Any
    headers: Mapping[str, str]
    seconds: float = 0.0
    text: str = field(default="", repr=False)

    @property
    def told(self) -> dict[str, Any]:
        """What an error says for programs."""
        data = self.body.get("data") if isinstance(self.body, dict) else None
        return data if isinstance(data, dict) else {}

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.body)[:300]}"


def prying(place: Place) -> list[Call]:
    """What might answer with a secret or log it: the metrics, and credentials that are wrong."""
    _, secret = place.outlets["automatic"].key
    wrong = base64.b64encode(f"ck_unknown:{secret}".encode()).decode()
    return [
        Call("GET", "/bridge/v1/metrics", raw=b"", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}),
        Call("GET", f"{INTENTS}/pi_1?consumer_key=ck_unknown&consumer_secret={secret}", raw=b""),
        Call("GET", f"{INTENTS}/pi_1", raw=b"", headers={"Authorization": f"Basic {wrong}"}),
        Call("GET", f"{PAYMENTS}/nowhere?consumer_secret={secret}", raw=b""),
    ]


class Subject(Protocol):
    """Something that answers requests and works in the background."""

    def request(self, call: Call) -> Answer: ...

    def work(self, until: float | None = None) -> int:
        """Do all that is due now, but begin nothing after `until` (Unix seconds); how much there was."""
        ...

    def flagged(self) -> set[tuple[str, int]]:
        """Stores and orders of the payments that need an operator, who is told."""
        ...

    def compared(self, store_id: str) -> list[str]:
        """Lines with which a comparison with provider and shop names what a person has to look at."""
        ...

    def keep_house(self) -> None:
        """Do the periodic jobs that are due: compare with provider and shop, forget what nobody needs."""
        ...

    def employ(self) -> None:
        """Work in the background, too, until `dismiss`, which tells whether that went well."""
        ...

    def dismiss(self) -> bool: ...

    def forget(self) -> None:
        """Lose what is only in memory, as when another process takes over."""
        ...

    def close(self) -> None: ...


class OpenSubject(Protocol):
    """`source` makes ids and all other chance, `make_session` is the way out, `pause` waits so many seconds."""

    def __call__(
        self, place: Place, clock: Clock, source: Random, make_session: MakeSession, pause: Pause = time.sleep
    ) -> Subject: ...


def find_subject(name: str) -> OpenSubject:
    """`module:function`."""
    module, _, function = name.partition(":")
    opener: OpenSubject = getattr(importlib.import_module(module), function)
    return opener


UNLIMITED: dict[str, Any] = dict.fromkeys(
    ("rate_limit", "key_limit", "store_limit", "order_decline_limit", "address_decline_limit"), "off"
)
"""Settings for batteries that ask, guess and are declined as fast as they can."""


def settings_of(place: Place) -> Settings:
    return Settings.load(
        secret_key=place.secret_key,
        database_url=place.database_url,
        allow_private_urls=True,
        provider_timeout=place.timeout,
        metrics_token=METRICS_TOKEN,
        **(UNLIMITED | {"public_url": f"http://{HOST}"} | dict(place.settings)),
    )


def send(app: Flask, place: Place, call: Call) -> Answer:
    """Ask an app for something, as a client of the outlet."""
    content: dict[str, Any] = {"data": call.raw} if call.raw is not None else {"json": call.body}
    if call.raw is None:
        content |= _credentials(place.outlets[call.outlet])
    response = app.test_client().open(
        call.path,
        method=call.method,
        base_url=f"{call.scheme}://{HOST}",
        headers=dict(call.headers),
        environ_overrides={"REMOTE_ADDR": call.address},
        **({name: value for name, value in content.items() if value is not None}),
    )
    if (call.method == "GET" and not call.path.startswith(BUYERS_PAGE)) or response.status_code >= 400:
        leaks.log.debug("an answer: %s %s", response.headers, response.get_data(as_text=True))
    body = None
    with contextlib.suppress(ValueError):
        body = json.loads(response.get_data())
    return Answer(response.status_code, body, dict(response.headers), text=response.get_data(as_text=True))


def _credentials(outlet: Outlet) -> dict[str, Any]:
    """The clients of one store send them in the address, the others in a header."""
    if outlet.capture == "manual":
        return {"query_string": dict(zip(("consumer_key", "consumer_secret"), outlet.key, strict=True))}
    return {"auth": outlet.key}


class BridgeSubject:
    """A Bridge and a plain app around it."""

    def __init__(self, place: Place, bridge: Bridge) -> None:
        self.bridge = bridge
        self._place = place
        self._app = create_app(bridge)

    def request(self, call: Call) -> Answer:
        return send(self._app, self._place, call)

    def work(self, until: float | None = None) -> int:
        done = 0
        for _ in range(ROUNDS):
            if until is not None and self.bridge.services.clock() >= until:
                return done
            if not (busy := run_once(self.bridge.services)):
                return done
            done += busy
        raise RuntimeError("the worker never gets done")

    def flagged(self) -> set[tuple[str, int]]:
        return {(each["store"], each["order_id"]) for each in flags.flagged(self.bridge.services, ROUNDS)}

    def compared(self, store_id: str) -> list[str]:
        report = reconcile(self.bridge.services, store_id, self.bridge.services.clock() - LOOK_BACK)
        return [*report.strangers, *(f"{each.payment}: {each.text}" for each in report.differences if not each.healed)]

    def keep_house(self) -> None:
        while run_jobs(self.bridge.services):
            pass

    def employ(self) -> None:
        self.bridge.start_worker()

    def dismiss(self) -> bool:
        worker = self.bridge._runtime.worker
        survived = worker is not None and all(thread.is_alive() for thread in worker._threads)
        if worker:
            worker.stop()
            self.bridge._runtime.worker = None
        return survived

    def forget(self) -> None:
        self.bridge._runtime.opened_stores.close()
        self.bridge.services.database.engine.dispose()

    def close(self) -> None:
        self.bridge.close()


def open_bridge(
    place: Place, clock: Clock, source: Random, make_session: MakeSession, pause: Pause = time.sleep
) -> BridgeSubject:
    bridge = Bridge(settings_of(place), clock=clock, ids=RandomIds(source))
    bridge.services = replace(bridge.services, jitter=source.random, pause=pause)
    send_out_through(bridge, make_session)
    return BridgeSubject(place, bridge)


def send_out_through(bridge: Bridge, make_session: MakeSession) -> None:
    """Whatever this Bridge asks of shops and providers goes through sessions of that maker."""
    setattr(bridge._runtime.opened_stores, "_make_session", make_session)  # noqa: B010 it shadows a method, on this object only


def clock_of(place: Place) -> SharedClock:
    return SharedClock(Path(place.clock_file))
