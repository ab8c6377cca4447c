"""`init`, `stores add`, `keys create`, `serve`: from nothing to a payment, and through a kill -9."""

import json
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from bridge.simulators.faults import Fault
from tests.cli.processes import KEY, Program, Shopkeeper, wait_for
from tests.plugins.commandline import CommandLine


def test_a_bridge_that_was_set_up_by_hand_takes_a_payment(shopkeeper: Shopkeeper) -> None:
    served = shopkeeper.serve()
    answer = shopkeeper.create(served.url)
    assert answer.status_code == 200, answer.text
    order_id = shopkeeper.orders["payable"]
    assert shopkeeper.shop.wait_until(lambda: shopkeeper.shop.order(order_id)["status"] == "processing")

    def story() -> Any:
        return shopkeeper.cli.json("why", answer.json()["id"])[0]

    assert story()["status"] == "succeeded"
    wait_for(lambda: story()["store_updates"][0]["state"] == "delivered")


def test_a_bridge_killed_after_the_provider_answered_updates_the_shop_when_it_is_back(shopkeeper: Shopkeeper) -> None:
    served = shopkeeper.serve()
    answered = threading.Event()
    shopkeeper.faults.next(Fault.STALLED_AFTER, match="POST /v1/payment_intents", until=answered)

    def ask() -> None:
        with pytest.raises(requests.ConnectionError):
            shopkeeper.create(served.url)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: shopkeeper.stripe.ledger.entries("captured"))
    served.end(signal.SIGKILL)
    answered.set()
    asking.join()
    order_id = shopkeeper.orders["payable"]
    assert shopkeeper.shop.order(order_id)["status"] == "pending"
    shopkeeper.serve()
    done = shopkeeper.shop.wait_until(lambda: shopkeeper.shop.order(order_id)["status"] == "processing", timeout=30)
    assert done
    assert [entry.amount for entry in shopkeeper.stripe.ledger.entries("captured")] == [1023]


@pytest.mark.parametrize("fault", [Fault.DRIP_STATUS, Fault.DRIP_CHUNK])
def test_a_bridge_killed_while_provider_or_shop_drips_loses_nothing(shopkeeper: Shopkeeper, fault: Fault) -> None:
    over = threading.Event()
    shopkeeper.faults.next(fault, match="POST /v1/payment_intents", until=over)
    shopkeeper.shop_faults.next(fault, match="PUT", until=over)
    served, order_id = shopkeeper.serve(), shopkeeper.orders["payable"]

    def ask() -> None:
        with suppress(requests.ConnectionError):
            shopkeeper.create(served.url)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: shopkeeper.faults.injected)
    served.end(signal.SIGKILL)
    asking.join()
    served = shopkeeper.serve()  # it settles, and the shop drips as well
    wait_for(lambda: shopkeeper.shop_faults.injected, 60)
    served.end(signal.SIGKILL)
    over.set()
    shopkeeper.serve()
    wait_for(lambda: [update["state"] for update in shopkeeper.cli.json("outbox", "list")] == ["delivered"], 90)
    assert len(shopkeeper.shop.notes(order_id)) == 1
    assert shopkeeper.shop.order(order_id)["status"] == "processing"
    assert [entry.amount for entry in shopkeeper.stripe.ledger.entries("captured")] == [1023]


def test_sigterm_finishes_what_is_under_way(shopkeeper: Shopkeeper) -> None:
    served = shopkeeper.serve()
    answered = threading.Event()
    shopkeeper.faults.next(Fault.STALLED_AFTER, match="POST /v1/payment_intents", until=answered)
    answers: list[requests.Response] = []
    asking = threading.Thread(target=lambda: answers.append(shopkeeper.create(served.url)))
    asking.start()
    wait_for(lambda: shopkeeper.stripe.ledger.entries("captured"))
    served.process.send_signal(signal.SIGTERM)
    wait_for(lambda: any("Handling signal: term" in line for line in served.log))
    answered.set()
    assert served.process.wait(60) == 0
    asking.join()
    assert answers[0].status_code == 200, answers[0].text


def test_serve_without_a_key_says_what_to_do(cli: CommandLine) -> None:
    told = cli.run("serve", code=1)
    assert "BRIDGE_SECRET_KEY: no secret key. Run `wcpay-bridge init`" in told.stderr


def test_serve_with_another_key_file_says_so(shopkeeper: Shopkeeper) -> None:
    home = shopkeeper.cli.environ["XDG_DATA_HOME"]
    key_file = Path(str(home)) / "wcpay-bridge" / "secret.key"
    key_file.write_text("another key of thirty-two letters or more\n".replace(" ", "-"))
    told = shopkeeper.cli.run("serve", code=1)
    assert told.stderr.startswith("Error: The secret key does not belong to this database")


def test_stores_check_proves_the_set_up(shopkeeper: Shopkeeper) -> None:
    findings = shopkeeper.cli.json("stores", "check", shopkeeper.store["id"])
    assert {finding["ok"] for finding in findings} == {True}, findings
    assert json.dumps(findings).find(KEY) == -1


def test_serve_runs_as_many_processes_as_suit_its_database(cli: CommandLine, database_url: str) -> None:
    cli.environ["BRIDGE_DATABASE_URL"] = database_url
    cli.run("init")
    listens = "Listening at: "
    with Program(cli, listens, "serve", "--bind", "127.0.0.1:0", "--no-worker") as served:
        url = served.begun.split(listens)[1].split(" ")[0]
        wait_for(lambda: requests.get(f"{url}/bridge/v1/health/ready", timeout=60).ok)
        booted = sum("Booting worker" in line for line in served.log)
    assert booted == (1 if database_url.startswith("sqlite") else 2)
