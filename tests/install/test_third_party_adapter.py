"""An adapter in a package of its own (`tests/third_party`), built and installed from its wheel beside the bridge's.

Nothing is taken from the checkout or the network: what its author does, a day after reading the guide.
"""

import json
import os
import re
import shutil
import sys
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bridge.version import __version__
from tests.install.environments import run
from tests.plugins.distributions import NOT_SOURCE, ROOT
from tests.plugins.shared import Once

PACKAGE = ROOT / "tests/third_party"
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-c", "pyproject.toml")


@pytest.fixture(scope="session")
def installed(installed_wheel: Path, once: Once) -> Path:
    """A folder to put on PYTHONPATH: the bridge's wheel and the package's."""

    def make(folder: Path) -> None:
        source = shutil.copytree(PACKAGE, folder / "source", ignore=NOT_SOURCE)
        built = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
        run([sys.executable, "-m", "pip", "wheel", *built, "--wheel-dir", str(folder / "wheels"), str(source)])
        shutil.copytree(installed_wheel, folder / "installed")
        (wheel,) = (folder / "wheels").glob("*.whl")
        run([sys.executable, "-m", "pip", "install", *built, "--target", str(folder / "installed"), str(wheel)])

    return once("third-party", make) / "installed"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The author's folder without the package itself, so that only the installed one can be imported."""
    return shutil.copytree(PACKAGE, tmp_path / "project", ignore=shutil.ignore_patterns("fjord_pay", "__pycache__"))


def python(installed: Path, folder: Path, *arguments: str) -> str:
    return run([sys.executable, *arguments], folder=folder, PYTHONPATH=str(installed), PYTHONDONTWRITEBYTECODE="1")


def test_its_entry_point_is_found(installed: Path, tmp_path: Path) -> None:
    asked = "from bridge.adapters import load, names; import bridge, json, sys\n"
    asked += "print(json.dumps([names(), sys.modules[load('fjord_pay').__module__].__file__, bridge.__file__]))"
    names, *files = json.loads(python(installed, tmp_path, "-c", asked))
    assert {"fjord_pay", "sandbox"} <= set(names)
    assert all(Path(file).is_relative_to(installed) for file in files)


def test_it_passes_the_suite(installed: Path, project: Path) -> None:
    told = python(installed, project, *PYTEST, "tests")
    assert re.search(r"^5\d passed, \d\d skipped", told, re.MULTILINE), told


MISTAKES = {
    "_outcome(found[0]) if found else None": ("None", ["find_finds_the_attempt_and_no_other"]),
    "tells_mode: ClassVar[bool] = False": (
        "replay_window: ClassVar[float] = 60.0",
        [
            "test_settings_do_not_work_in_live_mode",
            "the_same_key_refunds_once",
            "the_same_request_and_key_charge_nothing_more",
            "a_lost_answer_is_not_a_no_and_the_payment_is_found",
        ],
    ),
    'payment.capture == "manual"': ("False", ["manual_capture_only_holds_the_money"]),
    'code != "not_held"': ('code != ""', ["a_capture_is_done_once", "cancel_of_what_is_paid_tells_so"]),
}
"""What the code says, what a wrong one says in its place, and the tests that find it."""


def test_the_suite_finds_what_it_gets_wrong(installed: Path, project: Path) -> None:
    code = (PACKAGE / "fjord_pay/__init__.py").read_text()
    expected = set[str]()
    for right, (wrong, tests) in MISTAKES.items():
        assert right in code, right
        code = code.replace(right, wrong)
        expected |= {f"test_{name}" for name in tests}
    (project / "fjord_pay").mkdir()
    (project / "fjord_pay/__init__.py").write_text(code)
    with pytest.raises(AssertionError) as caught:
        run(
            [sys.executable, *PYTEST, "tests"],
            folder=project,
            PYTHONPATH=os.pathsep.join((str(project), str(installed))),
            PYTHONDONTWRITEBYTECODE="1",
        )
    assert expected <= set(re.findall(r"^FAILED \S+::(\w+)", str(caught.value), re.MULTILINE)), caught.value


def test_strict_types_hold(installed: Path, tmp_path: Path) -> None:
    options = ("--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"))
    environment = {"MYPYPATH": str(installed)}
    told = run([sys.executable, "-m", "mypy", *options, "-p", "fjord_pay"], folder=tmp_path, **environment)
    assert told.startswith("Success: no issues found in 1 source file"), told


def test_it_asks_for_this_version_of_the_bridge(installed: Path) -> None:
    (metadata,) = installed.glob("wcpay_bridge_fjord_pay-*.dist-info/METADATA")
    needed = [Requirement(text) for text in message_from_string(metadata.read_text()).get_all("Requires-Dist") or []]
    (bound,) = (each.specifier for each in needed if each.name == "wcpay-bridge" and each.marker is None)
    assert bound.contains(__version__)
