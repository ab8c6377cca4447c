"""docs/operations.md is followed: on one machine, then on PostgreSQL as on many."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from bridge.selftest.postgresql import drop_database, new_database
from tests.docs.owner import free_port, owner
from tests.docs.reader import PROGRAMS, Block, Elsewhere, NotRun, Paste, Reader, Start, Step, blocks, follow

PAGE = "docs/operations.md"
TOKEN = "t" * 20
RUNBOOK = "tests/orders_change/test_runbook.py::"
RESTORED = "tests/docs/test_operations.py::test_a_backup_is_put_back"


@dataclass(frozen=True)
class Account(Step):
    """The service's user is a folder here, which is its home: only root makes users."""

    home: Path

    def take(self, reader: Reader, block: Block) -> None:
        made, init = block.text.splitlines()
        assert made.startswith("useradd ")
        assert made.endswith("--home-dir /var/lib/bridge bridge")
        self.home.mkdir()
        start = "sudo -H -u bridge /opt/wcpay-bridge/bin/"
        assert init.startswith(start)
        reader.paste(f"HOME={self.home} {init.removeprefix(start)}", where=block.where)
        assert "Database: ready" in reader.complained


@dataclass(frozen=True)
class Unit(Step):
    """A unit of systemd: its program is started with its environment, at its user's home."""

    home: Path

    def take(self, reader: Reader, block: Block) -> None:
        environment = " ".join(re.findall(r"^Environment=(\S+)$", block.text, re.MULTILINE))
        (program,) = re.findall(r"^ExecStart=(.*)$", block.text, re.MULTILINE)
        assert "BRIDGE_TRUSTED_PROXIES=127.0.0.1" in environment
        program = program.replace("/opt/wcpay-bridge/bin", str(PROGRAMS)).replace("127.0.0.1:8080", "127.0.0.1:0")
        reader.start(f"HOME={self.home} {environment} {program}", "Listening at", block.where)


@dataclass(frozen=True)
class OnOneMachine(Step):
    """Pasted where the settings of many machines are not."""

    says: str = ""

    def take(self, reader: Reader, block: Block) -> None:
        unset = "unset BRIDGE_DATABASE_URL BRIDGE_SECRET_KEY"
        said = reader.paste(f"({unset}\n{block.text}\n)", where=block.where)
        assert self.says in said, block.where


@dataclass(frozen=True)
class Scrape(Step):
    """What Prometheus would do with it."""

    port: int

    def take(self, reader: Reader, block: Block) -> None:
        [job] = yaml.safe_load(reader.filled(block.text))["scrape_configs"]
        [target] = job["static_configs"][0]["targets"]
        assert target == f"127.0.0.1:{self.port}"
        told = requests.get(
            f"http://{target}{job['metrics_path']}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20
        )
        assert "wcpay_bridge_outbox_waiting" in told.text


@pytest.fixture
def many_url(postgres_server: Any) -> Iterator[str]:
    url = new_database(postgres_server.admin_url)
    yield url
    drop_database(url)


empty_url = many_url
"""Another one, into which the first is restored."""


@pytest.mark.needs("postgresql", "sqlite3")
def test_the_page_is_followed(tmp_path: Path, many_url: str) -> None:
    with owner(tmp_path) as reader:
        (tmp_path / "backup").mkdir()
        home = tmp_path / "service"
        reader.environ["BRIDGE_METRICS_TOKEN"] = TOKEN
        reader.fills |= {
            "postgresql://bridge@db/bridge": "'" + many_url.replace("+psycopg", "") + "'",
            "/etc/wcpay-bridge.key": f"{tmp_path}/bridge.key",
            "/backup/": f"{tmp_path}/backup/",
            "0.0.0.0:8080": f"127.0.0.1:{free_port()}",
        }
        table = (
            ("wcpay-bridge init", Paste(["Database: ready"])),
            ("BRIDGE_TRUSTED_PROXIES=127.0.0.1 wcpay-bridge serve", Start("Listening at")),
            ("useradd", Account(home)),
            ("[Unit]", Unit(home)),
            ("systemctl", NotRun("it is for root, where systemd runs the machine")),
            ("export BRIDGE_DATABASE_URL", Paste()),
            ("wcpay-bridge init", Paste(["bridge.key", "Database: ready"])),
            ("wcpay-bridge migrate", Paste(["newest schema"])),
            ("wcpay-bridge serve --bind 0.0.0.0:8080 --no-worker", Start("Listening at")),
            ("wcpay-bridge worker", Start("Working")),
            ("umask 077\nsqlite3", Paste()),
            ("umask 077\npg_dump", Paste()),
            ("rm -f", Elsewhere(RESTORED)),
            ("pg_restore", Elsewhere(RESTORED)),
            ("wcpay-bridge reconcile --after-restore", Elsewhere(RESTORED)),
            ("cd ~/.local/share/wcpay-bridge", OnOneMachine()),
            ("wcpay-bridge rekey", OnOneMachine("re-encrypted")),
            ("sed -i", OnOneMachine()),
            ("scrape_configs", Scrape(reader.port)),
            ("wcpay-bridge flags list", Elsewhere(f"{RUNBOOK}test_the_payment_and_its_story_are_named")),
            ("wcpay-bridge reconcile", Elsewhere(f"{RUNBOOK}test_an_order_that_staff_open_again_takes_the_money")),
            ("curl", Elsewhere(f"{RUNBOOK}test_money_that_is_sent_back_needs_nobody")),
            (
                "wcpay-bridge flags clear",
                Elsewhere(f"{RUNBOOK}test_what_was_settled_otherwise_is_kept_with_the_payment"),
            ),
            ("wcpay-bridge audit list", Paste()),
        )
        follow(PAGE, reader, table)
        reader.paste("env -u BRIDGE_DATABASE_URL -u BRIDGE_SECRET_KEY wcpay-bridge audit verify")
        assert len((tmp_path / ".local/share/wcpay-bridge/secret.key").read_text().split(",")) == 1


@pytest.mark.needs("postgresql", "sqlite3")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_backup_is_put_back(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> None:
    """Made twice, and put back in place of a database that has gone on; what has happened since is compared."""
    (tmp_path / "backup").mkdir()
    with owner(tmp_path) as reader:
        urls = (
            [] if database == "sqlite" else [request.getfixturevalue("many_url"), request.getfixturevalue("empty_url")]
        )
        if urls:
            reader.paste(f"export BRIDGE_DATABASE_URL='{urls[0].replace('+psycopg', '')}'")
        reader.paste("wcpay-bridge init")
        reader.paste(
            "wcpay-bridge stores add --url https://shop.example --consumer-key ck_... --adapter sandbox --test",
            stdin=f"{reader.secret}\n",
        )
        back_up, restore = ("sqlite3", "rm -f") if database == "sqlite" else ("pg_dump", "pg_restore")
        reader.fills |= {"/backup/": f"{tmp_path}/backup/"}
        reader.paste(block_with(back_up))
        [backup] = (tmp_path / "backup").iterdir()
        assert backup.stat().st_mode & 0o777 == 0o600
        reader.paste("wcpay-bridge keys create --store shop-example")
        if urls:
            reader.paste(f"export BRIDGE_DATABASE_URL='{urls[1].replace('+psycopg', '')}'")
        reader.fills |= {"BACKUP": backup.stem}
        reader.paste(block_with(restore))
        assert "takes money again" in reader.paste(block_with("wcpay-bridge reconcile --after-restore"))
        assert reader.paste("wcpay-bridge keys list") == ""


def block_with(words: str) -> str:
    [found] = [block.text for block in blocks(PAGE) if any(line.startswith(words) for line in block.text.splitlines())]
    return found
