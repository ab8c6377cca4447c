"""B19: a secret that comes into a log, a database or an error is found, whichever process it comes from."""

from typing import Any

import pytest

from bridge.selftest.batteries import run
from bridge.selftest.report import Report
from bridge.selftest.run_context import RunContext
from bridge.selftest.serving import Process, wait_for
from bridge.selftest.world import STRIPE_KEY
from tests.selftest import leaky

LEAKS = {
    "logs_the_provider_key": "the log of somewhere.deep",
    "logs_the_query": "the log of somewhere.deep",
    "logs_the_header": "the log of somewhere.deep",
    "stores_it": "the database",
    "tells_it_in_an_error": "the log of bridge.selftest.leaks",
}


def found(name: str, battery: str, **context: Any) -> set[str]:
    with RunContext(size="slice", subject=f"{leaky.__name__}:{name}", **context) as world:
        [report] = run(world, [battery])
    return {said.removeprefix("leaked: ").partition(" tells a secret")[0] for said in report.violations}


@pytest.mark.parametrize("name", LEAKS)
def test_a_secret_is_found(name: str) -> None:
    assert LEAKS[name] in found(name, "B8")


def test_a_secret_is_found_in_what_another_process_logs() -> None:
    assert LEAKS["logs_the_query"] in found("logs_the_query", "B6")


@pytest.mark.needs("postgresql")
def test_a_secret_is_found_in_postgresql(postgres_server: Any) -> None:
    url = postgres_server.admin_url
    assert "the table secrets" in found("stores_it", "B6", kinds=("postgresql",), postgres_url=url)


def test_a_secret_that_a_command_logs_is_found() -> None:
    report = Report("", "", 1)
    with RunContext() as context, context.listening(report):
        command = Process(context, f"import logging; logging.getLogger('deep').debug('{STRIPE_KEY}')", [], {})
        assert wait_for(command.has_ended, 30)
    assert report.violations == [f"leaked: the log of deep tells a secret: {STRIPE_KEY} [seed 1]"]
