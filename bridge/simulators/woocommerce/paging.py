"""One page of a list: include, exclude, offset, per_page and page, with WooCommerce's totals and links."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from .answers import with_links
from .rest_values import Answer, RestRequest, query_string


class HasId(Protocol):
    @property
    def id(self) -> int: ...


Item = TypeVar("Item", bound=HasId)


def page_of(
    items: Sequence[Item],
    request: RestRequest,
    collection: str,
    answer: Callable[[Item], Answer],
    spelled: Mapping[str, Any],
) -> Answer:
    """The page of `items` that the request asks for; `answer` is how one of them would be answered alone.

    `spelled` are defaults that WooCommerce writes out in the paging links, beside the caller's own parameters.
    """
    include, exclude = request.get("include") or [], request.get("exclude") or []
    items = [item for item in items if (not include or item.id in include) and item.id not in exclude]
    page, per_page = request.get("page"), request.get("per_page")
    first = (page - 1) * per_page if request.get("offset") is None else max(request.get("offset"), 0)
    pages = math.ceil(len(items) / per_page)
    body = [with_links(answer(item)) for item in items[first : first + per_page]]
    headers = {"X-WP-Total": str(len(items)), "X-WP-TotalPages": str(pages)}
    own = {name: value for name, value in request.query.items() if name not in spelled}
    query = {**own, **{name: value for name, value in spelled.items() if body or name == "status"}}
    links = []
    if page > 1:
        links.append(("prev", min(page - 1, pages)))
    if page < pages:
        links.append(("next", page + 1))
    if links:
        url = request.url(collection)
        headers["Link"] = ", ".join(
            f'<{url}?{query_string({**query, "page": number})}>; rel="{relation}"' for relation, number in links
        )
    return Answer(body, headers=headers)
