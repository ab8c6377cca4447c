"""Requests that cost little to prepare: what those to one API have in common is checked and built once."""

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from urllib.parse import urlencode

import requests
from requests.structures import CaseInsensitiveDict

JSON = "application/json"
# Without a segment that begins with a dot, a percent sign, or anything that has to be quoted: it is sent as it stands.
_PLAIN = re.compile(r"(/(?!\.)[\w.~!$&'()*+,;=:@-]*)+", re.ASCII)


class Prepared(requests.PreparedRequest):
    """A prepared request that knows what it asks its host for."""

    path_url: str = ""


class Api:
    """One API of a store or provider: its address (`base`), and the headers that each request to it has beside those
    of `session`.

    `requests` itself checks and quotes them, at the first request; so it does for a path that is not plain.
    """

    def __init__(self, session: requests.Session, base: str, headers: Mapping[str, str]) -> None:
        self._session = session
        self._base = base
        self._headers = headers

    def request(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Prepared:
        """A request for `path` (begins with a slash) below the API's address, for `Session.send`.

        `query` is encoded already, and a `body` that is a text is ASCII; `headers` are more of them, whose names and
        values need no check. Raises what `requests` raises for an address that is not one.
        """
        origin, before, common = self._common
        request = Prepared()
        request.method = method
        asked = before + path if _PLAIN.fullmatch(path) else self._quoted(path)
        if query:
            asked += f"{'&' if '?' in asked else '?'}{query}"
        request.path_url, request.url = asked, origin + asked
        request.headers = common.copy()
        request.headers.update(headers or {})
        request.body = body
        if body is not None or method not in ("GET", "HEAD"):
            request.headers["Content-Length"] = str(len(body or b""))
        return request

    @cached_property
    def _common(self) -> tuple[str, str, CaseInsensitiveDict[str | bytes]]:
        """Scheme and host, the path of the address without the slash at its end, and the headers."""
        first = self._session.prepare_request(requests.Request("GET", f"{self._base}/", headers=self._headers))
        before = first.path_url[:-1]
        return str(first.url).removesuffix(f"{before}/"), before, first.headers

    def _quoted(self, path: str) -> str:
        prepared = requests.PreparedRequest()
        prepared.prepare_url(self._base + path, None)
        return prepared.path_url


@lru_cache(maxsize=256)
def encoded(*pairs: tuple[str, str]) -> str:
    """A query, with commas as they are: they may be, and `_fields=a,b` is how WordPress documents it."""
    return urlencode(pairs, safe=",")
