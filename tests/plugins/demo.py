"""`wcpay-bridge demo` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("wcpay-bridge")


def ignoring(numbers: Iterable[signal.Signals]) -> list[str]:
    """A command that runs another one with these signals ignored, as shells and `nohup` do."""
    names = " ".join(number.name.removeprefix("SIG") for number in numbers)
    return ["sh", "-c", f"trap '' {names}; exec \"$@\"", "sh"] if names else []


class Demo:
    """A running demo: what it wrote and what it printed. Home and temporary directory are `folder`; it begins with the
    signals `ignored` ignored."""

    def __init__(
        self, folder: Path, *arguments: str, program: Path = PROGRAM, ignored: Iterable[signal.Signals] = ()
    ) -> None:
        self.info_file = folder / "info.json"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [*ignoring(ignored), program, "demo", "--port", "0", "--info", str(self.info_file), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=environment,
        )
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        self.printed = "".join(lines)
        assert lines, self.process.stderr and self.process.stderr.read()
        self.info: dict[str, Any] = json.loads(self.info_file.read_text())

    def shell(self, script: str) -> str:
        path = f"{PROGRAM.parent}:{os.environ['PATH']}"
        told = subprocess.run(script, shell=True, capture_output=True, text=True, check=False, env={"PATH": path})
        assert told.returncode == 0, told.stderr
        return told.stdout

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Its exit code; `complaints` is what it wrote to stderr."""
        self.process.send_signal(number)
        _, self.complaints = self.process.communicate(timeout=60)
        return self.process.returncode
