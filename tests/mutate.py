"""`make mutants`: take each rule of tests/mutations.py out of a copy of the project, and run the test that must fail.

The command fails for a mutation that survives, for one that no longer applies, and where a test cannot decide: it was
skipped, did not end, or broke before its first assertion. ARGS names rules or files: `make mutants ARGS=refunds`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from tests.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", ".hypothesis", "*.egg-info", "build", "dist"
)
TEST_TIMEOUT = 900
"""Seconds that one run of tests may take."""


def main(words: Sequence[str]) -> int:
    """Play the mutations whose rule or file contains one of `words`, or all. Returns the exit code of the process."""
    chosen = [each for each in MUTATIONS if not words or any(word in f"{each.rule} {each.file}" for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=LEFT_OUT)
        verdict = _run(copy, sorted({test for each in chosen for test in each.tests}))
        if verdict != "passed":
            print(f"The tests do not pass without a mutation: {verdict}. Run them first.")
            return 1
        killed = sum([_is_killed(copy, each) for each in chosen])
    print(f"{killed} passed, {len(chosen) - killed} failed")
    return int(killed < len(chosen) or not chosen)


def _is_killed(copy: Path, mutation: Mutation) -> bool:
    """Whether every test of the mutation fails while it is applied. Prints the verdict."""
    path = copy / mutation.file
    source = path.read_text()
    why = ""
    try:
        path.write_text(mutation.applied_to(source))
        for test in mutation.tests:
            if (verdict := _run(copy, [test], "-x")) != "failed":
                why = f"SURVIVED {test}" if verdict == "passed" else f"{test}: {verdict}"
                break
    except ValueError as error:
        why = str(error)
    finally:
        path.write_text(source)
    print(f"{'FAILED' if why else 'killed'}  {mutation.rule}  ({mutation.file})", flush=True)
    if why:
        print(f"        {why}", flush=True)
    return not why


def _run(copy: Path, tests: Sequence[str], *options: str) -> str:
    """`passed`, `failed` (by a test's own assertion), or a sentence that says why neither is known."""
    report = copy.parent / "report.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *options, *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=TEST_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end within {TEST_TIMEOUT} s"
    if ended.returncode not in (0, 1) or not report.exists():
        return f"pytest ended with {ended.returncode}: {ended.stdout.decode()[-500:]}"
    suite = next(ElementTree.parse(report).iter("testsuite"))
    count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    if count["errors"] or count["skipped"] == count["tests"]:
        return f"{count['errors']} errors, {count['skipped']} skipped: {ended.stdout.decode()[-500:]}"
    return "failed" if count["failures"] else "passed"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
