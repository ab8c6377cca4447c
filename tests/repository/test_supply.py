"""What the packages that we take permit, and what is known of their faults; and that neither check says more than it
knows."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from bridge.simulators.server import serve
from tests.plugins.distributions import ROOT
from tests.plugins.locks import RUNTIME, pins

LICENSES, ADVISORIES = ROOT / ".ci" / "licenses.py", ROOT / ".ci" / "advisories.py"
CLEAN, FOUND, NOT_ASKED = 0, 1, 3


def run(script: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {"PYTHONPATH": str(path)} if path else {}
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, check=False)


def test_the_license_of_every_runtime_package_is_an_allowed_one() -> None:
    told = run(LICENSES)
    assert (told.returncode, told.stderr) == (0, ""), told.stdout
    applying = {pin.name for pin in pins(RUNTIME) if pin.applies({})}
    assert {line.partition(" ")[0] for line in told.stdout.splitlines()} == applying


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("License-Expression: MIT", 0),
        ("License-Expression: GPL-3.0-only OR MIT", 0),
        ("License-Expression: GPL-3.0-only AND MIT", 1),
        ("License-Expression: LGPL-3.0-only", 1),
        ("Classifier: License :: OSI Approved :: GNU Affero General Public License v3", 1),
        ("Summary: of nobody knows what", 1),
    ],
)
def test_a_license_that_is_not_allowed_is_found_out(tmp_path: Path, stated: str, code: int) -> None:
    folder = tmp_path / "example-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: example\nVersion: 1.0\n{stated}\n")
    (lock := tmp_path / "lock").write_text("example==1.0 \\\n    --hash=sha256:0\n")
    assert run(LICENSES, str(lock), path=tmp_path).returncode == code


def test_a_package_that_is_not_installed_is_not_passed_over(tmp_path: Path) -> None:
    (lock := tmp_path / "lock").write_text("not-there-at-all==1.0 \\\n    --hash=sha256:0\n")
    told = run(LICENSES, str(lock))
    assert (told.returncode, "its license is not known" in told.stdout) == (1, True)


@contextmanager
def osv(answer: Any) -> Iterator[str]:
    """A stand-in for OSV's batch interface, which is answered by a function of the queries."""
    app = Flask("osv")
    app.post("/v1/querybatch")(lambda: answer(request.get_json()["queries"]))
    with serve(app) as server:
        yield f"{server.url}/v1/querybatch"


def nothing(queries: list[dict[str, Any]]) -> Any:
    return {"results": [{} for _ in queries]}


def test_every_locked_package_is_asked_about_and_nothing_known_is_clean() -> None:
    asked: list[dict[str, Any]] = []
    with osv(lambda queries: asked.extend(queries) or nothing(queries)) as url:
        told = run(ADVISORIES, url)
    assert (told.returncode, told.stderr) == (CLEAN, "")
    versions = {(each["package"]["name"], each["version"]) for each in asked}
    assert {(pin.name, pin.version) for pin in pins(RUNTIME)} <= versions
    assert {each["package"]["ecosystem"] for each in asked} == {"PyPI", "npm"}
    assert told.stdout == f"{len(asked)} packages were asked about; 0 have known vulnerabilities.\n"


def test_a_known_vulnerability_is_told_by_its_name() -> None:
    def answer(queries: list[dict[str, Any]]) -> Any:
        hit = [{"vulns": [{"id": "PYSEC-1"}]} if each["package"]["name"] == "flask" else {} for each in queries]
        return {"results": hit}

    with osv(answer) as url:
        told = run(ADVISORIES, url)
    assert told.returncode == FOUND
    assert told.stdout.startswith("PyPI flask ")
    assert "PYSEC-1" in told.stdout


ANSWERS = {
    "a fault": lambda _: Response("", 503),
    "a page": lambda _: "<html>log in to this network</html>",
    "another shape": lambda _: {"vulns": []},
    "fewer answers than questions": lambda queries: {"results": nothing(queries)["results"][1:]},
    "no answers": lambda _: Response(json.dumps({"results": None}), content_type="application/json"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_could_not_be_asked_is_not_clean(name: str) -> None:
    with osv(ANSWERS[name]) as url:
        told = run(ADVISORIES, url)
    assert (told.returncode, told.stdout) == (NOT_ASKED, "")
    assert told.stderr.startswith("NOT KNOWN: ")


def test_without_a_network_nothing_is_known() -> None:
    told = run(ADVISORIES, "http://127.0.0.1:9/v1/querybatch")
    assert told.returncode == NOT_ASKED
    assert "says nothing about their safety" in told.stderr
