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
from tests.docs.reader import PROGRAMS, Block, Elsewhere, Paste, Reader, Start, Step, follow

TOKEN = "t" * 20
RUNBOOK = "tests/orders_change/test_runbook.py::"


@dataclass(frozen=True)
class Unit(Step):
    """A unit of systemd: its program is started with its environment."""

    def take(self, reader: Reader, block: Block) -> None:
        environment = " ".join(re.findall(r"^Environment=(\S+)$", block.text, re.MULTILINE))
        (program,) = re.findall(r"^ExecStart=(.*)$", block.text, re.MULTILINE)
        assert "BRIDGE_TRUSTED_PROXIES=127.0.0.1" in environment
        program = program.replace("/opt/wcpay-bridge/bin", str(PROGRAMS)).replace("127.0.0.1:8080", "127.0.0.1:0")
        reader.start(f"{environment} {program}", "Listening at", block.where)


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


@pytest.mark.needs("postgresql", "sqlite3")
def test_the_page_is_followed(tmp_path: Path, many_url: str) -> None:
    with owner(tmp_path) as reader:
        (tmp_path / "backup").mkdir()
        (tmp_path / "bridge.key").write_text("k" * 40)
        (tmp_path / "bridge.key").chmod(0o600)
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
            ("[Unit]", Unit()),
            ("export BRIDGE_DATABASE_URL", Paste()),
            ("wcpay-bridge migrate", Paste(["newest schema"])),
            ("wcpay-bridge serve --bind 0.0.0.0:8080 --no-worker", Start("Listening at")),
            ("wcpay-bridge worker", Start("Working")),
            ("umask 077\nsqlite3", Paste()),
            ("umask 077\npg_dump", Paste()),
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
        an_act = {"wcpay-bridge flags clear": lambda: reader.paste("wcpay-bridge rekey")}
        follow("docs/operations.md", reader, table, an_act)
        reader.paste(
            'pg_restore --list backup/bridge.dump; sqlite3 backup/bridge.sqlite "select * from alembic_version"'
        )
        assert "TABLE DATA public intents" in reader.said
