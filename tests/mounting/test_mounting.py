"""Mounted twice into a host of its own mind, from the installed wheel, outside the checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.plugins.shared import Once

HOST = Path(__file__).parent / "host"


@pytest.fixture(scope="session")
def asked(installed_wheel: Path, once: Once) -> dict[str, Any]:
    """What the host answered."""

    def make(folder: Path) -> None:
        host = shutil.copytree(HOST, folder / "host", ignore=shutil.ignore_patterns("__pycache__"))
        told = subprocess.run(
            [sys.executable, "-W", "error", "drive.py", str(folder)],
            cwd=host,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{host}:{installed_wheel}", "HOME": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        (folder / "asked.json").write_text(told.stdout)

    return json.loads((once("mounted", make) / "asked.json").read_text())


def error(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["status"], json.loads(answer["body"])["code"]


def test_the_wheel_is_what_was_tested(asked: dict[str, Any], installed_wheel: Path) -> None:
    assert asked["bridge_file"] == str(installed_wheel / "bridge" / "__init__.py")


def test_the_host_keeps_its_schemas_package_and_gets_no_provider_or_simulator(asked: dict[str, Any]) -> None:
    assert asked["modules"] == ["schemas"]
    assert asked["api_objects"] == []


def test_the_host_keeps_its_own_pages_and_its_sorted_json(asked: dict[str, Any]) -> None:
    assert json.loads(asked["home"]["body"]) == {"apple": "the host's own schemas", "zebra": 1}
    assert asked["home"]["body"].index("apple") < asked["home"]["body"].index("zebra")


@pytest.mark.parametrize(
    ("name", "code"),
    [("host_404", 404), ("host_405", 405), ("host_500", 500), ("bare_prefix", 404), ("beside_the_bridge", 404)],
)
def test_the_host_keeps_its_own_error_pages_outside_the_bridge(asked: dict[str, Any], name: str, code: int) -> None:
    assert (asked[name]["status"], asked[name]["body"]) == (418, f"<h1>The host's page: {code}</h1>")


def test_a_payment_works_below_the_prefix_and_its_keys_keep_their_order(asked: dict[str, Any]) -> None:
    assert asked["created"]["status"] == 200
    body = json.loads(asked["created"]["body"])
    assert list(body)[:7] == ["id", "amount", "currency", "created", "customer", "payment_method", "status"]
    assert (body["amount"], body["currency"], body["status"]) == (750, "EUR", "succeeded")
    assert asked["created_again"] == asked["created"]
    assert asked["slash"]["body"] == asked["created"]["body"]
    assert asked["overridden"]["body"] == asked["created"]["body"]


def test_the_hosts_own_order_book_hears_of_it_from_the_worker_in_the_host(asked: dict[str, Any]) -> None:
    assert asked["first_paid"] == {"5": json.loads(asked["created"]["body"])["id"]}


def test_two_bridges_in_one_app_know_nothing_of_each_other(asked: dict[str, Any]) -> None:
    assert asked["second"]["status"] == 200
    assert json.loads(asked["second"]["body"])["id"] != json.loads(asked["created"]["body"])["id"]
    assert error(asked["foreign_key"]) == (401, "rest_forbidden")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("anonymous", 401, "rest_forbidden"),
        ("wrong_method", 404, "rest_no_route"),
        ("odd_method", 401, "rest_forbidden"),
        ("odd_method_anonymous", 404, "rest_no_route"),
        ("no_route", 404, "rest_no_route"),
        ("no_bridge_route", 404, "rest_no_route"),
        ("bad_json", 400, "rest_invalid_json"),
        ("missing_order", 500, "wcpay_server_error"),
    ],
)
def test_the_bridges_errors_are_its_own_whatever_pages_the_host_has(
    asked: dict[str, Any], name: str, status: int, code: str
) -> None:
    assert error(asked[name]) == (status, code)
    assert asked[name]["type"] == "application/json; charset=UTF-8"


def test_a_body_that_is_too_large_is_refused_in_the_envelope(asked: dict[str, Any]) -> None:
    assert asked["too_large"]["status"] == 413
    assert set(json.loads(asked["too_large"]["body"])) == {"code", "message", "data"}


def test_options_tells_the_methods(asked: dict[str, Any]) -> None:
    assert asked["options"]["status"] == 200
    assert asked["options"]["allow"] == "POST"


def test_documents_and_health_work_below_the_prefix(asked: dict[str, Any]) -> None:
    assert json.loads(asked["openapi"]["body"])["openapi"].startswith("3.1")
    assert asked["docs"]["type"].startswith("text/html")
    assert asked["ready"]["status"] == 200
