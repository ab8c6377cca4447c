"""Sending to Forte: one call with its token within the time that a call may take, and what came of it.

A request goes out again only with the same bytes: at once if its connection broke, and once with a new token if Forte
refused the old one.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

import requests

from bridge.adapters.context import AdapterContext
from bridge.adapters.forte_payments.errors import BAD_CREDENTIALS, NONSENSE, UNREACHABLE, Reply, error_of, told
from bridge.adapters.forte_payments.settings import Account
from bridge.adapters.forte_payments.tokens import Tokens
from bridge.domain import logs
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderRefused, ProviderUnreachable
from bridge.outbound.prepared import JSON, Api, encoded
from bridge.outbound.transport import SIMULATOR, AddressRefused, AnswerTooLarge, never_sent
from bridge.schemas.forte_payments import TokenAnswer

log = logs.logger(__name__)
_TOKEN = TokenAnswer()
_NO_SUCH_PATH = (404, 405)
_REFUSED = (400, 401, 403, 422)
_LONGEST_ID = 100


class Client:
    """Calls with one client's credentials, from many threads."""

    def __init__(self, account: Account, context: AdapterContext) -> None:
        self._account = account
        self._timeout = context.timeout
        self._session = context.session()
        self._api = Api(self._session, account.api_base, {"Accept": JSON})
        self._tokens = Tokens(self._ask_token, context.clock)
        self._token_paths = account.token_paths

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def deadline(self) -> float:
        """Until when what begins now may take, by the monotonic clock."""
        return time.monotonic() + self._timeout

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        deadline: float | None = None,
    ) -> Reply:
        """A success. Raises ProviderRefused, ProviderUnreachable or ProviderConfused (Conflict for a 409)."""
        deadline = self.deadline() if deadline is None else deadline
        token = self._tokens.get(deadline)
        reply = self._send(method, path, body, deadline, token=token, query=query)
        if reply.status == 401:
            token = self._renew(token, reply, deadline)
            reply = self._send(method, path, body, deadline, token=token, query=query, doubtful=reply.doubtful)
        if not reply.is_success:
            raise error_of(reply)
        return reply

    def log_in(self) -> None:
        """Whether Forte takes the credentials. Raises ProviderError."""
        self._tokens.get(self.deadline())

    def _renew(self, refused: str, reply: Reply, deadline: float) -> str:
        try:
            return self._tokens.get(deadline, refused)
        except ProviderError as error:
            if reply.doubtful:
                raise ProviderUnreachable(str(error)) from None
            raise

    def _ask_token(self, deadline: float) -> tuple[str, float]:
        """A new token and its life in seconds. However that fails, nothing that costs money was asked for."""
        account = self._account
        credentials = {"client_id": account.client_id, "client_secret": account.client_secret}
        try:
            for path in self._token_paths:
                reply = self._send("POST", path, credentials, deadline)
                if reply.status not in _NO_SUCH_PATH:
                    self._token_paths = (path, *(other for other in account.token_paths if other != path))
                    break
        except ProviderError as error:
            raise ProviderUnreachable(str(error), sent=False) from None
        if reply.status in _REFUSED:
            raise told(ProviderRefused(f"Error: {BAD_CREDENTIALS}", code="unauthorized"), reply)
        if not reply.is_success:
            raise told(
                ProviderUnreachable(f"Forte did not issue an access token (HTTP {reply.status}).", sent=False), reply
            )
        try:
            read = _TOKEN.read(reply.value)
        except ValueError:
            raise told(ProviderUnreachable("Forte's access token could not be read.", sent=False), reply) from None
        return read["token"], read["expires_in"]

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        deadline: float,
        *,
        token: str = "",
        query: Mapping[str, str] | None = None,
        doubtful: bool = False,
    ) -> Reply:
        """The answer, whatever it is; but none of a simulator in live mode. Raises ProviderError."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = None
        if body is not None:
            headers["Content-Type"] = JSON
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        search = encoded(*(query or {}).items())
        retries = self._account.max_retries
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ProviderUnreachable("Forte did not answer in time.", sent=doubtful)
            try:
                request = self._api.request(method, path, query=search, body=content, headers=headers)
                response = self._session.send(request, timeout=left)
            except requests.RequestException as error:
                log.warning("%s %s at Forte: %s", method, path, error.__class__.__name__)
                doubtful = doubtful or not never_sent(error)
                if not retries or not _broke(error):
                    raise _unanswered(error, doubtful) from None
                retries -= 1
                continue
            if self._account.live and SIMULATOR in response.headers:
                raise ProviderRefused(
                    "Error: A simulator answers in place of Forte, and this store is in live mode.", code="simulator"
                )
            named = response.headers.get("x-request-id", "")
            return Reply(response.status_code, response.content, _shown(named), doubtful)


def _broke(error: requests.RequestException) -> bool:
    """Whether a connection broke or could not be made, which may be better at once; after a timeout it is not."""
    if isinstance(error, (requests.Timeout, requests.exceptions.SSLError, AddressRefused)):
        return False
    return isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError))


def _unanswered(error: requests.RequestException, doubtful: bool) -> ProviderError:
    if isinstance(error, (AnswerTooLarge, requests.exceptions.ContentDecodingError)):
        return ProviderConfused(NONSENSE)
    if isinstance(error, AddressRefused):
        return ProviderUnreachable(f"{UNREACHABLE} {error}", sent=doubtful)
    return ProviderUnreachable(UNREACHABLE, sent=doubtful)


def _shown(named: str) -> str:
    return "".join(character for character in named[:_LONGEST_ID] if character.isascii() and character.isprintable())
