"""The sdist and the wheel of this checkout, and the wheel installed in a folder of its own."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugins.shared import Once

ROOT = Path(__file__).parents[2]
NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", ".hypothesis", "__pycache__", "*.egg-info", "node_modules", "build", "dist"
)


@dataclass(frozen=True)
class Distributions:
    sdist: Path
    wheel: Path


def run(*arguments: str) -> None:
    told = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.fixture(scope="session")
def distributions(once: Once) -> Distributions:
    """Built from a copy of the checkout, the wheel from the sdist as an installer would."""

    def make(folder: Path) -> None:
        source = shutil.copytree(ROOT, folder / "source", symlinks=True, ignore=NOT_SOURCE)
        run("build", "--no-isolation", "--outdir", str(folder), str(source))

    folder = once("distributions", make)
    return Distributions(next(folder.glob("*.tar.gz")), next(folder.glob("*.whl")))


@pytest.fixture(scope="session")
def installed_wheel(distributions: Distributions, once: Once) -> Path:
    """A folder to put on PYTHONPATH: the project as installed from its wheel, without its dependencies."""

    def make(folder: Path) -> None:
        wheel = str(distributions.wheel)
        run("pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(folder), wheel)

    return once("installed-wheel", make)
