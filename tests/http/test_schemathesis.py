"""Schemathesis asks every operation of the OpenAPI document for what it permits and for what it forbids.

A slice, the same in every run; with BATTERY=full at random, and a hundred times as much. All its checks hold the
answers: documented statuses, content types, headers and bodies only, no fault of ours, nothing forbidden is taken.
"""

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.http.conftest import Door, MakeDoor
from tests.http.test_openapi import METHODS
from tests.http.test_routes import KEYED

FULL = os.environ.get("BATTERY") == "full"
EXAMPLES = 200 if FULL else 2
"""For each operation, of what is permitted and of what is forbidden."""
PROFILES: list[dict[str, str]] = [{}, {"compat": "woopayments"}, {"error_status": "precise"}]
Document = dict[str, Any]


def document_of(door: Door) -> Document:
    """Without how a caller proves who he is: he always does here, and battery S4 tries all the rest."""
    document: Document = copy.deepcopy(door.get("/bridge/v1/openapi.json", key=None).json)
    document.pop("security")
    document["components"].pop("securitySchemes")
    return document


def operations(door: Door, document: Document) -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document)
    schema.app = lambda environ, start: door.app({**environ, "wsgi.url_scheme": "https"}, start)
    yield from (found.ok() for found in schema.get_all_operations())


def told_codes(document: Document, case: Case, status: int) -> set[str]:
    """Codes of the errors that an operation documents with a status."""
    responses = document["paths"][case.operation.path][case.operation.method]["responses"]
    content = responses.get(str(status), {}).get("content", {}).get("application/json", {})
    return {example["value"]["code"] for example in content.get("examples", {}).values()}


def things(door: Door) -> dict[str, list[str]]:
    """Names of what is there, so that not everything that is asked for is missing."""
    created = door.create().json
    intents = [created["id"], created["attempt_id"]]
    return {
        "order_id": ["19"],
        "payment_intent_id": intents,
        "intention_id": intents,
        "charge_id": [created["charge"]["id"]],
        "transaction_id": [created["charge"]["id"]],
    }


@pytest.mark.parametrize("changed", PROFILES if FULL else PROFILES[:1], ids=str)
def test_every_operation_answers_as_its_document_says(make_door: MakeDoor, changed: dict[str, str]) -> None:
    door = make_door(**changed)
    names, document = things(door), document_of(door)
    # WooPayments answers what a use case refuses with 500: there, our own fault is known by its code.
    excluded = [positive_data_acceptance, *([] if "error_status" in changed else [not_a_server_error])]
    asked: set[str] = set()

    def ask(case: Case, named: dict[str, str]) -> None:
        case.path_parameters = {**case.path_parameters, **{n: v for n, v in named.items() if n in case.path_parameters}}
        keyed = (case.operation.method.upper(), case.operation.path) in KEYED
        answer = case.call_and_validate(excluded_checks=excluded, auth=door.secrets("read_write") if keyed else None)
        asked.add(case.operation.label)
        told = answer.json() if "json" in answer.headers.get("content-type", [""])[0] and answer.content else None
        if isinstance(told, dict) and "code" in told:
            assert told["code"] in told_codes(document, case, answer.status_code), (case.operation.label, told)
            assert told["code"] != "internal_server_error", case.as_curl_command()

    for operation in operations(door, document):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _ask_some(operation, mode, ask, names)
    paths = document["paths"].items()
    assert asked == {f"{method.upper()} {path}" for path, each in paths for method in each if method in METHODS}


def _ask_some(operation: Any, mode: GenerationMode, ask: Any, names: dict[str, list[str]]) -> None:
    named = strategies.just({}) | strategies.fixed_dictionaries(
        {n: strategies.sampled_from(v) for n, v in names.items()}
    )

    @settings(
        max_examples=EXAMPLES,
        derandomize=not FULL,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), chosen=named)
    def some(case: Case, chosen: dict[str, str]) -> None:
        assume(case is not None)
        ask(case, chosen if mode is GenerationMode.POSITIVE else {})

    try:
        some()
    except Unsatisfiable:  # nothing can be wrong about a request without parameters
        assert mode is GenerationMode.NEGATIVE
