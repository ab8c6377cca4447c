"""Which bodies WordPress reads, by the method that counts and the type that the request gives."""

import re
from enum import StrEnum

from flask import Request

READING = frozenset({"GET", "HEAD"})
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_JSON_TYPE = re.compile(r"application/([\w!#$&^.+-]+\+)?json(\+oembed)?", re.ASCII)
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class Body(StrEnum):
    """What a body is read as."""

    JSON = "json"
    FORM = "form"


def kind_of_body(request: Request, method: str) -> Body | None:
    """None for one that says nothing, or that nothing reads with this method. JSON counts with every one."""
    if not request.get_data():
        return None
    if _JSON_TYPE.fullmatch(request.mimetype):
        return Body.JSON
    return Body.FORM if method in WRITING and request.mimetype in _FORM_TYPES else None
