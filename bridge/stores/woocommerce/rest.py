"""WordPress' REST API over HTTPS: one request, and its answer as Python values or an error that a merchant understands.

Asks the registered address only, with the store's own key, and follows no redirect. Knows no orders.

What is read is read past caches: a request says `no-cache`, and as many caches do not heed that, its address has a part
that no request had before. WordPress ignores parameters that it does not know.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from bridge.domain.errors import StoreRefused, StoreUnreachable
from bridge.domain.stores import QUERY_CREDENTIALS, Store
from bridge.outbound.prepared import JSON, Api, encoded
from bridge.schemas.woocommerce import AnswerSchema, listed

PAGE_SIZE = 100
"""The largest page of a list that WooCommerce gives."""
MAX_PAGES = 100
FRESH = "fresh"
"""The query parameter whose value is another one in each request."""
KEY_REFUSED = "woocommerce_rest_authentication_error"
"""The code for a key that is known, with a wrong secret or without the permission. Which of the two, only a sentence
says, and that is translated. Source: `WC_REST_Authentication`, WooCommerce 10.5."""
NOBODY = "woocommerce_rest_cannot_"
"""How codes begin that say what a caller may not do: with HTTP 401 one who is not known, with 403 a known user."""
_NO_JSON = object()
_CODE = re.compile(r"[\w-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """`elapsed` is how long the store took, in seconds; `date` its own time (Unix seconds), None if it did not say.

    `age` is what a cache says of an answer that it has kept, in its own words (seconds), None if there was none.
    """

    value: Any
    elapsed: float
    date: float | None
    age: str | None = None


class RestApi:
    """One store's REST API. `session` verifies TLS and limits time and size; thread-safe if it is.

    `fresh` gives a text of letters and digits that it has not given before; `whose` says in errors whose key the
    store's is.
    """

    def __init__(
        self, store: Store, session: requests.Session, fresh: Callable[[], str], whose: str = "the bridge's key"
    ) -> None:
        self._store = store
        self._session = session
        self._fresh = fresh
        self._whose = whose

    @cached_property
    def _with_key(self) -> Api:
        """The key in the query, which WooCommerce takes over https where the Authorization header does not reach it.

        Source: WooCommerce REST API documentation, "Authentication over HTTPS".
        """
        key, secret = self._store.consumer_key, self._store.consumer_secret
        if self._store.options.get("auth") == "query":
            return self._api({QUERY_CREDENTIALS: urlencode({"consumer_key": key, "consumer_secret": secret})})
        return self._api({"Authorization": f"Basic {b64encode(f'{key}:{secret}'.encode()).decode()}"})

    @cached_property
    def _anonymous(self) -> Api:
        return self._api({})

    def _api(self, headers: Mapping[str, str]) -> Api:
        return Api(self._session, f"{_base(self._store.url)}/wp-json", {"Accept": JSON, **headers})

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        anonymous: bool = False,
        cached: bool = False,
    ) -> Answer:
        """Ask for `path` below `/wp-json/`, and for a read past all caches unless it may be `cached`.

        Numbers with a fraction come as Decimal. Raises StoreUnreachable (it may work later) or StoreRefused (the answer
        is no, or makes no sense).
        """
        api = self._anonymous if anonymous else self._with_key
        search, headers = encoded(*(query or {}).items()), {}
        if method == "GET" and not cached:
            headers["Cache-Control"] = "no-cache"
            search = f"{search}{search and '&'}{FRESH}={self._fresh()}"
        content = None
        if body is not None:
            headers["Content-Type"] = JSON
            content = json.dumps(body, allow_nan=False).encode()
        try:
            request = api.request(method, f"/{path}", query=search, body=content, headers=headers)
            response = self._session.send(request)
        except requests.exceptions.SSLError as error:
            raise StoreUnreachable(_about_tls(error)) from error
        except requests.exceptions.Timeout as error:
            raise StoreUnreachable("The store did not answer in time.") from error
        except requests.exceptions.ConnectionError as error:
            raise StoreUnreachable(f"The store could not be reached. {_own_words(error)}".rstrip()) from error
        except requests.exceptions.RequestException as error:
            raise StoreUnreachable("The store's answer could not be read.") from error
        age = response.headers.get("Age")
        return Answer(_value(response, method, self._whose), response.elapsed.total_seconds(), _date(response), age)

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[Answer]:
        """Every page of a list, asked for as it is needed. Raises as `ask` does, and StoreRefused for no list."""
        for page in range(1, MAX_PAGES + 1):
            answer = self.ask("GET", path, query={**query, "per_page": str(PAGE_SIZE), "page": str(page)})
            yield answer
            if len(rows(answer)) < PAGE_SIZE:
                break


def rows(answer: Answer) -> list[Any]:
    """The rows of a list. Raises StoreRefused if it is none."""
    try:
        return listed(answer.value)
    except ValueError:
        raise StoreRefused("The store's answer makes no sense (a list was asked for).") from None


def load(schema: AnswerSchema, value: Any) -> Any:
    """What `schema` makes of an answer. Raises StoreRefused."""
    try:
        return schema.read(value)
    except ValueError as error:
        raise StoreRefused(f"The store's answer makes no sense (wrong: {error}).") from None


def _about_tls(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "The store's TLS certificate could not be verified."
    return "A secure TLS connection to the store could not be made."


def _own_words(error: Exception) -> str:
    """A session that refuses an address says why as text; what went wrong on the network is an object."""
    return next((word for word in error.args[:1] if isinstance(word, str)), "")


def _base(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username or parts.password
    except ValueError:
        host, user = None, None
    if not host or parts.scheme != "https":
        raise StoreRefused("The store's address must be complete and begin with https://.")
    if user or parts.query or parts.fragment:
        raise StoreRefused("The store's address must not contain credentials, a query or a fragment.")
    return url.rstrip("/")


def _value(response: requests.Response, method: str, whose: str) -> Any:
    status = response.status_code
    if status == 429 or status >= 500 or status == 408:
        code = _code(_json(response))
        raise StoreUnreachable(f"The store is busy, broken or under maintenance (HTTP {status}{code and f', {code}'}).")
    if 300 <= status < 400:
        raise StoreRefused(
            f"The store redirects to another address (HTTP {status}). Register the address that it redirects to.",
            status=status,
        )
    page = "html" in response.headers.get("Content-Type", "").lower()
    value = _json(response)
    if status >= 300:
        raise _refusal(status, _code(value), method, whose)
    if page:
        raise StoreUnreachable("The store answers with a web page; it may be under maintenance.")
    if value is _NO_JSON:
        raise StoreRefused("The store's answer is not valid JSON.", status=status)
    return value


def _json(response: requests.Response) -> Any:
    try:
        return json.loads(response.content, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return _NO_JSON


def _refusal(status: int, code: str, method: str, whose: str) -> StoreRefused:
    if status in (401, 403) and not code:
        why = f"Something in front of the store blocks the bridge (HTTP {status})."
    elif code == KEY_REFUSED:
        permission = "read" if method == "GET" else "write"
        why = f"The store refuses {whose}: its secret is wrong, or it lacks the permission to {permission}."
    elif status == 401:
        why = f"The store does not know {whose}, or its web server does not pass the Authorization header on."
    elif status == 403:
        why = f"The user to whom {whose} belongs may not do this in the store."
    elif status == 404 and code in ("", "rest_no_route"):
        why = "There is no WooCommerce REST API (wc/v3) at the store's address."
    else:
        why = f"The store refused the request (HTTP {status}{', ' if code else ''}{code})."
    return StoreRefused(why, status=status, code=code)


def _code(value: Any) -> str:
    code = value.get("code") if isinstance(value, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _date(response: requests.Response) -> float | None:
    try:
        moment = parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
