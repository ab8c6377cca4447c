"""Asks OSV whether a version that a lock names has a known vulnerability.

Exit codes: 0 every package was asked about and nothing is known; 1 something is known; 3 it could not be asked, wholly
or in part, so that nothing is known about that. OSV's interface: https://google.github.io/osv.dev/post-v1-querybatch/
"""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[1]
OSV = "https://api.osv.dev/v1/querybatch"
CLEAN, FOUND, NOT_ASKED = 0, 1, 3
AT_ONCE = 500
"""Packages in one request; OSV takes 1,000."""
PATIENCE = 20.0
"""Seconds for a connection, and for each part of an answer."""
PIN = re.compile(r"^([\w.-]+)==([\w.+-]+)(?: ; [^\\\n]+?)? \\$", re.MULTILINE)
Package = tuple[str, str, str]
"""Ecosystem, name and version."""


def locked() -> Iterator[Package]:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        yield from (("PyPI", *pin) for pin in PIN.findall((ROOT / lock).read_text()))
    npm = json.loads((ROOT / "tests" / "clients" / "package-lock.json").read_text())["packages"]
    for path, package in npm.items():
        if path:
            yield "npm", path.rpartition("node_modules/")[2], package["version"]


def known(packages: Sequence[Package], url: str) -> dict[Package, list[str]]:
    """Identifiers of advisories. Raises OSError or ValueError if it was not answered for every package."""
    found: dict[Package, list[str]] = {}
    for start in range(0, len(packages), AT_ONCE):
        part = packages[start : start + AT_ONCE]
        queries = [{"package": {"ecosystem": each[0], "name": each[1]}, "version": each[2]} for each in part]
        answer = requests.post(url, json={"queries": queries}, timeout=PATIENCE)
        answer.raise_for_status()
        results: Any = answer.json()["results"]
        for package, result in zip(part, results, strict=True):
            if advisories := [each["id"] for each in result.get("vulns", [])]:
                found[package] = advisories
    return found


def main(url: str) -> int:
    packages = sorted(set(locked()))
    try:
        found = known(packages, url)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        print(
            f"NOT KNOWN: {len(packages)} packages could not be asked about ({type(error).__name__}).", file=sys.stderr
        )
        print("This says nothing about their safety. Try again where the network reaches api.osv.dev.", file=sys.stderr)
        return NOT_ASKED
    for (kind, name, version), advisories in found.items():
        print(f"{kind} {name} {version}: {', '.join(advisories)}")
    print(f"{len(packages)} packages were asked about; {len(found)} have known vulnerabilities.")
    return FOUND if found else CLEAN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else OSV))
