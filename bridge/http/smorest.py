"""flask-smorest, tamed: it documents and parses, and we match, dump, serialise and answer.

The one place that knows the library. A blueprint may be mounted beside anything: it has no global, no `Api`, and
leaves the host's JSON provider and error pages alone.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from flask import Flask, Request, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_smorest import Api  # type: ignore[import-untyped]
from flask_smorest import Blueprint as _Blueprint
from marshmallow import EXCLUDE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter, Rule

from bridge.http.answers import render
from bridge.http.errors import invalid_params, missing_params, no_route
from bridge.http.exchange import require

View = TypeVar("View", bound=Callable[..., Any])
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CAUGHT = ("/wp-json/<anything>", "/bridge/<anything>")
"""What we answer for every method, below the mount. The mount itself and everything else is the host's."""


@dataclass(frozen=True, slots=True)
class Route:
    """One view: its rule below the mount and its methods. A `public` one needs no key; `schema` are its parameters."""

    rule: str
    methods: tuple[str, ...]
    public: bool
    schema: type[Schema] | None


class _Parser(FlaskParser):
    """Takes JSON, form and query as one place, and answers as WordPress does."""

    DEFAULT_LOCATION = "parameters"
    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"parameters": EXCLUDE}  # noqa: RUF012 - so it is in webargs
    __location_map__ = {"parameters": "load_parameters"}  # noqa: RUF012

    def load_parameters(self, _request: Request, _schema: Schema) -> dict[str, Any]:
        return require().parameters

    def handle_error(self, error: ValidationError, _req: Request, schema: Schema, **_: Any) -> NoReturn:  # type: ignore[override]
        problems: Any = error.messages["parameters"]  # type: ignore[call-overload]
        given = require().parameters
        required = [name for name, field in schema.load_fields.items() if field.required]
        if missing := [name for name in required if given.get(name) is None]:
            raise missing_params(missing)
        raise invalid_params({name: ("rest_invalid_type", f"{name}: {texts[0]}") for name, texts in problems.items()})


class Blueprint(_Blueprint):  # type: ignore[misc]
    """A blueprint whose views return what is to be shown: a value for their schema, or a finished Response."""

    ARGUMENTS_PARSER = _Parser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {"parameters": "application/json"}  # noqa: RUF012

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, description=description)
        self.routes: dict[str, Route] = {}
        self._prefixes: dict[str, str] = {}
        self.record(self._catch_all)

    def route(self, rule: str, *, public: bool = False, **options: Any) -> Callable[[View], View]:
        """Like Flask's. Methods of the same path may have views of their own."""
        decorate: Callable[[View], View] = super().route(rule, public=public, **options)
        return decorate

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, **options: Any) -> None:
        public = options.pop("public")
        view_func.provide_automatic_options = False
        super().add_url_rule(rule, endpoint, view_func, strict_slashes=False, merge_slashes=False, **options)
        schema = getattr(view_func, "parameters_schema", None)
        self.routes[self._endpoints[-1]] = Route(rule, tuple(options.get("methods", ("GET",))), public, schema)

    def arguments(self, schema: type[Schema], **documentation: Any) -> Callable[[View], View]:
        """Give the view the parameters, wherever they were sent, as one mapping."""
        decorate: Callable[[View], View] = super().arguments(schema, location="parameters", **documentation)

        def decorate_and_note(view: View) -> View:
            view = decorate(view)
            view.parameters_schema = schema  # type: ignore[attr-defined]
            return view

        return decorate_and_note

    def response(
        self, status: int, schema: type[Schema] | None = None, **documentation: Any
    ) -> Callable[[View], Callable[..., Response]]:
        """Dump what the view returns and answer it; flask-smorest only documents it."""
        document: Callable[..., Callable[..., Response]] = super().response(status, schema, **documentation)
        dump: Callable[[Any], Any] = schema().dump if schema else lambda value: value

        def decorate(view: View) -> Callable[..., Response]:
            @functools.wraps(view)
            def answer(*args: Any, **kwargs: Any) -> Response:
                value = view(*args, **kwargs)
                return value if isinstance(value, Response) else render(dump(value), status)

            return document(answer)

        return decorate

    @staticmethod
    def doc(**documentation: Any) -> Callable[[View], View]:
        decorate: Callable[[View], View] = _Blueprint.doc(**documentation)
        return decorate

    def alt_response(self, status: int, **documentation: Any) -> Callable[[View], View]:
        decorate: Callable[[View], View] = super().alt_response(status, **documentation)
        return decorate

    def mounted_at(self) -> str:
        """The prefix under which the current request met this blueprint, without the script's own."""
        return self._prefixes[request.blueprint or ""]

    def match(self, method: str) -> tuple[Route | None, Rule, dict[str, Any]]:
        """What the current request's path is with `method`: None and the catch-all's rule if it is nothing."""
        adapter = current_app.create_url_adapter(request)
        assert adapter is not None
        rule, arguments = adapter.match(method=method, return_rule=True)
        return self.route_of(rule.endpoint, arguments), rule, dict(arguments)

    def route_of(self, endpoint: str, arguments: Mapping[str, Any]) -> Route | None:
        """Our route behind an endpoint of the app; None for the catch-all, and if a name in the path is no word."""
        mount, _, name = endpoint.rpartition(".")
        if mount != request.blueprint or not all(
            re.fullmatch(r"\w+", value, re.ASCII) for key, value in arguments.items() if key != "anything"
        ):
            return None
        return self.routes.get(name)

    def routes_at(self, rule: str) -> list[Route]:
        """All routes of one path."""
        return [route for route in self.routes.values() if route.rule == rule]

    def matched_by_any_method(self) -> Route | None:
        """One of the routes that the current request's path has."""
        return next((route for method in METHODS if (route := self.match(method)[0])), None)

    def _catch_all(self, state: BlueprintSetupState) -> None:
        mount = f"{state.name_prefix}.{state.name}".lstrip(".")
        self._prefixes[mount] = prefix = (state.url_prefix or "").rstrip("/")
        endpoint = f"{mount}.no_route"
        state.app.view_functions[endpoint] = _no_route
        for rule in CAUGHT:
            state.app.url_map.add(_CatchAll(prefix + rule, endpoint=endpoint, subdomain=state.subdomain))


def describe(
    make: Callable[[], Blueprint],
    title: str,
    version: str,
    *,
    error_schema: type[Schema],
    security_schemes: dict[str, dict[str, Any]],
    **options: Any,
) -> dict[str, Any]:
    """The OpenAPI document of a fresh blueprint, made in an app that is then thrown away."""
    app = Flask("openapi", static_folder=None)
    api = Api(spec_kwargs={"title": title, "version": version, "openapi_version": "3.1.0", **options})
    api.ERROR_SCHEMA, api.DEFAULT_ERROR_RESPONSE_NAME = error_schema, None
    api.init_app(app)
    for name, scheme in security_schemes.items():
        api.spec.components.security_scheme(name, scheme)
    api.register_blueprint(make())
    document: dict[str, Any] = api.spec.to_dict()
    return document


class _CatchAll(Rule):
    """Any rest of a path, slashes and nothing included, with any method, known or not; without a redirect."""

    provide_automatic_options = False

    def __init__(self, rule: str, **options: Any) -> None:
        super().__init__(rule, methods=None, strict_slashes=False, merge_slashes=False, **options)

    def get_converter(self, *_: Any) -> BaseConverter:
        return _Anything(self.map)


class _Anything(BaseConverter):
    part_isolating = False
    regex = "(?s:.*)"
    weight = 1000


def _no_route(**_: str) -> NoReturn:
    raise no_route()
