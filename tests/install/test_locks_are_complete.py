"""Nothing is left to be resolved: whatever a locked package needs is locked, for every Python and platform."""

import sys
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.install.environments import Environment
from tests.plugins.locks import (
    DEVELOPMENT,
    RUNTIME,
    Pin,
    build_requirements,
    extras,
    pins,
    runtime_requirements,
)
from tests.plugins.shared import Once

PYTHONS = ("3.11.2", "3.11.4", "3.12.0", "3.13.0", "3.14.0")
PLATFORMS = {
    "Linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "Windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
WANTED = {
    "runtime": ([RUNTIME], [*runtime_requirements(), *build_requirements()]),
    "development": ([RUNTIME, DEVELOPMENT], [*runtime_requirements(), *build_requirements(), *extras("dev")]),
}

Metadata = dict[tuple[str, str], "Needs"]


class Needs:
    """What one version of a package says that it needs."""

    def __init__(self, metadata: str) -> None:
        headers = HeaderParser().parsestr(metadata)
        self.requirements = [Requirement(line) for line in headers.get_all("Requires-Dist", [])]
        self.python = SpecifierSet(headers.get("Requires-Python", ""))

    def of(self, extras: set[str], environment: dict[str, str]) -> Iterator[Requirement]:
        for each in self.requirements:
            if each.marker is None or any(each.marker.evaluate({**environment, "extra": name}) for name in extras):
                yield each


@pytest.fixture(scope="module")
def metadata(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Metadata:
    """Of every locked version: as installed here, the others (for another Python or platform) from their wheels."""
    found, missing = {}, []
    for pin in {(pin.name, pin.version): pin for lock in (RUNTIME, DEVELOPMENT) for pin in pins(lock)}.values():
        text = _installed(pin)
        if text is None:
            missing.append(pin)
        else:
            found[pin.name, pin.version] = Needs(text)
    wheels = tmp_path_factory.mktemp("wheels")
    for pin in missing:
        found[pin.name, pin.version] = Needs(_downloaded(pin, wheels / pin.name))
    return found


def _installed(pin: Pin) -> str | None:
    try:
        known = distribution(pin.name)
    except PackageNotFoundError:
        return None
    return known.read_text("METADATA") if known.version == pin.version else None


def _downloaded(pin: Pin, folder: Path) -> str:
    folder.mkdir()
    (folder / "wanted").write_text(pin.text.replace(f" ; {pin.marker}", ""))
    here = Environment(Path(sys.prefix))
    here.pip(
        "download",
        "--no-deps",
        "--ignore-requires-python",
        "--require-hashes",
        "-d",
        str(folder),
        "-r",
        str(folder / "wanted"),
    )
    with ZipFile(next(folder.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return wheel.read(name).decode()


def unmet(lock: list[Path], wanted: list[Requirement], metadata: Metadata, environment: dict[str, str]) -> set[str]:
    """What is asked for, by us or by anything locked, and not locked in that version for that environment."""
    locked = {pin.name: pin.version for each in lock for pin in pins(each) if pin.applies(environment)}
    python = environment["python_full_version"]
    wrong = {
        f"{name} {version} does not run on Python {python}"
        for name, version in locked.items()
        if not metadata[name, version].python.contains(python)
    }
    waiting = [*wanted, *map(Requirement, locked)]
    asked: dict[str, set[str]] = {name: set() for name in locked}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in locked or not requirement.specifier.contains(locked[name], prereleases=True):
            wrong.add(f"{name}{requirement.specifier} (locked: {locked.get(name)})")
            continue
        fresh = ({""} | requirement.extras) - asked[name]
        asked[name] |= fresh
        if fresh:
            waiting.extend(metadata[name, locked[name]].of(fresh, environment))
    return wrong


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    for python in PYTHONS:
        for platform, variables in PLATFORMS.items():
            yield (
                f"{python} {platform}",
                {
                    **variables,
                    "python_full_version": python,
                    "python_version": python.rpartition(".")[0],
                    "implementation_version": python,
                    "implementation_name": "cpython",
                    "platform_python_implementation": "CPython",
                    "platform_release": "",
                    "platform_version": "",
                },
            )


@pytest.mark.parametrize("which", WANTED)
def test_whatever_a_locked_package_needs_is_locked(metadata: Metadata, which: str) -> None:
    lock, wanted = WANTED[which]
    found = {name: unmet(lock, wanted, metadata, environment) for name, environment in environments()}
    assert {name: sorted(wrong) for name, wrong in found.items() if wrong} == {}


def test_a_lock_that_lacks_what_an_extra_needs_is_found_out(metadata: Metadata) -> None:
    """The fault that made an installation depend on the day: an extra of a locked package that nobody had locked."""
    (_, environment), *_ = environments()
    wanted = [*WANTED["runtime"][1], Requirement("limits[memcached]")]
    assert unmet([RUNTIME], wanted, metadata, environment) == {"pymemcache<5.0.0,>3 (locked: None)"}
