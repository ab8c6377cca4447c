"""The runbook of docs/operations.md, "Money for an order that cannot take it": its own commands, run as they stand."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.operator import operate
from tests.orders_change.test_held_and_paid import CHALLENGE, flag, kinds, pays
from tests.plugins.local import Local, MakeLocal

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
ADAPTERS: dict[str, dict[str, str]] = {"sandbox": {}, "stripe_connect": {"off_session": "no"}}


def commands(beginning: str) -> list[list[str]]:
    """Those of the runbook that begin so, word by word."""
    runbook = PAGE.read_text().partition("### Money for an order that cannot take it")[2].partition("\n## ")[0]
    lines = [line for block in re.findall("```sh\n(.*?)```", runbook, re.DOTALL) for line in block.splitlines()]
    found = [shlex.split(line) for line in lines if line.startswith(beginning)]
    assert found
    return found


def run(local: Local, beginning: str, intent: str) -> str:
    """What the commands say, of the order named `payable` and its payment."""
    named = {"ORDER": str(local.orders["payable"]), "INTENT": intent}
    told = []
    for _, *words in commands(beginning):
        told.append(operate(local, *(named.get(word, word) for word in words), code=words[0] == "reconcile").output)
    return "".join(told)


@pytest.fixture(params=ADAPTERS)
def late(request: pytest.FixtureRequest, make_local: MakeLocal, sqlite_url: str) -> tuple[Local, str]:
    """Money has arrived for an order that was cancelled meanwhile; its payment."""
    local = make_local(sqlite_url, request.param, settings=ADAPTERS[request.param])
    created: dict[str, Any] = local.create(payment_method=CHALLENGE[request.param]).get_json()
    local.work()
    local.shop.update_order(local.orders["payable"], status="cancelled")
    pays(local, created["id"])
    local.work()
    assert flag(local)
    return local, created["id"]


def test_the_payment_and_its_story_are_named(late: tuple[Local, str]) -> None:
    local, intent = late
    assert intent in run(local, "wcpay-bridge flags list", intent)
    assert "NEEDS AN OPERATOR" in run(local, "wcpay-bridge why", intent)


def test_an_order_that_staff_open_again_takes_the_money(late: tuple[Local, str]) -> None:
    local, intent = late
    local.shop.update_order(local.orders["payable"], status="pending")
    run(local, "wcpay-bridge reconcile", intent)
    local.work()
    assert (local.order()["status"], local.order()["transaction_id"], flag(local)) == ("processing", intent, "")


def test_money_that_is_sent_back_needs_nobody(late: tuple[Local, str]) -> None:
    local, intent = late
    [[_, _, _, url, *options]] = commands("curl")
    assert options[::2] == ["-d", "-d"]
    form = dict(option.split("=") for option in options[1::2]) | {"order_id": str(local.orders["payable"])}
    path = url.removeprefix("https://shop.example")
    answer = local._open(path, method="POST", data=form)
    assert answer.status_code == 200
    local.work()
    assert flag(local) == ""
    assert local.show(intent).get_json()["charge"]["amount_refunded"] == 1023
    assert local.order()["status"] == "cancelled"


def test_what_was_settled_otherwise_is_kept_with_the_payment(late: tuple[Local, str]) -> None:
    local, intent = late
    run(local, "wcpay-bridge flags clear", intent)
    assert flag(local) == ""
    assert "flag_cleared" in kinds(local)
    assert "the blue one" in run(local, "wcpay-bridge why", intent)
