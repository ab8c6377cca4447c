"""Batch routes: many creates, updates and deletes of one kind, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .answers import with_links
from .rest_values import Answer, Handler, RestError, RestRequest
from .validation import InvalidValueError, cleaned

if TYPE_CHECKING:
    from .arguments import Arguments
    from .state import Shop

LIMIT = 100


def batch_of(
    create: tuple[Handler, Arguments], update: tuple[Handler, Arguments], delete: tuple[Handler, Arguments]
) -> Handler:
    """The handler of a batch route; an error takes the place of its item."""
    actions = {"create": create, "update": update, "delete": delete}

    def batch(shop: Shop, request: RestRequest) -> Answer:
        groups = {name: request.get(name) for name in actions if request.get(name) is not None}
        if sum(len(items) for items in groups.values()) > LIMIT:
            message = f"Unable to accept more than {LIMIT} items for this request."
            raise RestError("woocommerce_rest_request_entity_too_large", message, 413)
        done = {}
        for name, items in groups.items():
            wanted = [{"id": item, "force": True} for item in items] if name == "delete" else items
            done[name] = [_one(shop, request, *actions[name], item) for item in wanted]
        return Answer(done)

    return batch


def _one(shop: Shop, request: RestRequest, handler: Handler, schemas: Arguments, item: Any) -> Any:
    values: Mapping[str, Any] = item if isinstance(item, dict) else {}
    try:
        known = {
            key: cleaned(values[key], schema, key) for key, schema in schemas.items() if values.get(key) is not None
        }
        one = handler(shop, RestRequest(request.method, request.path, request.home, {}, json=known))
    except InvalidValueError as error:
        return {"id": values.get("id", 0), "error": {**error.details, "data": {"status": 400}}}
    except RestError as error:
        return {"id": values.get("id", 0), "error": error.body}
    return with_links(one)
