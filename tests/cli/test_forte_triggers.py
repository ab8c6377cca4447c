"""`forte triggers`, as the owner of a project uses it; and the relay of the documentation, from Forte to the order."""

import os
import re
import socket
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.simulators.forte_platform import FortePlatformSimulator
from bridge.simulators.server import serve
from tests.cli.forte_shop import API_KEY, manage, platform
from tests.plugins.commandline import CommandLine
from tests.plugins.local import Local, MakeLocal

DOCUMENTATION = Path(__file__).parents[2] / "docs/adapters/forte_platform.md"
RELAY_SECRET = "CanaryOfTheRelay0123456789abcdef"
BOTH = ["PAYMENT_COMPLETED", "PAYMENT_REFUNDED"]


class Owner:
    """Who manages the triggers of one store's project."""

    def __init__(
        self,
        cli: CommandLine,
        local: Local,
        forte: FortePlatformSimulator,
        service: Callable[..., str],
        url: str,
    ) -> None:
        self.cli, self.local, self.forte, self.service, self.url = cli, local, forte, service, url

    def run(self, verb: str, *arguments: str, **kwargs: Any) -> Any:
        return self.cli.run("forte", "triggers", verb, "--store", self.local.store.id, *arguments, **kwargs)

    def json(self, verb: str, *arguments: str) -> Any:
        return self.cli.json("forte", "triggers", verb, "--store", self.local.store.id, *arguments)


@pytest.fixture
def owner(cli: CommandLine, make_local: MakeLocal, sqlite_url: str) -> Iterator[Owner]:
    settings = {"trigger_path": "/forte", "relay_secret": RELAY_SECRET}
    with platform(make_local, sqlite_url, **settings) as (local, forte, service, url):
        manage(cli, local, url)
        yield Owner(cli, local, forte, service, url)


def test_triggers_are_made_listed_changed_and_deleted(owner: Owner) -> None:
    service = owner.service()
    assert owner.json("list") == []
    made = owner.json("create", "--service", service)
    assert made == {
        "id": made["id"],
        "name": "wcpay-bridge",
        "service": service,
        "path": "/forte",
        "events": BOTH,
        "enabled": True,
    }
    choices = ("--path", "/x", "--name", "Other", "--event", BOTH[1], "--disabled")
    other = owner.json("create", "--service", service, *choices)
    assert (other["path"], other["name"], other["events"], other["enabled"]) == ("/x", "Other", BOTH[1:], False)
    assert owner.json("list") == [made, other]
    changed = owner.json("update", other["id"], "--enabled", "--event", BOTH[0])
    assert changed == other | {"enabled": True, "events": BOTH[:1]}
    moved = owner.json("update", other["id"], "--name", "B", "--path", "/y", "--service", owner.service())
    assert (moved["name"], moved["path"], moved["service"] != service, moved["enabled"]) == ("B", "/y", True, True)
    assert owner.json("delete", made["id"], "--yes") == {"id": made["id"], "deleted": True}
    assert [trigger["id"] for trigger in owner.json("list")] == [other["id"]]


def test_people_get_one_line_for_each_and_are_asked_before_one_is_deleted(owner: Owner) -> None:
    service = owner.service()
    line = owner.run("create", "--service", service).stdout
    name = line.split("\t")[0]
    assert line == f"{name}\t{service}\t/forte\tPAYMENT_COMPLETED,PAYMENT_REFUNDED\tenabled\twcpay-bridge\n"
    assert owner.run("list").stdout == line
    owner.run("delete", name, stdin="n\n", code=1)
    assert owner.run("list").stdout == line
    told = owner.run("delete", name, stdin="y\n")
    assert told.stderr.endswith(f"Trigger {name} has been deleted.\n")
    assert owner.run("list").stdout == ""


def test_wrong_calls_are_told_apart_from_what_is_refused(owner: Owner) -> None:
    service = owner.service()
    assert "Specify what to change" in owner.run("update", "pmt_trigger_x", code=2).stderr
    assert "--service" in owner.run("create", code=2).stderr
    assert "PAYMENT_LOST" in owner.run("create", "--service", service, "--event", "PAYMENT_LOST", code=2).stderr
    told = owner.run("create", "--service", service, "--path", "forte", code=1)
    assert told.stderr == "Error: Forte does not accept this trigger: targetPath: It has to start with /.\n"
    told = owner.run("create", "--service", "svc_none", code=1)
    assert told.stderr == "Error: There is no service svc_none in this project.\n"
    assert (
        "does not have the trigger pmt_trigger_x" in owner.run("update", "pmt_trigger_x", "--disabled", code=1).stderr
    )
    assert "no payment trigger pmt_trigger_x" in owner.run("delete", "pmt_trigger_x", "--yes", code=1).stderr
    nowhere = owner.cli.run("forte", "triggers", "list", "--store", "nowhere", code=1)
    assert nowhere.stderr == "Error: There is no store nowhere.\n"
    assert API_KEY not in told.output + nowhere.output


def test_a_path_has_to_be_known_from_somewhere(cli: CommandLine, make_local: MakeLocal, sqlite_url: str) -> None:
    with platform(make_local, sqlite_url) as (local, _, service, _):
        manage(cli, local)
        told = cli.run("forte", "triggers", "create", "--store", local.store.id, "--service", service(), code=2)
        assert "Give --path" in told.stderr


def test_the_store_of_another_adapter_has_none(cli: CommandLine, local: Local) -> None:
    manage(cli, local)
    told = cli.run("forte", "triggers", "list", "--store", local.store.id, code=1)
    assert told.stderr == f"Error: Store {local.store.id} has the adapter sandbox; only forte_platform has triggers.\n"


def documented_relay() -> str:
    found = re.search(r"<!-- file: relay.py -->\n```python\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def relay(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the relay of the documentation listens, inside the project. It sends to the bridge outside."""
    module = types.ModuleType("relay")
    exec(compile(documented_relay(), "relay.py", "exec"), module.__dict__)
    monkeypatch.setitem(os.environ, "BRIDGE_URL", f"{owner.url}/bridge/v1/webhooks/{owner.local.store.id}")
    monkeypatch.setitem(os.environ, "RELAY_SECRET", RELAY_SECRET)
    owner.local.clock.now = time.time()  # the relay has no other clock
    with serve(module.application) as inside:
        yield inside.url


def test_a_trigger_that_was_made_here_pays_the_order_over_the_relay(owner: Owner, relay: str) -> None:
    owner.run("create", "--service", owner.service(base_url=relay))
    created = owner.local.create().json
    owner.forte.set_stripe_status(owner.forte.payments[0]["id"], "succeeded")
    [attempt] = owner.forte.deliver_due()
    assert (attempt.status, attempt.number) == (200, 1)
    assert owner.local.show(created["id"]).json["status"] == "requires_payment_method"
    owner.local.work()
    assert owner.local.show(created["id"]).json["status"] == "succeeded"
    assert owner.local.order()["status"] == "processing"


def test_88_90_a_trigger_that_comes_twice_or_lies_changes_nothing(owner: Owner, relay: str) -> None:
    owner.run("create", "--service", owner.service(base_url=relay))
    created = owner.local.create().json
    payment = owner.forte.payments[0]["id"]
    for _ in range(2):
        owner.forte.fire(payment, state="COMPLETED")
    assert [attempt.status for attempt in owner.forte.deliver_due()] == [200, 200]
    [message] = owner.cli.json("events", "list")
    assert message["event"]["id"] == f"{payment}:COMPLETED"
    owner.local.work()
    assert owner.local.show(created["id"]).json["status"] == "requires_payment_method"
    assert owner.local.order()["status"] == "pending"


def test_a_trigger_that_the_bridge_does_not_believe_is_sent_again_by_forte(
    owner: Owner, relay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner.run("create", "--service", owner.service(base_url=relay))
    owner.local.create()
    owner.forte.set_stripe_status(owner.forte.payments[0]["id"], "succeeded")
    monkeypatch.setitem(os.environ, "RELAY_SECRET", "Another" + RELAY_SECRET)
    assert [attempt.status for attempt in owner.forte.deliver_due()] == [502]
    assert owner.cli.json("events", "list") == []
    monkeypatch.setitem(os.environ, "RELAY_SECRET", RELAY_SECRET)
    owner.local.clock.advance(60)
    assert [(attempt.status, attempt.number) for attempt in owner.forte.deliver_due()] == [(200, 2)]
    owner.local.work()
    assert owner.local.order()["status"] == "processing"


def test_85_86_nobody_reaches_the_bridge_past_the_relay_with_fortes_header(owner: Owner, relay: str) -> None:
    path = f"/bridge/v1/webhooks/{owner.local.store.id}"
    owner.run("create", "--service", owner.service(base_url=owner.url), "--path", path)
    owner.local.create()
    owner.forte.set_stripe_status(owner.forte.payments[0]["id"], "succeeded")
    assert [attempt.status for attempt in owner.forte.deliver_due()] == [400]
    owner.local.work()
    assert owner.local.order()["status"] == "pending"


def test_the_relay_runs_as_a_program_of_its_own(owner: Owner, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "relay.py").write_text(documented_relay())
    environ = {
        "PORT": str(port),
        "RELAY_SECRET": RELAY_SECRET,
        "BRIDGE_URL": f"{owner.url}/bridge/v1/webhooks/{owner.local.store.id}",
    }
    owner.local.clock.now = time.time()
    owner.run("create", "--service", owner.service(base_url=f"http://127.0.0.1:{port}"), "--path", "/")
    owner.local.create()
    owner.forte.set_stripe_status(owner.forte.payments[0]["id"], "succeeded")
    command = [sys.executable, "-I", str(tmp_path / "relay.py")]
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_it_listens(port)
            assert [attempt.status for attempt in owner.forte.deliver_due()] == [200]
        finally:
            process.kill()
    owner.local.work()
    assert owner.local.order()["status"] == "processing"


def wait_until_it_listens(port: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("nothing listens")
