"""The wheel, alone in an empty environment elsewhere: its demo runs, payments succeed, and nothing stays behind.

With the locked versions here; `make newest` and `make oldest` try the newest and the oldest that setup.cfg allows.
INTERPRETERS names further Pythons (.ci/run names all that it finds).
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.install.environments import Environment, clean_environ, run
from tests.plugins.demo import Demo
from tests.plugins.distributions import Distributions
from tests.plugins.locks import RUNTIME, SHIPPED_EXTRAS, constraints, runtime_requirements

VERSIONS = os.environ.get("VERSIONS", "locked")
INTERPRETERS = [sys.executable, *os.environ.get("INTERPRETERS", "").split()]
FIRST_STATUS = {
    "sandbox": "succeeded",
    "sandbox_manual": "requires_capture",
    "stripe_connect": "succeeded",
    "stripe_connect_destination": "succeeded",
    "forte_payments_widget": "requires_action",
    "forte_payments_redirect": "requires_action",
    "forte_platform": "requires_payment_method",
}


@pytest.fixture(scope="module", params=INTERPRETERS)
def environment(
    request: pytest.FixtureRequest, distributions: Distributions, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """The wheel and what it needs, under one of the interpreters."""
    folder = tmp_path_factory.mktemp("elsewhere")
    made = Environment.make(folder / "environment", request.param)
    wheel = f"{distributions.wheel}[{','.join(SHIPPED_EXTRAS)}]"
    if VERSIONS == "oldest":
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--resolution", "lowest-direct"]
        direct = runtime_requirements()  # what is not named here is not "direct" to uv
        run([*uv, "--python", str(made.python), wheel, *map(str, direct)])
        assert_oldest(made.installed(), direct)
    elif VERSIONS == "newest":
        made.pip("install", wheel)
    else:
        (folder / "constraints.txt").write_text(constraints(RUNTIME))
        made.pip("install", "--constraint", str(folder / "constraints.txt"), wheel)
    made.pip("check")
    return made


def assert_oldest(installed: dict[str, str], direct: list[Requirement]) -> None:
    for each in direct:
        (bound,) = (bound.version for bound in each.specifier if bound.operator == ">=")
        found = Version(installed[canonicalize_name(each.name)])
        assert found.release[: len(Version(bound).release)] == Version(bound).release, each


@pytest.fixture(scope="module")
def demo(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home = tmp_path_factory.mktemp("home")
    running = Demo(home, program=environment.folder / "bin" / "wcpay-bridge")
    yield running
    assert (running.end(), running.complaints, list(home.iterdir())) == (0, "", [])


def ask(demo: Demo, store: str, path: str, **body: Any) -> dict[str, Any]:
    facts = demo.info["stores"][store]
    pair = facts["keys"]["read_write"]
    answer = requests.request(
        "POST" if body else "GET",
        f"{demo.info['base_url']}/wp-json/wc/v3/payments/{path}",
        auth=(pair["consumer_key"], pair["consumer_secret"]),
        json=body or None,
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def create(demo: Demo, store: str) -> dict[str, Any]:
    facts = demo.info["stores"][store]
    order = {"order_id": facts["orders"]["payable"], "customer": facts["customer"]}
    return ask(demo, store, "payment_intents", **order, payment_method="pm_card_visa")


@pytest.mark.parametrize("store", FIRST_STATUS)
def test_a_payment_can_be_made_in_every_kind_of_store(demo: Demo, store: str) -> None:
    created = create(demo, store)
    assert (created["status"], created["amount"]) == (FIRST_STATUS[store], 1023)
    assert create(demo, store)["id"] == created["id"]
    assert ask(demo, store, f"payment_intents/{created['id']}")["status"] == FIRST_STATUS[store]


def test_what_was_authorised_can_be_captured_and_sent_back(demo: Demo) -> None:
    store = "sandbox_manual"
    order, intent = demo.info["stores"][store]["orders"]["payable"], create(demo, store)["id"]
    captured = ask(demo, store, f"orders/{order}/capture_authorization", payment_intent_id=intent)
    assert captured["status"] == "succeeded"
    charge = ask(demo, store, f"payment_intents/{intent}")["charge"]["id"]
    assert ask(demo, store, "refund", charge_id=charge, amount=1023)["status"] == "succeeded"


def test_the_command_line_tells_its_story(environment: Environment, demo: Demo) -> None:
    intent = create(demo, "stripe_connect")["id"]
    told = subprocess.run(
        [environment.folder / "bin" / "wcpay-bridge", "why", intent],
        env={
            **clean_environ(),
            "BRIDGE_DATABASE_URL": demo.info["database_url"],
            "BRIDGE_SECRET_KEY": demo.info["secret_key"],
            "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "the provider answered succeeded" in told.stdout
