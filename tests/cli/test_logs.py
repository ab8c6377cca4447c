"""The lines of `serve`: one for each request, with the ids of what it is about, and no secret."""

import json
import re
import signal
from urllib.parse import quote

import pytest
import requests

from bridge.cli.logging_setup import LONGEST_MESSAGE, logging_to_stderr
from bridge.domain import logs
from tests.cli.processes import INTENTS, Shopkeeper


def test_the_access_log_has_no_query_and_every_line_names_its_request(shopkeeper: Shopkeeper) -> None:
    program = shopkeeper.serve("--access-log", "--log-format", "json", "--log-level", "debug")
    pair = shopkeeper.pair
    answer = shopkeeper.create(program.url)
    assert answer.status_code == 200
    query = {"consumer_secret": pair["consumer_secret"], "consumer_key": pair["consumer_key"]}
    headers = {"X-Request-Id": "proxy-4711"}
    requests.get(f"{program.url}{INTENTS}/{answer.json()['id']}", params=query, headers=headers, timeout=20)
    requests.get(f"{program.url}/bridge/v1/pay/{'t' * 40}", timeout=20)
    program.end(signal.SIGTERM)
    lines = [json.loads(line) for line in program.log if line.startswith("{")]
    assert len(lines) > 10
    created, looked, paid = (line for line in lines if line["logger"] == "bridge.access")
    assert created["message"].startswith(f"127.0.0.1 POST {INTENTS} 200 ")
    assert created["attempt_id"] == answer.json()["attempt_id"]
    assert len(created["request_id"]) == 16
    assert looked["request_id"] == "proxy-4711"
    assert f"GET {INTENTS}/{answer.json()['id']} " in looked["message"]
    assert "GET /bridge/v1/pay/*** " in paid["message"]
    assert {line.get("request_id") for line in lines if line["logger"].startswith("urllib3")} >= {created["request_id"]}
    whole = "".join(program.log)
    for secret in (pair["consumer_secret"], pair["consumer_key"], "t" * 40, "sk_test_0123456789abcdefghijkl"):
        assert secret not in whole


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_process_own_secrets_are_in_no_line_wherever_a_client_puts_them(shopkeeper: Shopkeeper, form: str) -> None:
    """A metrics token has no shape that could be known, and somebody forgets the question mark before it."""
    token = "only of letters/and+such"
    shopkeeper.cli.environ["BRIDGE_METRICS_TOKEN"] = token
    program = shopkeeper.serve("--access-log", "--log-format", form, "--log-level", "debug")
    spellings = (
        quote(token),
        quote(token, safe=""),
        quote(token, safe="").replace("%2F", "%2f"),
        token.replace(" ", "%20"),
    )
    for spelled in spellings:
        assert requests.get(f"{program.url}/bridge/v1/metrics{spelled}", timeout=20).status_code == 404
    program.end(signal.SIGTERM)
    told = [line for line in program.log if "GET /bridge/v1/metrics***" in line]
    assert len(told) == len(spellings)
    assert not [line for line in program.log if "only" in line]


def test_a_long_address_makes_no_long_line_and_a_secret_is_not_cut_in_half(shopkeeper: Shopkeeper) -> None:
    token = "t0ken" * 20
    shopkeeper.cli.environ["BRIDGE_METRICS_TOKEN"] = token
    program = shopkeeper.serve("--access-log")
    requests.get(f"{program.url}/{'&' * (LONGEST_MESSAGE - 50)}{token}{'&' * 3000}", timeout=20)
    program.end(signal.SIGTERM)
    (line,) = (line for line in program.log if "&&&" in line)
    assert len(line) < LONGEST_MESSAGE + 200
    assert "t0ken" not in line
    assert re.search(r"\.\.\. \(\d{4} characters\)", line)


@pytest.mark.parametrize(("level", "shown"), [("debug", True), ("info", False), ("warning", False)])
def test_what_stripes_sdk_says_of_every_request_is_for_debugging(
    level: str, shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    sdk = logs.logger("stripe")
    before = sdk.level
    with logging_to_stderr(level, "text"):
        sdk.info("Request to Stripe api")
        sdk.warning("something is wrong")
    err = capsys.readouterr().err
    assert ("Request to Stripe api" in err) is shown
    assert "something is wrong" in err
    assert sdk.level == before
