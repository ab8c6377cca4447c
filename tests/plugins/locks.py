"""The two locks of Python packages, and what setup.cfg and pyproject.toml ask for."""

import configparser
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.plugins.distributions import ROOT

RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
SHIPPED_EXTRAS = ("postgres", "redis", "metrics")
"""Extras that the runtime lock holds."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked version; `text` is its part of the lock, hashes included."""

    name: str
    version: str
    marker: str
    text: str

    def applies(self, environment: Mapping[str, str]) -> bool:
        return not self.marker or Marker(self.marker).evaluate(dict(environment))


def pins(lock: Path) -> list[Pin]:
    found = re.findall(
        r"^(([\w.-]+)==([\w.+-]+)(?: ; ([^\\\n]+?))? \\\n(?:    --hash.*\n)+)", lock.read_text(), re.MULTILINE
    )
    return [Pin(name, version, marker, text) for text, name, version, marker in found]


def constraints(lock: Path) -> str:
    """A lock without its hashes, as a constraints file for packages that have none."""
    return "".join(f"{pin.name}=={pin.version}{f' ; {pin.marker}' if pin.marker else ''}\n" for pin in pins(lock))


def extras(*names: str) -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return _requirements("\n".join(config["options.extras_require"][name] for name in names).splitlines())


def runtime_requirements() -> list[Requirement]:
    """What setup.cfg asks for, with the extras that the runtime lock holds."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    return [*_requirements(config["options"]["install_requires"].splitlines()), *extras(*SHIPPED_EXTRAS)]


def build_requirements() -> list[Requirement]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return _requirements(tomllib.load(file)["build-system"]["requires"])


def _requirements(lines: Iterable[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines if line.strip()]
