"""The locks pin everything that setup.cfg and package.json ask for, by hash and without naming a host."""

import configparser
import json
import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.plugins.distributions import ROOT

LOCK = (ROOT / "requirements.lock").read_text()
PACKAGE_LOCK = (ROOT / "tests" / "clients" / "package-lock.json").read_text()


def asked_for() -> list[Requirement]:
    """Every direct dependency of setup.cfg, of every extra too."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lists = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    return [Requirement(line) for each in lists for line in each.splitlines() if line]


def test_every_dependency_is_locked_in_a_version_that_setup_cfg_allows() -> None:
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", LOCK, re.MULTILINE))
    wrong = [
        str(each)
        for each in asked_for()
        if not each.specifier.contains(locked.get(canonicalize_name(each.name), "0"), prereleases=True)
    ]
    assert wrong == []


def test_every_locked_version_has_a_hash_and_nothing_else() -> None:
    pins = [pin for pin in re.split(r"\n(?=\S)", LOCK.strip()) if pin]
    plain = re.compile(
        r"[\w.-]+(\[[\w,-]+\])?==[\w.+-]+( ; [\w.'=<>! ]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\\n)?)+"
    )
    assert [pin for pin in pins if not plain.fullmatch(pin)] == []
    assert len(pins) > len(asked_for())


def test_the_npm_lock_has_integrity_and_no_addresses() -> None:
    packages = {name: package for name, package in json.loads(PACKAGE_LOCK)["packages"].items() if name}
    assert packages
    assert [name for name, package in packages.items() if not package.get("integrity")] == []
    assert "://" not in PACKAGE_LOCK
    assert "resolved" not in PACKAGE_LOCK
