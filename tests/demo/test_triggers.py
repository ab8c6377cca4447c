"""`demo env` and `demo trigger`, from another terminal."""

import json
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from bridge.cli.console import write_private
from bridge.cli.demo import FOLDER, INFO
from bridge.cli.demo_hands import TRIGGERS
from bridge.cli.demo_world import World
from tests.demo.conftest import DemoStore
from tests.plugins.commandline import CommandLine

OpenStore = Callable[[str], DemoStore]
STATUSES = ("processing",)
LIVES = {
    "sandbox_manual": ("pm_card_visa", {"complete": "successfully captured"}),
    "stripe_connect": (
        "pm_card_pendingRefund",
        {"dispute": "Payment has been disputed", "win-dispute": "closed with status won"},
    ),
    "stripe_connect_destination": (
        "pm_card_visa",
        {"dispute": "Payment has been disputed", "lose-dispute": "closed with status lost"},
    ),
    "forte_payments_widget": ("pm_card_visa", {"pay": "processing"}),
    "forte_platform": (
        "pm_card_visa",
        {"pay": "processing", "refund": "A refund of 10.23 USD was successfully"},
    ),
}


@pytest.fixture
def trigger(world: World, cli: CommandLine) -> Iterator[Callable[..., str]]:
    """Run `demo trigger` beside the world, as if `demo` had started it."""
    (world.directory / INFO).unlink(missing_ok=True)
    write_private(world.directory / INFO, json.dumps(world.info()))
    port = str(urlsplit(world.info()["base_url"]).port)

    def run(*arguments: str, code: int = 0) -> str:
        told = cli.run("demo", *arguments[:1], "--port", port, *arguments[1:], code=code)
        return told.stdout + told.stderr

    yield run
    (world.directory / INFO).unlink()


@pytest.mark.parametrize("name", LIVES)
def test_what_is_triggered_is_in_the_order(open_store: OpenStore, trigger: Callable[..., str], name: str) -> None:
    method, happens = LIVES[name]
    store = open_store(name)
    if store.create(method)["status"] == "requires_capture":
        assert store.becomes("on-hold")
    for what, words in happens.items():
        assert "notifies the bridge" in trigger("trigger", what, str(store.order), "--store", name)
        assert store.becomes(words) if words in STATUSES else store.is_noted(words), what


@pytest.mark.parametrize(("name", "status"), [("cancel", "cancelled"), ("expire", "failed"), ("decline", "failed")])
def test_what_a_buyer_leaves_undone(open_store: OpenStore, trigger: Callable[..., str], name: str, status: str) -> None:
    store = open_store("forte_payments_widget")
    store.create()
    trigger("trigger", name, str(store.order), "--store", "forte_payments_widget")
    assert store.becomes(status)


@pytest.mark.parametrize(
    ("name", "says"), [("complete-refund", "successfully processed"), ("fail-refund", "unsuccessful")]
)
def test_what_becomes_of_a_refund(open_store: OpenStore, trigger: Callable[..., str], name: str, says: str) -> None:
    store = open_store("stripe_connect")
    store.create("pm_card_pendingRefund")
    store.post("refund", order_id=store.order, amount=1023)
    trigger("trigger", name, str(store.order), "--store", "stripe_connect")
    assert store.is_noted(says)


def test_a_card_at_the_reader(open_store: OpenStore, trigger: Callable[..., str]) -> None:
    store = open_store("stripe_connect")
    store.post(f"orders/{store.order}/create_terminal_intent")
    trigger("trigger", "present-card", str(store.order), "--store", "stripe_connect")
    assert store.becomes("on-hold")


def test_every_trigger_is_tried_here() -> None:
    tried = {name for _, happens in LIVES.values() for name in happens}
    others = {"cancel", "expire", "decline", "complete-refund", "fail-refund", "present-card"}
    assert tried | others == TRIGGERS.keys()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("disput", "{order}"), "Did you mean dispute?"),
        (("dispute", "{order}", "--store", "stripe"), "Did you mean stripe_connect?"),
        (("dispute", "999999"), "There is no payment for 999999."),
        (("dispute", "{order}", "--store", "sandbox"), "sandbox has no dispute (there are: complete, cancel)"),
        (("complete", "{order}"), "--store sandbox or stripe_connect"),
        (("win-dispute", "{order}", "--store", "stripe_connect"), "has no dispute yet"),
    ],
)
def test_what_cannot_be_done_is_told(
    open_store: OpenStore, trigger: Callable[..., str], arguments: tuple[str, ...], says: str
) -> None:
    stores = at_the_same_id(open_store, "sandbox", "stripe_connect")
    for store in stores:
        store.create()
    told = trigger("trigger", *(word.format(order=stores[0].order) for word in arguments), code=1)
    assert says in told


def test_of_several_stores_it_is_the_one_where_it_can_happen_or_the_shells_own(
    open_store: OpenStore, trigger: Callable[..., str], cli: CommandLine
) -> None:
    """Whoever pastes one page after the other has paid for the same ids in several stores."""
    sandbox, stripe = stores = at_the_same_id(open_store, "sandbox", "stripe_connect")
    for store in stores:
        store.create()
    cli.environ["STORE"] = str(sandbox.facts["id"])
    assert "Done at stripe_connect" in trigger("trigger", "dispute", str(stripe.order))
    assert stripe.is_noted("Payment has been disputed")
    trigger("trigger", "complete", str(sandbox.order))
    assert sandbox.becomes("completed")
    assert stripe.staff("GET")["status"] == "on-hold"


def at_the_same_id(open_store: OpenStore, *names: str) -> list[DemoStore]:
    """Stores whose order has the same id: each shop counts its own."""
    stores = [open_store(name) for name in names]
    while len({store.order for store in stores}) > 1:
        min(stores, key=lambda store: store.order).__post_init__()
    return stores


def test_env_is_what_the_pages_use(world: World, trigger: Callable[..., str]) -> None:
    lines = [shlex.split(line) for line in trigger("env", "--store", "forte_platform").splitlines()]
    assert all(words[0] == "export" and len(words) == 2 for words in lines)
    told = dict(words[1].split("=", 1) for words in lines)
    facts = world.info()["stores"]["forte_platform"]
    shown = requests.get(
        told["SHOP"] + f"/orders/{told['ORDER']}", auth=tuple(told["KEY"].split(":")), verify=told["CA"], timeout=20
    )
    assert (shown.status_code, shown.json()["number"], told["STORE"]) == (
        200,
        str(facts["orders"]["payable"]),
        facts["id"],
    )
    for name in ("STRIPE", "FORTE", "PLATFORM"):
        assert requests.get(f"{told[name]}/__sim/faults", timeout=20).status_code == 200


def test_a_folder_of_somebody_else_is_not_read(
    cli: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / f"{FOLDER}x"
    folder.mkdir()
    assert "No demo is running" in cli.run("demo", "env", code=1).stderr
    (folder / INFO).write_text(json.dumps(world.info()))
    assert cli.run("demo", "env").stdout.startswith("export KEY=")
    (tmp_path / f"{FOLDER}y").symlink_to(folder)
    assert cli.run("demo", "env").stdout.startswith("export KEY=")
    (tmp_path / f"{FOLDER}z").mkdir()
    (tmp_path / f"{FOLDER}z" / INFO).write_text(json.dumps(world.info()))
    assert "Several demos are running" in cli.run("demo", "env", code=1).stderr
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert "No demo is running" in cli.run("demo", "env", code=1).stderr
