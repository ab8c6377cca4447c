"""What a program imports: no command pays for another one, and no store for another one's adapter."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bridge.cli import group, main

LARGE = {"alembic", "cryptography", "flask", "flask_smorest", "marshmallow", "requests", "sqlalchemy", "stripe"}
IMPORTED = "print(json.dumps(sorted(sys.modules)))"
ONE_SANDBOX_STORE = """
import json, sys
from bridge import Bridge, create_app
from bridge.domain.stores import STORE_OPTIONS, Store
home = sys.argv[1]
bridge = Bridge(
    secret_key=40 * "k", database_url=f"sqlite:///{home}/bridge.db", public_url="http://127.0.0.1", local_http=True
)
store = Store(
    id="", url="https://shop.example", adapter="sandbox", live=False, capture="automatic", identity="", ca_file=None,
    consumer_key="ck_x", consumer_secret="cs_x", settings={"books": f"{home}/books.sqlite"}, options=STORE_OPTIONS,
)
store = bridge.add_store(store, unchecked=True)
app = create_app(bridge, worker=True)
assert app.test_client().get("/bridge/v1/health/ready").status_code in (200, 503)
with app.app_context():
    handle = bridge.services.store(store.id)
    assert handle.adapter and handle.order_book
bridge.close()
"""


def imported(program: str, *arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_no_library_but_the_one_for_commands(arguments: list[str]) -> None:
    run = f"import json, sys\nfrom bridge.cli import main\nmain({arguments!r}, standalone_mode=False)\n"
    found = imported(run + IMPORTED)
    assert {name.partition(".")[0] for name in found} & LARGE == set()
    own = {"bridge", "bridge.version", "bridge.cli", "bridge.cli.lazy_group"}
    assert {name for name in found if name.partition(".")[0] == "bridge"} == own


@pytest.mark.parametrize("commands", [main, group], ids=["wcpay-bridge", "flask bridge"])
def test_help_tells_of_each_command_what_it_tells_itself(commands: click.Group) -> None:
    plain = click.Group("plain", commands=dict(commands.commands))
    context = click.Context(plain)
    expected, shown = context.make_formatter(), context.make_formatter()
    plain.format_commands(context, expected)
    commands.format_commands(context, shown)
    assert shown.getvalue() == expected.getvalue()
    assert "  keys " in shown.getvalue()


def test_a_bridge_imports_no_simulator_and_no_adapter_that_no_store_uses(tmp_path: Path) -> None:
    found = imported(ONE_SANDBOX_STORE + IMPORTED, str(tmp_path))
    assert "bridge.adapters.sandbox" in found
    assert {name for name in found if name.partition(".")[0] in ("stripe", "gunicorn", "hypothesis")} == set()
    others = ("bridge.simulators", "bridge.selftest", "bridge.cli", "bridge.adapters.stripe", "bridge.adapters.forte")
    assert {name for name in found if name.startswith(others)} == set()
