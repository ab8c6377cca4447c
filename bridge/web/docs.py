"""The API for people, rendered here from the OpenAPI document. No JavaScript, nothing from elsewhere."""

import base64
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader

METHODS = ("get", "post", "put", "patch", "delete")


def render_page(document: Mapping[str, Any]) -> tuple[str, str]:
    """The page, and the Content-Security-Policy that lets it have its own style sheet and nothing else."""
    environment = Environment(loader=PackageLoader("bridge.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["json"] = lambda value: json.dumps(value, indent=2)
    style, policy = style_sheet()
    operations = [
        {"method": method, "path": path, "number": f"{method}-{path}".replace("/", "-"), **methods[method]}
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods
    ]
    tags = dict.fromkeys(tag for operation in operations for tag in operation["tags"])
    page = environment.get_template("docs.html").render(
        document=document,
        style=style,
        tags={tag: [operation for operation in operations if tag in operation["tags"]] for tag in tags},
        fields=lambda schema: _fields(schema, document["components"]["schemas"]),
        parameters=_parameters,
    )
    return page, policy


def style_sheet() -> tuple[str, str]:
    """The style of pages for developers, and the Content-Security-Policy that lets a page have it and nothing else."""
    style = (files("bridge.web") / "static" / "docs.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return style, (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _parameters(operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an operation takes outside its body, as rows like those of a schema."""
    return [
        {
            "name": each["name"],
            "type": f"{_type(each.get('schema', {}))} in the {each['in']}",
            "description": each.get("description", ""),
            "required": each.get("required", False),
        }
        for each in operation.get("parameters", [])
    ]


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    """A schema as rows: `name` (dotted inside objects), `type`, `description`, `required`."""
    schema = _resolved(schema, schemas)
    rows = []
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field, schemas)
        rows.append(
            {
                "name": prefix + name,
                "type": _type(inner),
                "description": field.get("description") or inner.get("description", ""),
                "required": name in schema.get("required", []),
            }
        )
        rows += _fields(inner, schemas, f"{prefix}{name}.")
    return rows


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    for candidate in (schema, *schema.get("allOf", []), *schema.get("anyOf", [])):
        if "$ref" in candidate:
            target: Mapping[str, Any] = schemas[candidate["$ref"].rpartition("/")[2]]
            return target
    return schema
