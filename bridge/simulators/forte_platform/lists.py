"""Lists of payments and users: filters, order and pages.

Source: the SDK's types. The order of a list without `sort` and the size of its pages are not documented: newest first
here, and a page size that the simulator was given.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar

from .bodies import STATES
from .errors import ForteError, Json, invalid
from .state import Call, Payment


class _Dated(Protocol):
    @property
    def sequence(self) -> int: ...
    @property
    def created(self) -> float: ...
    @property
    def metadata(self) -> Mapping[str, str]: ...


Item = TypeVar("Item", bound=_Dated)


def of_user(call: Call) -> Json:
    """A user's payments that fit the query."""
    user = call.state.user(call.project, call.ids["user"])
    return _payments(call, user.id)


def of_project(call: Call) -> Json:
    """A project's payments that fit the query, `userId` included."""
    return _payments(call, call.query.get("userId"))


def _payments(call: Call, user_id: str | None) -> Json:
    query = call.query
    word = query.get("state")
    if word is not None and word not in STATES:
        raise invalid("state", f"must be one of {', '.join(STATES)}")
    found = [
        one for one in _own(call) if (user_id is None or one.user_id == user_id) and (word is None or one.state == word)
    ]
    found = with_metadata(found, query, "PAYMENT_METADATA_FILTER_INVALID")
    return page(within(found, query), call, {**query, "user": user_id or ""}, lambda payment: payment.shape)


def search(call: Call) -> Json:
    """The payments that fit the filter of the body, sorted as it says."""
    body = call.body
    wanted, sort = body.get("filter", {}), body.get("sort", {})
    found = [
        one
        for one in within(_own(call), wanted)
        if one.user_id == wanted.get("userId", one.user_id)
        and one.state in wanted.get("states", (one.state,))
        and one.state not in wanted.get("notStates", ())
        and one.id in wanted.get("ids", (one.id,))
        and one.id not in wanted.get("notIds", ())
    ]
    sign = 1 if sort.get("sortDir") == "ASC" else -1

    def rank(payment: Payment) -> list[int]:
        amount = [sign * payment.quote.amount] if sort.get("sortBy") == "AMOUNT_CENTS" else []
        return [*amount, sign * payment.sequence]

    size = body.get("pageSize", call.page_size)
    return page(found, call, body, lambda payment: payment.shape, rank=rank, size=size)


def _own(call: Call) -> list[Payment]:
    return [one for one in call.state.payments.values() if one.project.id == call.project.id]


def with_metadata(found: Sequence[Item], query: Mapping[str, str], code: str) -> list[Item]:
    """Those with the asked pair. ForteError `code` if only one half of it is given."""
    key, value = query.get("metadataKey"), query.get("metadataValue")
    if (key is None) != (value is None) or key == "":
        raise ForteError(code, "Give metadataKey and metadataValue together.")
    return [one for one in found if key is None or one.metadata.get(key) == value]


def within(found: Sequence[Item], query: Mapping[str, str]) -> list[Item]:
    """Those made between `minTime` and `maxTime`, both included."""
    earliest, latest = (_time(query, name) for name in ("minTime", "maxTime"))
    if earliest is not None and latest is not None and earliest > latest:
        raise ForteError("INVALID_PAGINATION_TIME_PARAMS", "minTime is later than maxTime.")
    return [
        one
        for one in found
        if (earliest is None or one.created >= earliest) and (latest is None or one.created <= latest)
    ]


def _time(query: Mapping[str, str], name: str) -> float | None:
    given = query.get(name)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise ForteError("INVALID_PAGINATION_TIME_PARAMS", f"{name} is no ISO 8601 time.") from error
    if moment.tzinfo is None:
        raise ForteError("INVALID_PAGINATION_TIME_PARAMS", f"{name} has no time zone.")
    return moment.timestamp()


def page(
    found: Sequence[Item],
    call: Call,
    asked: Mapping[str, object],
    shape: Callable[[Item], Json],
    *,
    rank: Callable[[Item], list[int]] = lambda item: [-item.sequence],
    size: int | None = None,
) -> Json:
    """One page of `found` in the order of `rank`. A token continues the list that it came from and no other; what is
    added or changed meanwhile does not shift the pages that are left."""
    question = {name: value for name, value in asked.items() if name != "nextToken"}
    digest = sha256(json.dumps([call.project.id, question], sort_keys=True).encode()).hexdigest()[:16]
    ordered = sorted(found, key=rank)
    token = asked.get("nextToken")
    if token is not None:
        reached = _reached(str(token), digest)
        ordered = [one for one in ordered if rank(one) > reached]
    limit = size or call.page_size
    shown = ordered[:limit]
    body: Json = {"items": [shape(one) for one in shown], "hasNextPage": len(ordered) > limit}
    if body["hasNextPage"]:
        body["nextPageToken"] = urlsafe_b64encode(json.dumps([digest, rank(shown[-1])]).encode()).decode()
    return body


def _reached(token: str, digest: str) -> list[int]:
    try:
        of, reached = json.loads(urlsafe_b64decode(token))
        if of == digest and all(type(number) is int for number in reached):
            return list(reached)
    except (ValueError, TypeError):
        pass
    raise ForteError("INVALID_PAGINATION_TOKEN", "This token does not continue this list.")
