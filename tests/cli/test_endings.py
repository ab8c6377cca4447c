"""How `serve` and `worker` end: what is in hand is finished, whichever signal asks them to, and however often."""

import os
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from bridge.simulators.faults import Fault
from tests.cli.processes import Shopkeeper, Working, wait_for

ENDINGS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", ENDINGS)
def test_a_server_that_is_asked_to_end_answers_the_request_that_is_under_way(
    shopkeeper: Shopkeeper, number: signal.Signals
) -> None:
    served = shopkeeper.serve("--workers", "2")
    answered = threading.Event()
    shopkeeper.faults.next(Fault.STALLED_AFTER, match="POST /v1/payment_intents", until=answered)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(shopkeeper.create, served.url)
        wait_for(lambda: shopkeeper.stripe.ledger.entries("captured"))
        os.killpg(served.process.pid, number)  # as a terminal does
        wait_for(lambda: any("Handling signal" in line for line in served.log))
        answered.set()
        answer = asking.result()
    assert (answer.status_code, answer.json().get("status")) == (200, "succeeded")
    assert served.process.wait(30) == 0
    assert shopkeeper.shop.order(shopkeeper.orders["payable"])["status"] == "processing"
    assert not any("Traceback" in line for line in served.log)


@pytest.mark.parametrize("again_and_again", [False, True])
@pytest.mark.parametrize("number", ENDINGS)
def test_a_worker_that_is_asked_to_end_finishes_what_it_has_in_hand(
    shopkeeper: Shopkeeper, number: signal.Signals, again_and_again: bool
) -> None:
    served = shopkeeper.serve("--no-worker")
    told = threading.Event()
    shopkeeper.shop_faults.next(Fault.STALLED_AFTER, match="PUT ", until=told)
    assert shopkeeper.create(served.url).status_code == 200
    order_id = shopkeeper.orders["payable"]
    with Working(shopkeeper.cli) as working:
        wait_for(lambda: shopkeeper.shop.order(order_id)["status"] == "processing")
        working.process.send_signal(number)
        told.set()
        deadline = time.monotonic() + 20
        while again_and_again and working.process.poll() is None and time.monotonic() < deadline:
            working.process.send_signal(number)
            with suppress(
                subprocess.TimeoutExpired
            ):  # the shop and the provider are in this process, and have to answer
                working.process.wait(0.001)
        assert working.process.wait(20) == 0
    assert [line for line in working.log[1:] if " INFO [" not in line] == ["All work in progress is done.\n"]
    assert shopkeeper.cli.json("outbox", "list", "--state", "pending") == []


@pytest.mark.parametrize("number", ENDINGS)
def test_a_server_that_is_asked_to_end_finishes_what_its_worker_has_in_hand(
    shopkeeper: Shopkeeper, number: signal.Signals
) -> None:
    told = threading.Event()
    shopkeeper.shop_faults.next(Fault.STALLED_AFTER, match="PUT ", until=told)
    served = shopkeeper.serve()
    assert shopkeeper.create(served.url).status_code == 200
    wait_for(lambda: shopkeeper.shop.order(shopkeeper.orders["payable"])["status"] == "processing")
    os.killpg(served.process.pid, number)
    wait_for(lambda: any("Handling signal" in line for line in served.log))
    told.set()
    assert served.process.wait(30) == 0
    assert shopkeeper.cli.json("outbox", "list", "--state", "pending") == []
