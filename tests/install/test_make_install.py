"""`make install` puts exactly the locked versions into .venv, whatever has come out since, with any pip."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from packaging.markers import default_environment

from tests.install.environments import Environment, run
from tests.install.stubs import write_stub
from tests.plugins.distributions import NOT_SOURCE, ROOT
from tests.plugins.locks import DEVELOPMENT, RUNTIME, pins

# Debian 12's own pip; from Python 3.12 on it cannot run, and 3.12.1 brought 23.2.1.
OLDEST_PIP = "pip==23.0.1" if sys.version_info < (3, 12) else "pip==23.2.1"


@pytest.fixture
def future(tmp_path: Path) -> str:
    """A setting of pip's: the places where it looks besides the index, one more with a newer version of everything."""
    folder = tmp_path / "future"
    folder.mkdir()
    for name in {pin.name for lock in (RUNTIME, DEVELOPMENT) for pin in pins(lock)}:
        write_stub(folder, name)
    return f"{os.environ.get('PIP_FIND_LINKS', '')} {folder}".strip()


@pytest.mark.parametrize("pip", [OLDEST_PIP, "pip"])
def test_exactly_the_locked_versions_are_installed_whatever_came_out_since(
    tmp_path: Path, future: str, pip: str
) -> None:
    checkout = shutil.copytree(ROOT, tmp_path / "checkout", symlinks=True, ignore=NOT_SOURCE)
    installer = Environment.make(tmp_path / "installer", pip=pip)
    command = f"{installer.python} -m pip --python .venv/bin/python"
    run(["make", "install", f"PYTHON={sys.executable}", f"PIP={command}"], folder=checkout, PIP_FIND_LINKS=future)

    here = {key: str(value) for key, value in default_environment().items()}
    locked = {pin.name: pin.version for lock in (RUNTIME, DEVELOPMENT) for pin in pins(lock) if pin.applies(here)}
    installed = Environment(checkout / ".venv").installed()
    assert installed.pop("wcpay-bridge")
    installed.pop("pip")
    assert installed == locked
