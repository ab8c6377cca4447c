"""Bridges that let somebody in, each by another guard that is missing, to be found out by S4."""

from collections.abc import Callable
from typing import Any

from flask import Response, request
from sqlalchemy import text

from bridge.selftest.system_under_test import INTENTS, PAYMENTS, BridgeSubject, OpenSubject, open_bridge

Break = Callable[[BridgeSubject], Any]


def guardless(break_guard: Break) -> OpenSubject:
    def opened(place, clock, source, make_session, pause=None) -> BridgeSubject:  # type: ignore[no-untyped-def]
        subject = open_bridge(place, clock, source, make_session, pause)
        break_guard(subject)
        return subject

    return opened


def before_each(statement: str) -> OpenSubject:
    """What the keys' guard reads is another thing before each request."""

    def break_guard(subject: BridgeSubject) -> None:
        def change() -> None:
            with subject.bridge.services.database.write() as connection:
                connection.execute(text(statement))

        subject._app.before_request(change)

    return guardless(break_guard)


forgets_permissions = before_each("update api_keys set permissions = 'read_write'")
forgets_revocations = before_each("update api_keys set revoked = null")
forgets_expiry = before_each("update api_keys set expires = null")
forgets_networks = before_each("update api_keys set networks = ''")
lets_everybody_refund = before_each("update api_keys set may_refund = true")
mixes_stores = before_each("update api_keys set store_id = (select min(store_id) from intents)")


@guardless
def believes_every_address(subject: BridgeSubject) -> None:
    """Whoever says that he came by https did."""

    def believe() -> None:
        if "https" in request.headers.get("X-Forwarded-Proto", ""):
            request.environ["wsgi.url_scheme"] = request.scheme = "https"

    subject._app.before_request(believe)


@guardless
def tells_of_payments(subject: BridgeSubject) -> None:
    """Who is refused hears what there is."""

    def tell(response: Response) -> Response:
        if response.status_code == 401:
            with subject.bridge.services.database.read() as connection:
                response.set_data(str(connection.execute(text("select * from intents")).all()))
        return response

    subject._app.after_request_funcs[None] = [tell]


@guardless
def has_a_new_route(subject: BridgeSubject) -> None:
    """Nobody has said who may call it."""
    subject._app.add_url_rule(f"{PAYMENTS}/deposits/<deposit_id>", "deposits", lambda deposit_id: deposit_id)


@guardless
def opens_a_known_route(subject: BridgeSubject) -> None:
    """A view that never asks for its store."""
    endpoint = next(rule.endpoint for rule in subject._app.url_map.iter_rules() if rule.rule.startswith(f"{INTENTS}/<"))
    subject._app.view_functions[endpoint] = lambda **_: {"id": "pi_any"}
