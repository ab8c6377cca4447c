"""An order is named by its id or by the number that its shop shows, and shown by both where they differ."""

import pytest

from bridge.payments import flags
from bridge.simulators.faults import Fault
from tests.cli.operator import operate, operate_json, unknown
from tests.plugins.local import Local, MakeLocal

NUMBER = "A-23"
NAMES = (NUMBER, f"#{NUMBER}", "id", "#id")


@pytest.fixture
def local(make_local: MakeLocal, database_url: str) -> Local:
    made = make_local(database_url, "stripe_connect")
    made.orders["numbered"] = made.shop.add_order(total="10.23", number=NUMBER)
    return made


def name_of(local: Local, name: str) -> str:
    return name.replace("id", str(local.orders["numbered"]))


def flagged(local: Local, order: str = "numbered") -> str:
    intent = str(local.create(order).get_json()["id"])
    attempt = local.show(intent).get_json()["attempt_id"]
    with local.bridge.services.database.write() as connection:
        flags.put(connection, attempt, "Somebody has to look.", local.clock())
    return intent


@pytest.mark.parametrize("name", NAMES)
def test_why_takes_and_shows_both(local: Local, name: str) -> None:
    intent = local.create("numbered").get_json()["id"]
    local.create("payable")
    [story] = operate_json(local, "why", name_of(local, name))
    assert story["payment_intent"] == intent
    told = operate(local, "why", name_of(local, name)).output
    assert f"{intent}: 10.23 USD for order {NUMBER} (id {local.orders['numbered']}) of" in told


def test_why_tells_of_an_id_and_of_the_same_number_of_another_order(local: Local) -> None:
    other = str(local.orders["payable"])
    local.orders["same"] = local.shop.add_order(total="5.00", number=other)
    intents = {local.create(order).get_json()["id"] for order in ("payable", "same")}
    assert {story["payment_intent"] for story in operate_json(local, "why", other)} == intents


@pytest.mark.parametrize("name", NAMES)
def test_flags_take_and_show_both(local: Local, name: str) -> None:
    intent = flagged(local)
    flagged(local, "payable")
    order = name_of(local, name)
    listed = operate(local, "flags", "list", "--order", order).output
    assert listed.count("\n") == 1
    assert f"{intent}\t{local.store.id}\torder {NUMBER} (id {local.orders['numbered']})\t" in listed
    assert [each["order_id"] for each in operate_json(local, "flags", "list", "--order", order)] == [
        local.orders["numbered"]
    ]
    operate(local, "flags", "clear", order, "--reason", "looked at it")
    assert [each["order"] for each in operate_json(local, "flags", "list")] == [str(local.orders["payable"])]
    assert "There is no flagged payment" in operate(local, "flags", "clear", order, "--reason", "again", code=1).output


def test_a_flag_of_an_order_with_several_is_cleared_by_the_payment(local: Local) -> None:
    first, order = flagged(local), str(local.orders["payable"])
    local.orders["same"] = local.shop.add_order(total="5.00", number=order)
    second, third = flagged(local, "payable"), flagged(local, "same")
    refused = operate(local, "flags", "clear", order, "--reason", "looked at it", code=1).output
    assert second in refused
    assert third in refused
    assert first not in refused
    assert len(operate_json(local, "flags", "list")) == 3


@pytest.mark.parametrize("name", NAMES)
def test_the_outbox_takes_and_shows_both(local: Local, name: str) -> None:
    local.shop_faults.next(Fault.ERROR_503, times=99, match="PUT ")
    for order in ("numbered", "payable"):
        local.create(order)
    local.work()
    order = name_of(local, name)
    listed = operate(local, "outbox", "list", "--order", order).output
    assert listed.count("\n") == 1
    assert f"\torder {NUMBER} (id {local.orders['numbered']})\tpaid\tpending\t" in listed
    assert [each["order_number"] for each in operate_json(local, "outbox", "list", "--order", order)] == [NUMBER]
    local.shop_faults.clear()
    operate(local, "outbox", "retry", order)
    local.work()
    states = {each["order_number"]: each["state"] for each in operate_json(local, "outbox", "list")}
    assert states == {NUMBER: "delivered", str(local.orders["payable"]): "pending"}
    assert "There is no update" in operate(local, "outbox", "retry", order, code=1).output


def test_doctor_shows_both(local: Local) -> None:
    intent = flagged(local)
    lost = unknown(local, order="payable")
    found = [check["text"] for check in operate_json(local, "doctor", code=1)]
    numbered = f"Order {NUMBER} (id {local.orders['numbered']}) of {local.store.id} ({intent}): Somebody has to look."
    assert numbered in found
    assert any(text.startswith(f"Order {local.orders['payable']} of ") and lost in text for text in found)
