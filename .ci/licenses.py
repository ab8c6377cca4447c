"""The license of each package that the bridge runs with, from the packages' own metadata as installed here.

Prints a line for each of requirements.lock; exits 1 if one is not allowed. `ALLOWED` says for whom, where not for all.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([\w.-]+)==([\w.+-]+)(?: ; ([^\\\n]+?))? \\$", re.MULTILINE)
ANYBODY: frozenset[str] = frozenset()
ALLOWED = {
    "MIT": ANYBODY,
    "MIT License": ANYBODY,
    "MIT-0": ANYBODY,
    "BSD License": ANYBODY,
    "BSD-2-Clause": ANYBODY,
    "BSD-3-Clause": ANYBODY,
    "Apache-2.0": ANYBODY,
    "PSF-2.0": ANYBODY,
    # Files of certificates that nobody here changes or ships: what it asks for is met by leaving them as they are.
    "MPL-2.0": frozenset({"certifi"}),
    # An extra that the owner chooses, imported as a library and never bundled.
    "LGPL-3.0-only": frozenset({"psycopg", "psycopg-binary"}),
}


def license_of(name: str) -> str:
    """An SPDX expression where the package has one, else its own words. Raises PackageNotFoundError."""
    package = metadata(name)
    classifiers = [text for text in package.get_all("Classifier", []) if text.startswith("License :: ")]
    named = (text.rpartition(" :: ")[2] for text in classifiers)
    stated = package.get("License") or ""
    return package.get("License-Expression") or ("" if "\n" in stated else stated) or next(named, "")


def is_allowed(expression: str, name: str) -> bool:
    """Of alternatives one has to be, of those that all count each one."""

    def permits(part: str) -> bool:
        return part in ALLOWED and (not ALLOWED[part] or name in ALLOWED[part])

    return any(all(permits(part) for part in choice.split(" AND ")) for choice in expression.split(" OR "))


def main(lock: Path) -> int:
    refused = 0
    for name, version, marker in PIN.findall(lock.read_text()):
        if marker and not Marker(marker).evaluate():
            continue
        try:
            expression = license_of(name)
        except PackageNotFoundError:
            print(f"{name} {version}: not installed, so its license is not known")
            refused += 1
            continue
        allowed = is_allowed(expression, name)
        refused += not allowed
        print(f"{name} {version}: {expression or 'no license stated'}{'' if allowed else ' (NOT ALLOWED)'}")
    return int(refused > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "requirements.lock"))
