"""The simulated api.stripe.com as a WSGI application: accounts, idempotency, the request log.

What the endpoints do, and the hands for tests, are in the modules beside it. Live keys are refused.
"""

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Literal

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from ..elements import Elements, serves
from ..ledger import Ledger
from . import browser, customers
from .control_api import SIDE_DOOR, operate
from .controls import Controls
from .errors import ApiError, Json
from .idempotency import Answer, IdempotencyKeys
from .listing import check_expandable, expanded
from .pages import challenge_page, return_address
from .params import Raw, check
from .request_checks import CURRENT_VERSION, check_key, check_version, form, without_cards
from .routes import Route, build_map
from .sending import Postman
from .state import Call, State
from .webhooks import RETRY_DELAYS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

Interfere = Callable[[Literal["begun", "done"], str, str], None]
"""Called with a stage, the method and the path of a request whose endpoint has begun or has done its work."""

_CHALLENGE = "/simulator/authenticate/"


@dataclass(frozen=True)
class RequestRecord:
    """A request that was answered. `params` are as the form named them, card numbers removed; never the secret key."""

    time: float
    request_id: str
    method: str
    path: str
    account: str | None
    idempotency_key: str | None
    params: Mapping[str, Raw] = field(repr=False)
    status: int
    replayed: bool


@dataclass
class _Exchange:
    """What becomes known of a request while it passes the door."""

    request: Request
    request_id: str
    account: str | None = None
    key: str | None = None
    params: Mapping[str, Raw] = field(default_factory=dict)
    replayed: bool = False


class StripeSimulator(Controls):
    """A stateful stand-in for api.stripe.com with one platform and its connected accounts. Thread-safe.

    `clock` gives Unix seconds, `random` all ids, `ledger` is where money facts go. `interfere` may hold a request up
    (so that another one finds its idempotency key in use) or raise: the answer is then a 500 that is kept for its key,
    before ("begun") or after ("done") the work was done. With `adopt_customers` every account knows every customer
    that a request names, as if it had been made there before. `retry_delays` are the seconds before a webhook that
    failed is tried again, `tls` is what trusts the certificates of https endpoints. ValueError if `secret_key` is not a
    test key.
    """

    def __init__(
        self,
        *,
        secret_key: str | None = None,
        accounts: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
        random: Random | None = None,
        ledger: Ledger | None = None,
        adopt_customers: bool = False,
        interfere: Interfere | None = None,
        retry_delays: Sequence[float] = RETRY_DELAYS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ledger = Ledger(clock=clock) if ledger is None else ledger
        state = State(clock, SystemRandom() if random is None else random, self.ledger, retry_delays)
        super().__init__(state, Postman(state, tls))
        self.secret_key = f"sk_test_{self._state.letters(24)}" if secret_key is None else secret_key
        if not self.secret_key.startswith("sk_test_"):
            raise ValueError("the simulator's secret key starts with sk_test_")
        self.interfere = interfere
        if adopt_customers:
            self._state.adopt = partial(customers.adopt_customer, self._state)
        self._keys = IdempotencyKeys(clock)
        self._map = build_map()
        self._log_lock = threading.Lock()
        self._requests: list[RequestRecord] = []
        customers.make_account(self._state, self.platform, "US", "usd")
        for account in accounts:
            self.add_account(account)

    @property
    def publishable_key(self) -> str:
        """The platform's key for browsers; it depends on the secret key alone."""
        return f"pk_test_{sha256(self.secret_key.encode()).hexdigest()[:24]}"

    @property
    def requests(self) -> tuple[RequestRecord, ...]:
        """Every request answered so far, oldest first."""
        with self._log_lock:
            return tuple(self._requests)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        if serves(request.path):
            base_url = request.host_url.rstrip("/")
            lookup = partial(browser.payable, self._state, self.publishable_key, base_url)
            return Elements(lookup)(environ, start_response)
        if request.path.startswith(_CHALLENGE):
            response = self._challenge(request)
        elif request.path.startswith(SIDE_DOOR):
            response = operate(self, request)
        else:
            response = self._api(request)
        return response(environ, start_response)

    def _challenge(self, request: Request) -> Response:
        """The cardholder's side, outside the API: GET shows the challenge, POST answers it (`success`, default true)
        and returns to the `return_url` if there is one."""
        intent = request.path.removeprefix(_CHALLENGE)
        try:
            before = self.find(intent)
            if request.method == "GET":
                return Response(challenge_page(before), content_type="text/html; charset=utf-8")
            after = self.authenticate(intent, request.values.get("success", "true") != "false")
        except LookupError as error:
            return Response(f"{error}\n", status=404)
        except ValueError as error:
            return Response(f"{error}\n", status=409)
        address = return_address(before, after)
        if address is not None:
            return Response(status=303, headers={"Location": address})
        return Response(_encode({"id": after["id"], "status": after["status"]}), content_type="application/json")

    def _api(self, request: Request) -> Response:
        exchange = _Exchange(request, self._state.mint("req"))
        try:
            answer = self._respond(exchange)
        except ApiError as problem:
            answer = _failure(exchange, problem)
        self._log(exchange, answer.status)
        return self._response(exchange, answer)

    def _respond(self, exchange: _Exchange) -> Answer:
        request = exchange.request
        check_key(request, self.secret_key)
        exchange.account = account = self._account(request)
        check_version(request)
        route, ids = self._route(request)
        exchange.params = form(request)
        params = check(route.parameters, exchange.params)
        check_expandable(route.answers, params.get("expand", ()), listed=route.listed)
        call = Call(self._state, account, params, ids, request.host_url.rstrip("/"))
        exchange.key = key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is None:
            return self._run(exchange, route, call)
        kept = self._keys.begin(account, key, request.path, exchange.params)
        if kept is not None:
            exchange.replayed = True
            return kept
        answer = None
        try:
            answer = self._run(exchange, route, call)
        finally:
            self._keys.finish(account, key, answer)
        return answer

    def _run(self, exchange: _Exchange, route: Route, call: Call) -> Answer:
        request = exchange.request
        try:
            self._interfere("begun", request)
            with self._state.lock:
                self._state.catch_up()
                with self._state.caused_by(exchange.request_id, exchange.key):
                    answer = route.run(call)
                body = _encode(expanded(self._state, answer, call.params.get("expand", ())))
            self._interfere("done", request)
        except ApiError as problem:
            return _failure(exchange, problem)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            broken = ApiError(500, "An unknown error occurred.", kind="api_error", executed=True)
            return _failure(exchange, broken)
        return Answer(200, body, exchange.request_id, executed=True)

    def _interfere(self, stage: Literal["begun", "done"], request: Request) -> None:
        if self.interfere is not None:
            self.interfere(stage, request.method, request.path)

    def _account(self, request: Request) -> str:
        account = request.headers.get("Stripe-Account", self.platform)
        if not self._state.is_account(account):
            raise customers.no_access(account)
        return account

    def _route(self, request: Request) -> tuple[Route, Mapping[str, str]]:
        try:
            return self._map.bind_to_environ(request.environ).match()
        except (NotFound, MethodNotAllowed) as error:
            message = f"Unrecognized request URL ({request.method}: {request.path})."
            raise ApiError(404, message) from error

    def _log(self, exchange: _Exchange, status: int) -> None:
        request = exchange.request
        record = RequestRecord(
            time=self._state.clock(),
            request_id=exchange.request_id,
            method=request.method,
            path=request.path,
            account=exchange.account,
            idempotency_key=exchange.key,
            params=without_cards(exchange.params),
            status=status,
            replayed=exchange.replayed,
        )
        with self._log_lock:
            self._requests.append(record)

    def _response(self, exchange: _Exchange, answer: Answer) -> Response:
        response = Response(answer.body, status=answer.status, content_type="application/json")
        response.headers["Request-Id"] = exchange.request_id
        response.headers["Stripe-Version"] = exchange.request.headers.get("Stripe-Version", CURRENT_VERSION)
        if exchange.account not in (None, self.platform):
            response.headers["Stripe-Account"] = str(exchange.account)
        if exchange.key is not None:
            response.headers["Idempotency-Key"] = exchange.key
            response.headers["Original-Request"] = answer.request_id
        if exchange.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        if answer.status in (409, 500):
            response.headers["Stripe-Should-Retry"] = "true" if answer.status == 409 else "false"
        return response


def _failure(exchange: _Exchange, problem: ApiError) -> Answer:
    return Answer(problem.status, _encode({"error": problem.error}), exchange.request_id, problem.executed)


def _encode(content: Json) -> bytes:
    return json.dumps(content, indent=2).encode()
