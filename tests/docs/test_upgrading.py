"""The page about upgrades is followed as it stands, from the first schema on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bridge.selftest.postgresql import drop_database, new_database
from bridge.storage.tables import HEAD
from tests.plugins.commandline import CommandLine
from tests.plugins.distributions import ROOT
from tests.storage.test_killed_migrations import migrated_to

PAGE = (Path(__file__).parents[2] / "docs" / "upgrading.md").read_text()
COMMANDS = [line.strip() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.split("\n")]
COPY = "/tmp/copy.sqlite"
MIGRATE, DOCTOR, MIGRATE_COPY = (command for command in COMMANDS if command)


def paste(cli: CommandLine, command: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of it, where the program is installed."""
    programs = Path(sys.executable).parent
    environment = cli.subprocess_environ() | {"PATH": f"{programs}:{os.environ['PATH']}"}
    return subprocess.run(
        ["sh", "-c", command], env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_upgrade_goes_as_the_page_says(cli: CommandLine, old_url: str) -> None:
    cli.environ |= {"BRIDGE_DATABASE_URL": old_url, "BRIDGE_SECRET_KEY": "k" * 40}
    refused = paste(cli, "wcpay-bridge serve --bind 127.0.0.1:0")
    assert refused.returncode == 1
    said = f"Error: The database is at version 0001, and this program needs {HEAD}. Run `wcpay-bridge migrate` first."
    assert refused.stderr.strip() == said
    assert re.sub(r"\d{4}", "N", said) in re.sub(r"\d{4}", "N", PAGE)

    assert MIGRATE == "wcpay-bridge migrate"
    assert paste(cli, MIGRATE).returncode == 0
    told = paste(cli, DOCTOR)
    assert "shop" in told.stdout
    assert "migrate" not in told.stdout + told.stderr


def test_a_copy_is_migrated_and_the_database_is_not(cli: CommandLine, tmp_path: Path) -> None:
    copy = migrated_to(f"sqlite:///{tmp_path / 'copy.sqlite'}", "0001")
    own = migrated_to(f"sqlite:///{tmp_path / 'own.sqlite'}", "0001")
    cli.environ |= {"BRIDGE_DATABASE_URL": own, "BRIDGE_SECRET_KEY": "k" * 40}
    assert COPY in MIGRATE_COPY
    assert paste(cli, MIGRATE_COPY.replace(COPY, str(tmp_path / "copy.sqlite"))).returncode == 0
    assert (version(copy), version(own)) == (HEAD, "0001")


def version(url: str) -> str:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = str(connection.execute(text("select version_num from alembic_version")).scalar())
    engine.dispose()
    return found


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_command_that_measures_runs_every_migration(request: pytest.FixtureRequest, database: str) -> None:
    """A slice of what it does with a million payments."""
    (program,) = set(re.findall(r"`python (benchmarks/upgrade\.py)`", PAGE))
    if database == "sqlite":
        told = measured(program)
    else:
        url = new_database(request.getfixturevalue("postgres_server").admin_url)
        told = measured(program, "--database", url)
        drop_database(url)
    assert "filled with 300 payments" in told
    assert re.findall(r"^(\d{4}) +\d+\.\d s  \w", told, re.MULTILINE) == [f"{n:04}" for n in range(2, int(HEAD) + 1)]


def measured(program: str, *options: str) -> str:
    wanted = [sys.executable, program, "--payments", "300", "--stores", "10", *options]
    ran = subprocess.run(wanted, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
