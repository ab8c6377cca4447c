"""A release is the committed tree: the same bytes wherever and whenever it is built, with checksums and an SBOM."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from bridge.version import __version__
from tests.plugins.distributions import NOT_SOURCE, ROOT
from tests.plugins.locks import RUNTIME, build_requirements, pins
from tests.plugins.shared import Once

NAME = f"wcpay_bridge-{__version__}"
FILES = {f"{NAME}.tar.gz", f"{NAME}-py3-none-any.whl", f"{NAME}.cdx.json", "SHA256SUMS"}
COMMITTED = "2026-05-04T03:02:02+0000"
EPOCH = 1777863722
GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@shop.example",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@shop.example",
    "GIT_AUTHOR_DATE": COMMITTED,
    "GIT_COMMITTER_DATE": COMMITTED,
}


class Checkout:
    """A repository of its own, with this tree as its one commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = shutil.copytree(ROOT, folder, symlinks=True, ignore=NOT_SOURCE)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit()
        self.git("checkout", "--quiet", "--detach")

    def git(self, *arguments: str) -> None:
        environment = {"PATH": os.environ["PATH"], **GIT}
        subprocess.run(["git", *arguments], cwd=self.folder, env=environment, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "All")

    def reset(self) -> None:
        """Back to the one commit, with nothing beside it."""
        self.git("reset", "--quiet", "--hard", "main")
        self.git("clean", "--quiet", "-fdx")

    def release(self, *arguments: str, umask: int = 0o022, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, ".ci/release.py", *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", **environment},
            umask=umask,
            capture_output=True,
            text=True,
            check=False,
        )

    def built(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in (self.folder / "dist").iterdir()}


@pytest.fixture(scope="module")
def released(once: Once) -> Path:
    """The dist/ of a release."""

    def make(folder: Path) -> None:
        ran = (checkout := Checkout(folder / "checkout")).release()
        assert (ran.returncode, ran.stderr) == (0, "")
        assert sorted(ran.stdout.split()) == sorted(f"dist/{name}" for name in checkout.built())

    return once("release", make) / "checkout" / "dist"


@pytest.fixture(scope="module")
def one_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("release") / "checkout")


@pytest.fixture
def checkout(one_checkout: Checkout) -> Checkout:
    one_checkout.reset()
    return one_checkout


def test_it_has_four_files_and_their_checksums(released: Path) -> None:
    assert {file.name for file in released.iterdir()} == FILES
    sums = dict(reversed(line.split("  ")) for line in (released / "SHA256SUMS").read_text().splitlines())
    assert sums == {name: hashlib.sha256((released / name).read_bytes()).hexdigest() for name in FILES - {"SHA256SUMS"}}


def test_somebody_else_gets_the_same_bytes_elsewhere(released: Path, tmp_path: Path) -> None:
    other = Checkout(tmp_path / "somewhere" / "else")
    for path in other.folder.rglob("*.py"):
        os.utime(path, (1, 1))
    (other.folder / "dist").mkdir()
    (other.folder / "dist" / "of-yesterday.whl").touch()
    ran = other.release(umask=0o077, TZ="Pacific/Auckland", LC_ALL="C", HOME=str(tmp_path))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert other.built() == {file.name: file.read_bytes() for file in released.iterdir()}


def test_every_time_in_it_is_the_commits(released: Path) -> None:
    with tarfile.open(released / f"{NAME}.tar.gz") as sdist:
        members = sdist.getmembers()
    assert {member.mtime for member in members} == {EPOCH}
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    with zipfile.ZipFile(released / f"{NAME}-py3-none-any.whl") as wheel:
        assert {entry.date_time for entry in wheel.infolist()} == {(2026, 5, 4, 3, 2, 2)}
    assert bill(released)["metadata"]["timestamp"] == "2026-05-04T03:02:02+00:00"


def bill(released: Path) -> dict:
    return json.loads((released / f"{NAME}.cdx.json").read_text())


def test_the_bill_of_materials_names_what_the_lock_pins(released: Path) -> None:
    document = bill(released)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    named = {(part["name"], part["version"]) for part in document["components"]}
    assert named == {(canonicalize_name(pin.name), pin.version) for pin in pins(RUNTIME)}
    for part in document["components"]:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        assert part.get("licenses") or part.get("properties"), part  # what another platform needs is not installed here
    licenses = {part["name"]: part.get("licenses") for part in document["components"]}
    assert licenses["psycopg"] == [{"expression": "LGPL-3.0-only"}]
    assert licenses["itsdangerous"] == [{"license": {"name": "BSD License"}}]


def test_the_bill_of_materials_tells_who_needs_what(released: Path) -> None:
    document = bill(released)
    scopes = {part["name"]: part["scope"] for part in document["components"]}
    assert {name: scopes[name] for name in ("flask", "werkzeug", "psycopg-binary", "redis")} == {
        "flask": "required",
        "werkzeug": "required",
        "psycopg-binary": "optional",
        "redis": "optional",
    }
    excluded = {name for name, scope in scopes.items() if scope == "excluded"}
    assert excluded == {canonicalize_name(each.name) for each in build_requirements()}
    names = {part["bom-ref"]: part["name"] for part in document["components"]}
    needs = {entry["ref"]: {names[ref] for ref in entry.get("dependsOn", [])} for entry in document["dependencies"]}
    assert needs.keys() == {*names, "wcpay-bridge"}
    assert needs["wcpay-bridge"] >= {"flask", "stripe", "sqlalchemy", "psycopg", "redis", "prometheus-client"}
    assert "pytest" not in needs["wcpay-bridge"]
    refs = {name: ref for ref, name in names.items()}
    assert needs[refs["flask"]] >= {"werkzeug", "jinja2", "click"}
    assert "psycopg-binary" in needs[refs["psycopg"]]


def test_the_bill_of_materials_is_of_this_wheel(released: Path) -> None:
    component = bill(released)["metadata"]["component"]
    digest = hashlib.sha256((released / f"{NAME}-py3-none-any.whl").read_bytes()).hexdigest()
    assert component["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert (component["name"], component["version"]) == ("wcpay-bridge", __version__)


def test_the_projects_address_comes_from_setup_cfg(released: Path, checkout: Checkout) -> None:
    config = (checkout.folder / "setup.cfg").read_text()
    (own,) = re.findall(r"^url =(.*)$", config, re.MULTILINE)
    told = bill(released)["metadata"]["component"].get("externalReferences", [])
    assert [each["url"] for each in told] == own.split()
    given = re.sub(r"^url =.*$", "url = https://bridge.example", config, flags=re.MULTILINE)
    (checkout.folder / "setup.cfg").write_text(given)
    checkout.commit()
    assert checkout.release().returncode == 0
    document = json.loads(checkout.built()[f"{NAME}.cdx.json"])
    references = document["metadata"]["component"]["externalReferences"]
    assert references == [{"type": "website", "url": "https://bridge.example"}]


def test_what_is_not_committed_is_not_released(checkout: Checkout) -> None:
    (checkout.folder / "bridge" / "extra.py").write_text("")
    ran = checkout.release()
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "Commit first: a release holds what is committed, and something else stands here.\n"
    assert not (checkout.folder / "dist").exists()


@pytest.mark.parametrize(
    ("tag", "changelog", "said"),
    [
        ("v99.0.0", "", f"The tag is v99.0.0, and bridge/version.py says {__version__}."),
        (__version__, "", f"The tag is {__version__}, and bridge/version.py says {__version__}."),
        (f"v{__version__}", "## [Unreleased]\n", f"CHANGELOG.md has no section [{__version__}]."),
        (
            f"v{__version__}",
            f"## [Unreleased]\n\n- One more.\n\n## [{__version__}] - 2026-05-04\n\n- First.\n",
            f"CHANGELOG.md has entries below [Unreleased]: move them below [{__version__}].",
        ),
    ],
)
def test_a_tag_that_does_not_fit_is_refused(checkout: Checkout, tag: str, changelog: str, said: str) -> None:
    (checkout.folder / "CHANGELOG.md").write_text(changelog)
    checkout.commit()
    ran = checkout.release(tag)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", f"{said}\n")
    assert not (checkout.folder / "dist").exists()


def test_a_tagged_release_is_published_with_its_section_of_the_changelog(checkout: Checkout, tmp_path: Path) -> None:
    tag = f"v{__version__}"
    changelog = f"## [Unreleased]\n\n## [{__version__}] - 2026-05-04\n\n- First.\n\n## [0.0.1]\n\n- Old.\n"
    (checkout.folder / "CHANGELOG.md").write_text(changelog)
    checkout.commit()
    assert checkout.release(tag).returncode == 0
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{program.parent}:{os.environ['PATH']}", "TAG": tag}
    ran = subprocess.run(["make", "publish"], cwd=checkout.folder, env=environment, capture_output=True, text=True)
    told = ran.stdout.split("\n")
    assert told[:3] == ["release", "create", tag]
    assert {name.removeprefix("dist/") for name in told if name.startswith("dist/")} == FILES
    notes = told[told.index("--notes-file") + 1]
    assert (checkout.folder / notes).read_text() == "- First.\n"
    assert "--verify-tag" in told
