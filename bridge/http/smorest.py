"""flask-smorest, tamed: it documents and parses, and we match, dump, serialise and answer.

The one place that knows the library. A blueprint may be mounted beside anything: it has no global, no `Api`, and
leaves the host's JSON provider and error pages alone.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn, TypeVar

from flask import Flask, Request, Response, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from flask_smorest import Api  # type: ignore[import-untyped]
from flask_smorest import Blueprint as _Blueprint
from marshmallow import EXCLUDE, Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter, Rule

from bridge.domain.deadlines import within
from bridge.http.request_context import require
from bridge.http.wordpress.answers import render
from bridge.http.wordpress.error_table import Failures
from bridge.http.wordpress.errors import LARGEST_BODY, invalid_params, missing_params, no_route

View = TypeVar("View", bound=Callable[..., Any])
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WORD = r"\w+"
CAUGHT = ("/wp-json/<anything>", "/bridge/<anything>")
"""What we answer for every method, below the mount. The mount itself and everything else is the host's."""


@dataclass(frozen=True, slots=True)
class Route:
    """One view: its rule below the mount and its methods. A `public` one needs no key; `schema` are its parameters.

    `failures` say how its errors are answered. A `raw` one gets its body of at most `largest_body` bytes as it came:
    nothing looks for parameters in it. `names` is what a name in the path may be. A route that is `once` heeds
    idempotency keys; one that is `offline` answers without a database. One that `sends_back` money is for keys that
    may refund. `refusals` are the codes of those that a public one makes by itself.
    """

    rule: str
    methods: tuple[str, ...]
    schema: type[Schema] | None
    failures: Failures = ()
    public: bool = False
    raw: bool = False
    largest_body: int = LARGEST_BODY
    names: str = WORD
    once: bool = False
    offline: bool = False
    sends_back: bool = False
    refusals: tuple[str, ...] = ()


OPTIONS = [each.name for each in fields(Route) if each.name not in ("rule", "methods", "schema")]


class _Parser(FlaskParser):
    """Takes JSON, form and query as one place, and answers as WordPress does."""

    DEFAULT_LOCATION = "parameters"
    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"parameters": EXCLUDE, "query": EXCLUDE}  # noqa: RUF012 - so it is in webargs
    __location_map__ = {"parameters": "load_parameters", "query": "load_parameters"}  # noqa: RUF012

    def load_parameters(self, _request: Request, _schema: Schema) -> dict[str, Any]:
        return require().parameters

    def handle_error(self, error: ValidationError, _req: Request, schema: Schema, **_: Any) -> NoReturn:  # type: ignore[override]
        problems: dict[str, Any] = next(iter(error.messages.values()))  # type: ignore[union-attr]
        given = require().parameters
        required = [name for name, field in schema.load_fields.items() if field.required]
        if missing := [name for name in required if given.get(name) is None]:
            raise missing_params(missing)
        raise invalid_params({name: _told(name, of_name) for name, of_name in problems.items()})


def _told(name: str, problem: Any) -> tuple[str, str]:
    """A declared parameter refuses with a code and a sentence, marshmallow's own fields with sentences alone."""
    if isinstance(problem, dict):
        return next(iter(problem.items()))
    return "rest_invalid_param", f"{name}: {problem[0]}"


class Blueprint(_Blueprint):  # type: ignore[misc]
    """A blueprint whose views return what is to be shown: a value for their schema, or a finished Response."""

    ARGUMENTS_PARSER = _Parser()
    DEFAULT_LOCATION_CONTENT_TYPE_MAPPING = {"parameters": "application/json"}  # noqa: RUF012

    def __init__(self, name: str, description: str) -> None:
        super().__init__(name, __name__, description=description)
        self.routes: dict[str, Route] = {}
        self._prefixes: dict[str, str] = {}
        self.record(self._catch_all)
        self.url_value_preprocessor(self._exempt_from_csrf)

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Like Flask's, with the options of Route. Methods of the same path may have views of their own."""
        decorate: Callable[[View], View] = super().route(rule, **options)
        return decorate

    def add_url_rule(self, rule: str, endpoint: str | None = None, view_func: Any = None, **options: Any) -> None:
        ours = {name: options.pop(name) for name in OPTIONS if name in options}
        view_func.provide_automatic_options = False
        view_func.talisman_view_options = {"content_security_policy": None}  # Flask-Talisman leaves our pages their own
        super().add_url_rule(rule, endpoint, view_func, strict_slashes=False, merge_slashes=False, **options)
        schema = getattr(view_func, "parameters_schema", None)
        self.routes[self._endpoints[-1]] = Route(rule, tuple(options.get("methods", ("GET",))), schema, **ours)

    def arguments(self, schema: type[Schema], *, in_query: bool = False, **documented: Any) -> Callable[[View], View]:
        """Give the view the parameters, wherever they were sent, as one mapping; `in_query` is for the document."""
        location = "query" if in_query else "parameters"
        decorate: Callable[[View], View] = super().arguments(schema, location=location, **documented)

        def decorate_and_note(view: View) -> View:
            view = decorate(view)
            view.parameters_schema = schema  # type: ignore[attr-defined]
            return view

        return decorate_and_note

    def response(
        self, status: int, schema: type[Schema] | Schema | None = None, *, as_is: bool = False, **documentation: Any
    ) -> Callable[[View], Callable[..., Response]]:
        """Dump what the view returns and answer it; flask-smorest only documents it. With `as_is` the view has given it
        its schema's shape already."""
        document: Callable[..., Callable[..., Response]] = super().response(status, schema, **documentation)
        made = schema() if isinstance(schema, type) else schema
        dump: Callable[[Any], Any] = made.dump if made and not as_is else lambda value: in_shape(made, value)

        def decorate(view: View) -> Callable[..., Response]:
            @functools.wraps(view)
            def answer(*args: Any, **kwargs: Any) -> Response:
                with within(require().seconds):
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
        """Our route behind an endpoint of the app; None for the catch-all, and if a name in the path is not a word."""
        mount, _, name = endpoint.rpartition(".")
        route = self.routes.get(name) if mount == request.blueprint else None
        if route and all(re.fullmatch(route.names, value, re.ASCII) for value in arguments.values()):
            return route
        return None

    def routes_at(self, rule: str) -> list[Route]:
        """All routes of one path."""
        return [route for route in self.routes.values() if route.rule == rule]

    def matched_by_any_method(self) -> Route | None:
        """One of the routes that the current request's path has."""
        return next((route for method in METHODS if (route := self.match(method)[0])), None)

    def _exempt_from_csrf(self, _endpoint: str | None, _values: dict[str, Any] | None) -> None:
        """Before the host's own checks of this request: what Flask-WTF guards are forms that a cookie signs, and here
        nothing heeds cookies. Only now it is known whether the host has it, in whatever order both were set up."""
        exempt = getattr(current_app.extensions.get("csrf"), "exempt", None)
        if exempt:
            exempt(self)

    def _catch_all(self, state: BlueprintSetupState) -> None:
        mount = f"{state.name_prefix}.{state.name}".lstrip(".")
        self._prefixes[mount] = prefix = (state.url_prefix or "").rstrip("/")
        endpoint = f"{mount}.no_route"
        state.app.view_functions[endpoint] = _no_route
        for rule in CAUGHT:
            state.app.url_map.add(_CatchAll(prefix + rule, endpoint=endpoint, subdomain=state.subdomain))


def in_shape(_schema: Schema | None, value: Any) -> Any:
    """An answer of ours that is sent as it is. In our tests each is held against its schema (`tests/plugins`)."""
    return value


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
