"""The workflows do what `make` does, with actions that cannot change, and with no more rights than they need."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plugins.distributions import ROOT

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted(FOLDER.iterdir())}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
COMMAND = re.compile(r"make [a-z]+( [A-Z]+=([\w.-]+|\"[\w./ -]+\"))*")
STAMPS = (".venv/.runtime", ".venv/.tools")


def on(workflow: dict[Any, Any]) -> dict[str, Any]:
    """What starts it: YAML 1.1 reads the key `on` as true."""
    return workflow[True]


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, workflow in WORKFLOWS.items():
        for job, content in workflow["jobs"].items():
            yield f"{name}/{job}", content


def steps() -> Iterator[dict[str, Any]]:
    for _, job in jobs():
        yield from job.get("steps", [])


RUNS = sorted({step["run"] for step in steps() if "run" in step})


@pytest.fixture(scope="module")
def makefile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Makefile in which everything is installed: a dry run there prints commands and runs none."""
    folder = tmp_path_factory.mktemp("makefile")
    (folder / ".venv").mkdir()
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for stamp in STAMPS:
        (folder / stamp).touch()
    return folder


@pytest.mark.parametrize("run", RUNS)
def test_every_step_is_a_target_of_the_makefile(makefile: Path, run: str) -> None:
    assert COMMAND.fullmatch(run), "one make command, without anything that comes from an event"
    command = ["sh", "-c", run.replace("make ", "make --dry-run ", 1)]
    told = subprocess.run(command, cwd=makefile, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout


def test_the_test_workflow_runs_what_gates_a_change_on_every_python() -> None:
    job = WORKFLOWS["test"]["jobs"]["test"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make tools", "make test"]
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert {"push", "pull_request", "workflow_call"} == on(WORKFLOWS["test"]).keys()
    named = re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.cfg").read_text())
    assert named == PYTHONS


@pytest.mark.parametrize(("name", "days"), [("nightly", "*"), ("weekly", "1")])
def test_what_takes_long_runs_by_itself(name: str, days: str) -> None:
    (schedule,) = on(WORKFLOWS[name])["schedule"]
    minute, hour, *rest = schedule["cron"].split()
    assert minute.isdigit()
    assert hour.isdigit()
    assert rest == ["*", "*", days]


def test_the_nights_and_the_weeks_work_is_what_the_makefile_says() -> None:
    runs = {name: {step["run"].split()[1] for step in _steps_of(name) if "run" in step} for name in WORKFLOWS}
    assert runs["nightly"] == {"tools", "selftest", "test", "mutants"}
    assert runs["weekly"] == {"tools", "newest", "oldest", "advisories"}


def _steps_of(workflow: str) -> list[dict[str, Any]]:
    return [step for job in WORKFLOWS[workflow]["jobs"].values() for step in job.get("steps", [])]


def test_a_step_with_a_condition_runs_in_one_job_of_the_matrix() -> None:
    for name, job in jobs():
        matrix = job.get("strategy", {}).get("matrix", {})
        for key in ("name", "versions"):
            conditions = [step["if"] for step in job.get("steps", []) if key in step.get("if", "")]
            wanted = [f"matrix.{key} == '{value}'" for value in matrix.get(key, [])]
            assert conditions == wanted, name


def test_a_release_is_tested_built_from_its_tag_attested_and_then_published() -> None:
    workflow = WORKFLOWS["release"]
    assert on(workflow) == {"push": {"tags": ["v*"]}}
    test, release = workflow["jobs"]["test"], workflow["jobs"]["release"]
    assert test == {"uses": "./.github/workflows/test.yml"}
    assert release["needs"] == "test"
    assert release["env"] == {"TAG": "${{ github.ref_name }}"}
    made = [step.get("run") or step["uses"].partition("@")[0] for step in release["steps"]]
    assert made[-3:] == ["make release", "actions/attest-build-provenance", "make publish"]
    (attest,) = (step for step in release["steps"] if "attest" in step.get("uses", ""))
    assert attest["with"] == {"subject-path": "dist/*"}


def test_actions_are_pinned_to_a_commit_whose_version_is_told() -> None:
    uses = re.findall(r"uses: (.*)", "\n".join(path.read_text() for path in FOLDER.iterdir()))
    assert len(uses) > 5
    pinned = re.compile(
        r"(?P<action>actions/[\w-]+)@(?P<commit>[0-9a-f]{40}) # v\d+\.\d+\.\d+|\./\.github/workflows/\w+\.yml"
    )
    assert [each for each in uses if not pinned.fullmatch(each)] == []
    versions: dict[str, set[str]] = {}
    for each in uses:
        versions.setdefault(each.partition("@")[0], set()).add(each)
    assert {action: len(found) for action, found in versions.items() if len(found) > 1} == {}


def test_a_workflow_may_read_and_only_a_release_may_write() -> None:
    reads = {"contents": "read"}
    assert [name for name, workflow in WORKFLOWS.items() if workflow["permissions"] != reads] == []
    assert {name: job["permissions"] for name, job in jobs() if "permissions" in job} == {
        "release/release": {"contents": "write", "id-token": "write", "attestations": "write"}
    }
    checkouts = [step for step in steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert {str(step["with"]) for step in checkouts} == {"{'persist-credentials': False}"}


def test_every_job_ends() -> None:
    assert [name for name, job in jobs() if not 0 < job.get("timeout-minutes", 0) < 360 and "uses" not in job] == []
