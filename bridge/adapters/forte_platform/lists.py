"""Forte's lists, to their last page: a user's payments, the project's, and its users.

The list of a project's payments is younger than that of a user's; where it is not there, all users are gone through.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bridge.adapters.forte_platform.client import Client
from bridge.adapters.forte_platform.errors import NONSENSE, is_missing
from bridge.adapters.forte_platform.settings import Options
from bridge.domain.errors import ProviderConfused, ProviderError
from bridge.schemas.forte_platform import PageSchema, UserSchema

PAGES = 1000
_PAGE = PageSchema()
_USER = UserSchema()


class Lists:
    """Raises ProviderError while it is gone through; ProviderConfused if a list does not end."""

    def __init__(self, client: Client, options: Options) -> None:
        self._client = client
        self._options = options

    def of_user(self, user: str, **query: str) -> Iterator[Any]:
        """A user's payments, with these query parameters."""
        return self._pages(self._options.path("/users/{user}/payments", user=user), query)

    def of_project(self, **query: str) -> Iterator[Any]:
        """All payments of the project, with these query parameters."""
        if self._options.payments_path:
            pages = self._pages(self._options.fill(self._options.payments_path), query)
            try:
                first = next(pages, None)
            except ProviderError as error:
                if not is_missing(error):
                    raise
            else:
                if first is not None:
                    yield first
                yield from pages
                return
        for user in self.users():
            yield from self.of_user(_user_id(user), **query)

    def users(self, **query: str) -> Iterator[Any]:
        """The project's users, with these query parameters."""
        return self._pages(self._options.path("/users"), query)

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Any]:
        token, seen = "", set[str]()
        for _ in range(PAGES):
            page = _read_page(self._client.read(path, {**query, **({"nextToken": token} if token else {})}))
            yield from page["items"]
            if not page["hasNextPage"]:
                return
            token = page["nextPageToken"]
            if not token or token in seen:
                raise ProviderConfused(NONSENSE)
            seen.add(token)
        raise ProviderConfused("Forte's list is too long to search.")


def as_query_time(moment: float) -> str:
    """Unix seconds as Forte's queries have times: ISO 8601, UTC, milliseconds."""
    return datetime.fromtimestamp(max(moment, 0.0), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_page(answer: Any) -> dict[str, Any]:
    try:
        return _PAGE.read(answer)
    except ValueError:
        raise ProviderConfused(NONSENSE) from None


def _user_id(answer: Any) -> str:
    try:
        return str(_USER.read(answer)["userId"])
    except ValueError:
        raise ProviderConfused(NONSENSE) from None
