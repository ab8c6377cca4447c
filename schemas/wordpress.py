"""Parameters that a route declares, as WordPress' REST API takes and refuses them: loose about types, null is absent.

Refusals are `{code: sentence}`. Source: WordPress, `rest_validate_value_from_schema` and `rest_parse_date`.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, fields, missing

LONGEST_TEXT, MOST_TEXTS = 200, 50
_NUMBER = re.compile(r"\s*[+-]?\d{1,18}(\.0*)?", re.ASCII)
_OFFSET = re.compile(r"([+\- ])([01]\d|2[0-3]):?([0-5]\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Declared(fields.Field[Any]):
    """`described` is for people; `metadata` what OPTIONS and the OpenAPI document say of it besides."""

    kind: str | tuple[str, ...] = "string"

    def __init__(self, described: str, **options: Any) -> None:
        kind = self.kind if isinstance(self.kind, str) else list(self.kind)
        metadata = {"type": kind, "description": described, **options.pop("metadata", {})}
        super().__init__(metadata=metadata, **options)

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        return super().deserialize(missing if value is None else value, attr, data, **kwargs)

    def refuse(self, code: str, sentence: str) -> NoReturn:
        raise ValidationError({code: sentence})

    def refuse_type(self, kind: str) -> NoReturn:
        self.refuse("rest_invalid_type", f"{self.name} is not of type {kind}.")


class Integer(Declared):
    """A whole number, as a number or as text, within bounds that count as inside."""

    kind = "integer"

    def __init__(self, described: str, *, least: int | None = None, most: int | None = None, **options: Any) -> None:
        bounds = {"minimum": least, "maximum": most}
        super().__init__(described, metadata={k: v for k, v in bounds.items() if v is not None}, **options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if isinstance(value, bool | list | dict) or not _NUMBER.fullmatch(str(value)):
            self.refuse_type("integer")
        number = int(str(value).strip().partition(".")[0])
        if self.least is not None and self.most is not None and not self.least <= number <= self.most:
            bounds = f"{self.least} (inclusive) and {self.most} (inclusive)"
            self.refuse("rest_out_of_bounds", f"{self.name} must be between {bounds}")
        if self.least is not None and number < self.least:
            self.refuse("rest_out_of_bounds", f"{self.name} must be greater than or equal to {self.least}")
        return number


class Text(Declared):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            self.refuse_type("string")
        return _clean(self, value)


class Texts(Declared):
    """One text or several; one may hold several with commas between them if it is `split`."""

    kind = ("string", "array")

    def __init__(self, described: str, *, split: bool = True, **options: Any) -> None:
        super().__init__(described, **options)
        self.split = split

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[str]:
        if isinstance(value, str | int) and not isinstance(value, bool):
            value = str(value).split(",") if self.split else [value]
        if not isinstance(value, list) or not all(isinstance(each, str | int) for each in value):
            self.refuse_type("array")
        if len(value) > MOST_TEXTS:
            self.refuse("rest_too_many_items", f"{self.name} must contain at most {MOST_TEXTS} items.")
        return [_clean(self, str(each)) for each in value]


class Moment(Declared):
    """A date and time, in UTC unless it says otherwise; a bare date is its first second, or its last one."""

    def __init__(self, described: str, *, last: bool = False, **options: Any) -> None:
        super().__init__(described, metadata={"format": "date-time"}, **options)
        self.last = last

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> datetime:
        return _moment(self, value, self.last)


class Between(Declared):
    """Two moments, as a list or with a comma between them."""

    kind = ("array", "string")

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[datetime, datetime]:
        ends = value.split(",") if isinstance(value, str) else value
        if not isinstance(ends, list):
            self.refuse_type("array")
        if len(ends) != 2:
            few = len(ends) < 2
            code = "rest_too_few_items" if few else "rest_too_many_items"
            self.refuse(code, f"{self.name} must contain at {'least' if few else 'most'} 2 items.")
        return _moment(self, ends[0], last=False), _moment(self, ends[1], last=True)


class Zone(Declared):
    """A time zone by its name or its offset, such as `+02:00`."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tzinfo:
        offset = _OFFSET.fullmatch(value) if isinstance(value, str) else None
        if offset:
            apart = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
            return timezone(-apart if offset[1] == "-" else apart)
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            self.refuse("rest_invalid_param", f"{self.name} is not a time zone.")


class Unknown(Declared):
    """A filter about something that is not known here: better no answer than a wrong one."""

    def _deserialize(self, *_: Any, **__: Any) -> NoReturn:
        self.refuse("rest_invalid_param", f"{self.name} cannot be answered here.")


def _moment(field: Declared, value: Any, last: bool) -> datetime:
    """Without a time zone if the text has none."""
    if not isinstance(value, str):
        field.refuse_type("string")
    try:
        if _DAY.fullmatch(value):
            return datetime.combine(date.fromisoformat(value), time(23, 59, 59) if last else time())
        return datetime.fromisoformat(value)
    except ValueError:
        field.refuse("rest_invalid_date", "Invalid date.")


def _clean(field: Declared, text: str) -> str:
    """Without what no database takes."""
    if len(text) > LONGEST_TEXT:
        field.refuse("rest_too_long", f"{field.name} must be at most {LONGEST_TEXT} characters long.")
    return text.replace("\0", "")


def seconds(moment: datetime, zone: tzinfo | None = None) -> float:
    """Unix seconds; `zone` is that of a moment that does not say its own."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)).timestamp()


class Paging(Schema):
    """Which part of a list is wanted."""

    page = Integer("From 1; 0 is the first one too.", least=0, most=1_000_000)
    pagesize = Integer("How many.", least=1, most=100)
    sort = Text("By what.")
    direction = Text("asc or desc.")
