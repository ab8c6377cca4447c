"""Sending to Stripe through its SDK, and what came of it. A client per account; `stripe.api_key` is never set.

The SDK's own retries are off: they sleep in the request's thread and hide whether an earlier try may have arrived.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

import requests
import stripe

from bridge.adapters.context import AdapterContext
from bridge.adapters.stripe_connect.answers import NONSENSE, Problem, last_id, read_list
from bridge.adapters.stripe_connect.settings import Account
from bridge.domain import logs
from bridge.domain.deadlines import is_over, within
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderUnreachable
from bridge.outbound.prepared import Api
from bridge.outbound.transport import AddressRefused, AnswerTooLarge, never_sent

log = logs.logger(__name__)
VERSION = stripe.api_version
"""The API version that this SDK was made for. Every request names one."""
_UNREACHABLE = "Stripe could not be reached."
PAGE, PAGES, ALL_PAGES = 100, 20, 5000


class Client:
    """Calls with one account's key, from many threads."""

    def __init__(self, account: Account, context: AdapterContext) -> None:
        _quieten_sdk()
        self._account = account
        self._timeout = context.timeout
        self._session = context.session()
        address = urlunsplit(urlsplit(account.api_base))  # as the SDK writes it
        self._stripe = stripe.StripeClient(
            account.secret_key,
            base_addresses={"api": address},
            max_network_retries=0,
            http_client=_HttpClient(self._session, address),
        )

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def call(
        self,
        method: Literal["get", "post"],
        path: str,
        params: dict[str, Any],
        *,
        account: str | None,
        version: str = VERSION,
        key: str | None = None,
    ) -> Any:
        """The answer's JSON. A request whose connection breaks is sent again at once, under the same key, `max_retries`
        times and within the time of the first try.

        Raises Problem (an error that Stripe explains), ProviderUnreachable or ProviderConfused.
        """
        options = {"stripe_account": account, "stripe_version": version, "idempotency_key": key, **params}
        with within(self._timeout):
            return self._tried(method, path, options)

    def _tried(self, method: Literal["get", "post"], path: str, options: dict[str, Any]) -> Any:
        retries, maybe_done = self._account.max_retries, False
        while True:
            try:
                return self._stripe.raw_request(method, path, **options).data
            except stripe.APIConnectionError as error:
                cause = error.__cause__
                log.warning("%s %s at Stripe: %s", method, path, cause)
                maybe_done = maybe_done or not never_sent(cause)
                if not retries or is_over() or not _broke(cause):
                    raise _unanswered(cause, maybe_done) from None
            except stripe.StripeError as error:
                raise _explained(error, maybe_done) from None
            except (AttributeError, TypeError, ValueError):  # in the SDK, from an error object that is none of Stripe's
                raise ProviderConfused(NONSENSE) from None
            retries -= 1

    def ask(
        self,
        method: Literal["get", "post"],
        path: str,
        params: dict[str, Any],
        *,
        account: str | None,
        key: str | None = None,
    ) -> Any:
        """Like `call` for all but creating a payment: an error that Stripe explains is a ProviderError."""
        try:
            return self.call(method, path, params, account=account, key=key)
        except Problem as problem:
            raise problem.as_error() from None

    def every(self, path: str, params: dict[str, Any], *, account: str | None, pages: int = PAGES) -> Iterator[Any]:
        """All of a list, newest first. ProviderConfused if it does not end: who looks for something must see all."""
        params = {**params, "limit": PAGE}
        for _ in range(pages):
            members, more = read_list(self.ask("get", path, params, account=account))
            yield from members
            if not more:
                return
            params["starting_after"] = last_id(members)
        raise ProviderConfused("Stripe's list is too long to search.")


class _HttpClient(stripe.HTTPClient):
    """The last step of the SDK's requests: over a session of ours, which limits their time."""

    name = "requests"

    def __init__(self, session: requests.Session, address: str) -> None:
        super().__init__()
        self._session = session
        self._address = address
        self._api = Api(session, address, {})

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: Any = None,
    ) -> tuple[Any, int, Mapping[str, str]]:
        """Raises APIConnectionError for whatever goes wrong, as the SDK's own clients do, with that as its cause."""
        path, _, query = url.removeprefix(self._address).partition("?")
        try:
            request = self._api.request(method.upper(), path, query=query, body=post_data, headers=headers)
            response = self._session.send(request)
        except Exception as error:
            raise stripe.APIConnectionError(_UNREACHABLE) from error  # type: ignore[no-untyped-call]
        return response.content, response.status_code, response.headers

    def close(self) -> None:
        """The session is closed by whom it belongs to."""


def _broke(error: BaseException | None) -> bool:
    """Whether a connection broke or could not be made, which may be better at once; after a timeout it is not."""
    if isinstance(error, (requests.Timeout, requests.exceptions.SSLError, AddressRefused)):
        return False
    return isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError))


def _unanswered(error: BaseException | None, maybe_done: bool) -> ProviderError:
    if isinstance(error, (AnswerTooLarge, requests.exceptions.ContentDecodingError)):
        return ProviderConfused(NONSENSE)
    if isinstance(error, AddressRefused):
        return ProviderUnreachable(f"{_UNREACHABLE} {error}", sent=False)
    return ProviderUnreachable(_UNREACHABLE, sent=maybe_done)


def _explained(error: stripe.StripeError, maybe_done: bool) -> Exception:
    """An answer that is not a success. `maybe_done` says that an earlier try of the same request may have arrived."""
    status, body = error.http_status or 0, error.json_body
    if status >= 500:
        return ProviderUnreachable(f"Stripe failed (HTTP {status}).")
    if status < 400 or not isinstance(body, dict) or not isinstance(body.get("error"), dict):
        return ProviderConfused(NONSENSE)
    problem = Problem(status, body["error"])
    if maybe_done and problem.turned_away:
        return ProviderUnreachable(_UNREACHABLE)
    return problem


def _quieten_sdk() -> None:
    """The two globals of the SDK that have no other switch. With telemetry it writes a file into the home directory and
    reports earlier requests; at DEBUG it logs whole answers, client secrets and customers included."""
    stripe.enable_telemetry = False
    logger = logs.logger("stripe")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
