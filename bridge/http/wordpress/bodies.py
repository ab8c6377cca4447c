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
    if _JSON_TYPE.fullmatch(request.mimetype):
        return Body.JSON if request.get_data() else None
    if method not in WRITING or request.mimetype not in _FORM_TYPES:
        return None
    is_there = request.get_data() or request.form or request.files  # a host may have read the form before
    return Body.FORM if is_there else None
