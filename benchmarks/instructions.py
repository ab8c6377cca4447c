"""User-mode instructions of one request, counted by valgrind: no other load moves them. The kernel's are not in it.

    valgrind --tool=cachegrind ... python -m benchmarks.instructions SITE JOBS

A process that is being counted forks one for each length of a run. They differ by some requests, and the difference
of their counts is what these cost.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.calls import Failed, Prepared
from benchmarks.lab import Lab, Site
from benchmarks.outside import Outside
from benchmarks.results import Row, rows
from benchmarks.subjects import Subject, decode, encode

PART = "instructions"
MILLIONS = "M instructions"
WARM_UP = 3
COUNTED = re.compile(r"I\s+refs:\s+([\d,]+)")


def missing() -> str:
    """Why nothing can be counted here; nothing if it can."""
    return "" if shutil.which("valgrind") else "valgrind is not installed"


def measure(
    lab: Lab,
    outside: Outside,
    subjects: Sequence[Subject],
    where: Mapping[str, str | int],
    times: int,
    folder: Path,
) -> list[Row]:
    """Raises Failed."""
    jobs = []
    for subject in subjects:
        short = WARM_UP + times
        steps = subject.make(lab, outside, 2 * short + times)
        cut = short * subject.steps
        jobs += [{"app": subject.app, "steps": list(map(encode, part))} for part in (steps[:cut], steps[cut:])]
    counts = _counts(lab.site, jobs, folder)
    found = {}
    for number, subject in enumerate(subjects):
        short_run, long_run = counts[2 * number : 2 * number + 2]
        found[subject.name] = [{MILLIONS: (long_run - short_run) / times / 1e6}]
    return rows(PART, where, found, MILLIONS)


def _counts(site: Site, jobs: Sequence[Mapping[str, Any]], folder: Path) -> list[int]:
    site_file, job_file, done_file = (folder / name for name in ("site.json", "jobs.json", "done.json"))
    site.write(site_file)
    job_file.write_text(json.dumps({"jobs": jobs, "done": str(done_file)}))
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command = [*tool, f"--log-file={folder}/valgrind.%p", sys.executable, "-m", __name__, str(site_file), str(job_file)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise Failed(f"what valgrind counts has failed: {told.stderr[-2000:]}")
    return [_count(folder / f"valgrind.{pid}") for pid in json.loads(done_file.read_text())]


def _count(log: Path) -> int:
    found = COUNTED.search(log.read_text())
    if not found:
        raise Failed("valgrind has not counted a process to its end")
    return int(found[1].replace(",", ""))


def main(site_file: str, job_file: str) -> None:
    """What is counted."""
    lab = Lab(Site.read(Path(site_file)))
    told = json.loads(Path(job_file).read_text())
    prepared = [
        Prepared(lab.apps[job["app"]], lab.bridge, [decode(step) for step in job["steps"]]) for job in told["jobs"]
    ]
    Path(told["done"]).write_text(json.dumps([_fork(each) for each in prepared]))


def _fork(prepared: Prepared) -> int:
    """Do it in a process of its own; which one."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            prepared.run()
            code = 0
        except Failed as failed:
            print(failed, file=sys.stderr, flush=True)
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(1)
    return pid


if __name__ == "__main__":
    main(*sys.argv[1:])
