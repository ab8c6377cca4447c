"""What all resources share: pages of a list, and the `expand[]` parameter.

Sources: https://docs.stripe.com/api/pagination and https://docs.stripe.com/api/expanding_objects.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import Json, invalid, no_such
from .state import State

_EXPANDABLE: Mapping[str, Mapping[str, str]] = {
    "application_fee": {
        "account": "account",
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "originating_transaction": "charge",
    },
    "charge": {
        "application_fee": "application_fee",
        "balance_transaction": "balance_transaction",
        "customer": "customer",
        "on_behalf_of": "account",
        "payment_intent": "payment_intent",
        "refunds": "refund_list",
        "source_transfer": "transfer",
        "transfer": "transfer",
        "transfer_data": "transfer_data",
    },
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "payment_intent": {
        "customer": "customer",
        "latest_charge": "charge",
        "on_behalf_of": "account",
        "payment_method": "payment_method",
        "transfer_data": "transfer_data",
    },
    "payment_method": {"customer": "customer"},
    "refund": {
        "balance_transaction": "balance_transaction",
        "charge": "charge",
        "customer": "customer",
        "failure_balance_transaction": "balance_transaction",
        "payment_intent": "payment_intent",
        "payment_method": "payment_method",
        "transfer_reversal": "transfer_reversal",
    },
    "refund_list": {"data": "refund"},
    "transfer": {
        "balance_transaction": "balance_transaction",
        "destination": "account",
        "destination_payment": "charge",
        "source_transaction": "charge",
    },
    "transfer_data": {"destination": "account"},
}
"""Per kind of object: its members that are a reference, or hold one, and what they lead to."""


def check_expandable(kind: str, paths: Sequence[str], *, listed: bool) -> None:
    """ApiError 400 for a path that does not lead to a reference, from an object of that kind or from a list of them."""
    for path in paths:
        reached: str | None = "list" if listed else kind
        for key in path.split("."):
            reached = kind if (reached, key) == ("list", "data") else _EXPANDABLE.get(reached or "", {}).get(key)
        if reached in (None, "transfer_data") or path == "data":
            raise invalid(f"This property cannot be expanded ({path}).", "expand")


def expanded(state: State, thing: Json, paths: Sequence[str]) -> Json:
    """A copy of `thing` with the references at `paths` replaced by what they refer to."""
    for path in paths:
        thing = _expand(state, thing, path.split("."))
    return thing


def _expand(state: State, value: Any, keys: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_expand(state, member, keys) for member in value]
    if isinstance(value, str):
        value = state.anywhere(value)
    if value is None or not keys:
        return value
    return {**value, keys[0]: _expand(state, _member(state, value, keys[0]), keys[1:])}


def _member(state: State, thing: Json, name: str) -> Any:
    """A member of an object; the refunds of a charge are there only if they are asked for."""
    if name != "refunds" or name in thing:
        return thing.get(name)
    found = state.all(state.owner(thing["id"]), "refund", charge=thing["id"])
    return page(found, {}, f"/v1/charges/{thing['id']}/refunds")


def page(found: Sequence[Json], params: Json, url: str) -> Json:
    """One page of `found`, which is newest first, after the filters that every list has."""
    if "created" in params:
        found = [thing for thing in found if _created(thing["created"], params["created"])]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid limit: {limit}. It is between 1 and 100.", "limit", "parameter_invalid_integer")
    if "ending_before" in params:
        before = found[: _position(found, params, "ending_before")]
        chosen, more = before[-limit:], len(before) > limit
    else:
        rest = found[_position(found, params, "starting_after") + 1 :] if "starting_after" in params else found
        chosen, more = rest[:limit], len(rest) > limit
    return {"object": "list", "url": url, "has_more": more, "data": list(chosen)}


def _created(moment: int, wanted: int | Json) -> bool:
    if isinstance(wanted, int):
        return moment == wanted
    holds = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    return all(holds[word](moment, bound) for word, bound in wanted.items())


def _position(found: Sequence[Json], params: Json, cursor: str) -> int:
    for position, thing in enumerate(found):
        if thing["id"] == params[cursor]:
            return position
    raise no_such("object", params[cursor], cursor, 400)
