"""The locks pin all that setup.cfg, pyproject.toml and package.json ask for, by hash and without naming a host."""

import json
import re

import pytest
from packaging.utils import canonicalize_name

from tests.plugins.distributions import ROOT
from tests.plugins.locks import DEVELOPMENT, RUNTIME, build_requirements, extras, pins, runtime_requirements

PACKAGE_LOCK = (ROOT / "tests" / "clients" / "package-lock.json").read_text()


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [(RUNTIME, [*runtime_requirements(), *build_requirements()]), (DEVELOPMENT, extras("dev"))],
    ids=["runtime", "development"],
)
def test_every_dependency_is_locked_in_a_version_that_is_allowed(lock, requirements) -> None:
    locked = {pin.name: pin.version for pin in pins(lock)}
    assert requirements
    wrong = [
        str(each)
        for each in requirements
        if not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"), prereleases=True)
    ]
    assert wrong == []


def test_the_development_lock_has_the_same_versions_as_the_runtime_lock() -> None:
    runtime, development = (
        {(pin.name, pin.marker): pin.version for pin in pins(lock)} for lock in (RUNTIME, DEVELOPMENT)
    )
    common = runtime.keys() & development.keys()
    assert len(common) > 20
    assert {each: runtime[each] for each in common} == {each: development[each] for each in common}
    names = {name for name, _ in runtime} & {name for name, _ in development}
    assert names == {name for name, _ in common}, "the same package under another marker"


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=["runtime", "development"])
def test_every_locked_version_has_a_hash_and_nothing_else(lock) -> None:
    blocks = [block for block in re.split(r"\n(?=\S)", lock.read_text().strip()) if block]
    plain = re.compile(r"[\w.-]+==[\w.+-]+( ; [\w.'=<>! ]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\\n)?)+")
    assert [block for block in blocks if not plain.fullmatch(block)] == []
    assert len(blocks) == len(pins(lock)) > 20


def test_the_npm_lock_has_integrity_and_no_addresses() -> None:
    packages = {name: package for name, package in json.loads(PACKAGE_LOCK)["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if not package.get("integrity")] == []
    assert "://" not in PACKAGE_LOCK
    assert "resolved" not in PACKAGE_LOCK
