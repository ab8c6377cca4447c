"""`Idempotency-Key`: a repeat of a request gets the same answer, and never sets anything going a second time.

Source: IETF draft "The Idempotency-Key HTTP Header Field" (07), and what Stripe documents of its own. The header may
be a structured-field string or the bare key. A request without it is not touched.
"""

import json
import re
from typing import Any

from flask import Response, request

from bridge.domain import logs
from bridge.domain.errors import BridgeError, Declined, ProviderRefused, Refused, StoreError
from bridge.http.request_context import IDEMPOTENCY_KEY, RequestContext, current, require
from bridge.http.smorest import Blueprint
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.errors import IN_FLIGHT, KEY_MALFORMED, KEY_REUSED, RestError
from bridge.http.wordpress.parameters import order_number
from bridge.http.wordpress.request_pipeline import authorised, without_credentials
from bridge.payments import leases
from bridge.payments.idempotency import (
    Answer,
    IdempotentRequest,
    begin_request,
    forget_key,
    keep_answer,
    leave_unanswered,
    one_time_material,
    running_attempt,
)
from bridge.services import Services, StoreHandle

log = logs.logger(__name__)

REPLAYED = "Idempotent-Replayed"
LONGEST_KEY = 255
ONE_TIME = ("client_secret", "next_action", "provider_data")
"""Members of an answer that are never kept: the provider is asked for them again, and has them or not."""
PAGE = "pay_url"
FINAL = (Declined, ProviderRefused)
"""Failures that a provider has settled. A repeat hears of the same one."""

_BARE = re.compile(r"[!#-+\--~]+")
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')


def install(blueprint: Blueprint, services: Services) -> None:
    """After `manners.install`: keys count for callers who were let in, on the routes that are marked `once`."""

    def begin() -> Response | None:
        context, header = require(), request.headers.get(IDEMPOTENCY_KEY)
        if header is None or not context.once or context.key is None:
            return None
        store = authorised(services)
        turn = begin_request(store, context.once, read_key(header), _canonical(context))
        if turn.mine:
            context.turn, context.seconds = turn, leases.REQUEST_TIMEOUTS * services.provider_timeout
            return None
        if not turn.same:
            raise RestError("wcpay_idempotency_key_reused", 422, KEY_REUSED)
        if turn.answer is None:
            raise _in_flight(store, turn)
        payload = _completed(store, turn.answer.payload)
        answer = render(payload, turn.answer.status, turn.answer.headers)
        answer.headers[REPLAYED] = "true"
        return answer

    def finish(response: Response) -> Response:
        context = current()
        if context and context.turn:
            try:
                _conclude(services, context, context.turn)
            except Exception:  # what was done is done, and is answered; a repeat finds it
                log.exception("an answer could not be kept for its idempotency key")
        return response

    blueprint.before_request(begin)
    blueprint.after_request(finish)


def read_key(header: str) -> str:
    """The key in the header, without quotes. Raises RestError (400)."""
    if quoted := _QUOTED.fullmatch(header):
        key = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        key = header if _BARE.fullmatch(header) else ""
    if not 0 < len(key) <= LONGEST_KEY:
        raise RestError("wcpay_idempotency_key_invalid", 400, KEY_MALFORMED)
    return key


def fresh_attempt() -> str | None:
    """The attempt that is reserved for the work of this request; None to make another one."""
    turn = require().turn
    return turn.attempt_id if turn and not turn.again else None


def begun_attempt() -> str | None:
    """The attempt that an earlier run under this request's key may have made, and left without an answer."""
    turn = require().turn
    return turn.attempt_id if turn and turn.again else None


def _canonical(context: RequestContext) -> str:
    """The same text for the same request, whether its parameters came as JSON, form or query."""
    given = without_credentials(context.parameters) | (request.view_args or {})
    texts = {name: str(value) if type(value) is int else value for name, value in given.items()}
    return f"{context.method} {context.once} {json.dumps(texts, sort_keys=True)}"


def _in_flight(store: StoreHandle, turn: IdempotentRequest) -> RestError:
    """Routes of an order reserve no attempt; whatever is at work on the order is meant."""
    order_id = (request.view_args or {}).get("order_id")
    attempt_id = running_attempt(store, order_number(order_id)) if order_id else turn.attempt_id
    told = {"reason": "in_progress", "retryable": True} | ({"attempt_id": attempt_id} if attempt_id else {})
    return RestError("wcpay_idempotency_key_in_progress", 409, IN_FLIGHT, retry_after=1, **told)


def _completed(store: StoreHandle, payload: dict[str, Any]) -> dict[str, Any]:
    """With the one-time material as the provider has it now; what it does not tell is left out."""
    if not any(name in payload for name in (*ONE_TIME, PAGE)):
        return payload
    material = one_time_material(store, payload["id"])
    if material is None:  # nobody may pay it any more
        return {name: value for name, value in payload.items() if name not in (*ONE_TIME, PAGE)}
    whole = {name: material.get(name) if name in ONE_TIME else value for name, value in payload.items()}
    return {name: value for name, value in whole.items() if name not in ONE_TIME or value is not None}


def _conclude(services: Services, context: RequestContext, turn: IdempotentRequest) -> None:
    """Keep what is final, forget a key under which nothing was begun; anything else is looked at again."""
    payload, status, headers = context.answer
    if _is_final(context.error, status, payload):
        kept = {name: None if name in ONE_TIME else value for name, value in payload.items()}
        keep_answer(services, turn, Answer(status, headers, kept))
    elif _did_nothing(context.error, turn):
        forget_key(services, turn)
    else:
        leave_unanswered(services, turn)


def _is_final(error: Exception | None, status: int, payload: dict[str, Any]) -> bool:
    if status < 400:
        return payload.get("outcome") != "unknown"
    return isinstance(error, FINAL) and not error.retryable


def _did_nothing(error: Exception | None, turn: IdempotentRequest) -> bool:
    """Whether it is proven that nothing came of the key: this run was its first and began nothing, or it failed."""
    if isinstance(error, BridgeError) and error.details.get("outcome") == "failed":
        return True
    return isinstance(error, (RestError, Refused, StoreError)) and not turn.again
