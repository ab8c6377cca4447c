"""`wcpay-bridge demo` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).with_name("wcpay-bridge")


class Demo:
    """A running demo: what it wrote and what it printed. Home and temporary directory are `folder`."""

    def __init__(self, folder: Path, *arguments: str, program: Path = PROGRAM) -> None:
        self.info_file = folder / "info.json"
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            [program, "demo", "--port", "0", "--info", str(self.info_file), *arguments],
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
