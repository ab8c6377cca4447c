"""Sending to Forte, and what came of it. One session and one API key per store.

Nothing is resent from here: Forte does not support idempotency keys.
"""

import json
from collections.abc import Mapping
from typing import Any

import requests

from bridge.adapters.context import AdapterContext
from bridge.adapters.forte_platform.errors import NONSENSE, UNREACHABLE, read_refusal, refuse
from bridge.adapters.forte_platform.settings import Options
from bridge.domain import logs
from bridge.domain.errors import ProviderConfused, ProviderError, ProviderUnreachable
from bridge.outbound.prepared import JSON, Api, encoded
from bridge.outbound.transport import SIMULATOR, AddressRefused, AnswerTooLarge, never_sent
from bridge.schemas.forte_platform import ErrorSchema

log = logs.logger(__name__)
_ERROR = ErrorSchema()


class Client:
    """Calls with one project's key, from many threads."""

    def __init__(self, options: Options, context: AdapterContext) -> None:
        self._live = options.live
        self._session = context.session()
        headers = {"Authorization": f"Bearer {options.api_key}", "Accept": JSON}
        self._api = Api(self._session, options.host, headers)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def read(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The answer's JSON to a GET. Raises ProviderError; the outcome of a payment never depends on it."""
        return self._harmless("GET", path, query=query)

    def quote(self, path: str, body: Mapping[str, Any]) -> Any:
        """The answer's JSON to a POST that changes nothing. Raises ProviderError as `read` does."""
        return self._harmless("POST", path, body=body)

    def write(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer's JSON, None if it is empty. Raises ProviderRefused, ProviderUnreachable or ProviderConfused."""
        content, headers = None, {}
        if body is not None:
            content, headers = json.dumps(body, allow_nan=False).encode(), {"Content-Type": JSON}
        try:
            request = self._api.request(
                method, path, query=encoded(*(query or {}).items()), body=content, headers=headers
            )
            response = self._session.send(request)
        except requests.RequestException as error:
            log.warning("%s %s at Forte: %s", method, path, type(error).__name__)
            raise _unanswered(error) from None
        if self._live and SIMULATOR in response.headers:
            raise refuse("simulator", "A simulator answers in place of Forte, and this store is in live mode.")
        answer = _json(response)
        if not 200 <= response.status_code < 300:
            raise _explained(response.status_code, answer)
        if answer is _NOT_JSON:
            raise ProviderConfused(NONSENSE)
        return answer

    def _harmless(self, method: str, path: str, **what: Any) -> Any:
        try:
            return self.write(method, path, **what)
        except ProviderUnreachable as error:
            error.sent = False
            raise


_NOT_JSON = object()


def _json(response: requests.Response) -> Any:
    if not response.content:
        return None
    try:
        return response.json()
    except (ValueError, RecursionError):
        return _NOT_JSON


def _explained(status: int, answer: Any) -> ProviderError:
    try:
        error = _ERROR.read(answer)
    except ValueError:
        error = {"code": "", "message": ""}
    return read_refusal(status, error["code"], error["message"])


def _unanswered(error: requests.RequestException) -> ProviderError:
    if isinstance(error, (AnswerTooLarge, requests.exceptions.ContentDecodingError)):
        return ProviderConfused(NONSENSE)
    if isinstance(error, AddressRefused):
        return ProviderUnreachable(f"{UNREACHABLE} {error}", sent=False)
    return ProviderUnreachable(UNREACHABLE, sent=not never_sent(error))
