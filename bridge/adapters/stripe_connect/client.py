"""Sending to Stripe through its SDK, and what came of it. A client per account; `stripe.api_key` is never set.

The SDK's own retries are off: they sleep in the request's thread and hide whether an earlier try may have arrived.
"""

import logging
import time
from collections.abc import Iterator
from typing import Any, Literal

import requests
import stripe

from bridge.adapters.context import AdapterContext
from bridge.adapters.stripe_connect.answers import NONSENSE, Problem, last_id, read_list
from bridge.adapters.stripe_connect.settings import Account
from bridge.domain import logs
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderUnreachable
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
        self._stripe = self._within(context.timeout)

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
        options = {"stripe_account": account, "stripe_version": version, "idempotency_key": key}
        retries, maybe_done = self._account.max_retries, False
        client, end = self._stripe, time.monotonic() + self._timeout
        while True:
            try:
                return client.raw_request(method, path, **options, **params).data
            except stripe.APIConnectionError as error:
                cause = error.__cause__
                log.warning("%s %s at Stripe: %s", method, path, cause)
                maybe_done = maybe_done or not never_sent(cause)
                left = end - time.monotonic()
                if not retries or left <= 0 or not _broke(cause):
                    raise _unanswered(cause, maybe_done) from None
                client = self._within(left)
            except stripe.StripeError as error:
                raise _explained(error, maybe_done) from None
            except (AttributeError, TypeError, ValueError):  # in the SDK, from an error object that is none of Stripe's
                raise ProviderConfused(NONSENSE) from None
            retries -= 1

    def _within(self, seconds: float) -> stripe.StripeClient:
        """The SDK, each of whose requests ends within so many seconds."""
        return stripe.StripeClient(
            self._account.secret_key,
            base_addresses={"api": self._account.api_base},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=seconds, session=self._session),
        )

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
