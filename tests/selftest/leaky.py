"""Bridges that give a secret away, each in its own way, to be found out."""

import logging
from base64 import b64encode
from collections.abc import Callable

from flask import Response, request
from sqlalchemy import insert

from bridge.selftest.system_under_test import BridgeSubject, OpenSubject, Place, open_bridge
from bridge.storage.tables import secrets

log = logging.getLogger("somewhere.deep")
Leak = Callable[[BridgeSubject, Place], None]


def leaky(leak: Leak) -> OpenSubject:
    def opened(place, clock, source, make_session, pause=None) -> BridgeSubject:  # type: ignore[no-untyped-def]
        subject = open_bridge(place, clock, source, make_session, pause)
        subject._app.before_request(lambda: leak(subject, place))
        return subject

    return opened


@leaky
def logs_the_provider_key(_subject: BridgeSubject, place: Place) -> None:
    log.debug("asking with %s", place.stripe_key)


@leaky
def logs_the_query(_subject: BridgeSubject, _place: Place) -> None:
    log.debug("%s", request.url)


@leaky
def logs_the_header(_subject: BridgeSubject, place: Place) -> None:
    log.debug("%s", b64encode(":".join(place.outlets["automatic"].key).encode()))


@leaky
def stores_it(subject: BridgeSubject, place: Place) -> None:
    database = subject.bridge.services.database
    row = {"name": subject.bridge.services.ids.attempt(), "value": place.outlets["manual"].shop_key[1]}
    with database.write() as connection:
        connection.execute(insert(secrets), row)


@leaky
def tells_it_in_an_error(subject: BridgeSubject, place: Place) -> None:
    def tell(response: Response) -> Response:
        if response.status_code >= 400:
            response.set_data(f"{place.outlets['automatic'].shop_key} was refused")
        return response

    subject._app.after_request_funcs[None] = [tell]
