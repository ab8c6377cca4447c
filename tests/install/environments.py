"""Empty Python environments, and what pip puts into them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LISTING = """
import importlib.metadata, json
print(json.dumps({each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}))
"""


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment. Its programs get the caller's PATH and pip's own settings, nothing else."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @classmethod
    def make(cls, folder: Path, interpreter: str = sys.executable, pip: str | None = None) -> "Environment":
        """`pip` is a requirement ("pip==23.0.1"); without it the interpreter's own is there."""
        run([interpreter, "-m", "venv", str(folder)])
        made = cls(folder)
        if pip:
            made.pip("install", "--upgrade", pip)
        return made

    def pip(self, *arguments: str, **environment: str) -> str:
        return run([str(self.python), "-m", "pip", *arguments], **environment)

    def installed(self) -> dict[str, str]:
        """Versions by canonical name."""
        listed = json.loads(run([str(self.python), "-I", "-c", LISTING]))
        return {name.lower().replace("_", "-").replace(".", "-"): version for name, version in listed.items()}


def run(command: list[str], *, folder: Path | None = None, **environment: str) -> str:
    """What the command printed. Fails the test with all its output if it fails."""
    told = subprocess.run(
        command, cwd=folder, env=clean_environ() | environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert told.returncode == 0, f"{command}\n{told.stdout}{told.stderr}"
    return told.stdout


def clean_environ() -> dict[str, str]:
    """The caller's PATH, home and settings of pip and uv: those say where packages come from."""
    kept = ("PATH", "HOME", "SSL_CERT_FILE")
    settings = {name: value for name, value in os.environ.items() if name in kept or name.startswith(("PIP_", "UV_"))}
    return {**settings, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
