"""`cli`: runs `wcpay-bridge` commands in this process against a data directory of the test's own."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.cli import main

PROGRAM = Path(sys.executable).with_name("wcpay-bridge")


@dataclass
class CommandLine:
    """`environ` is what the commands get; nothing of the developer's own. `program` is what runs as a process."""

    environ: dict[str, str | None]
    program: Path = PROGRAM

    def run(self, *arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        told = CliRunner().invoke(main, arguments, env=self.environ, input=stdin)
        if told.exception and not isinstance(told.exception, SystemExit):
            raise told.exception
        assert told.exit_code == code, told.output
        return told

    def json(self, *arguments: str, **kwargs: Any) -> Any:
        return json.loads(self.run(*arguments, "--json", **kwargs).stdout)

    def subprocess_environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"]} | {name: value for name, value in self.environ.items() if value}


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(
        {
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "BRIDGE_ALLOW_PRIVATE_URLS": "yes",
            "BRIDGE_LOCAL_HTTP": "yes",
        }
    )
