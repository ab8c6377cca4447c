"""What we ship is what stands in the tree, with `schemas/` installed as `bridge.schemas`, and no test."""

import configparser
import shutil
import tarfile
import zipfile
from importlib.metadata import PathDistribution
from pathlib import Path

from tests.plugins.distributions import NOT_SOURCE, ROOT, Distributions, run

CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg")


def files(folder: str, shipped_as: str) -> set[str]:
    """The tree's files below the folder, named as they are shipped; the link `bridge/schemas` is not followed."""
    paths = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{shipped_as}/{path.relative_to(ROOT / folder)}" for path in paths}


def test_the_wheel_holds_exactly_the_two_packages_of_the_tree(distributions: Distributions) -> None:
    with zipfile.ZipFile(distributions.wheel) as wheel:
        shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == files("bridge", "bridge") | files("schemas", "bridge/schemas")
    assert "bridge/py.typed" in shipped


def test_the_sdist_holds_the_tree_without_tests_and_tools(distributions: Distributions) -> None:
    with tarfile.open(distributions.sdist) as sdist:
        members = [member for member in sdist.getmembers() if not member.isdir()]
    assert all(member.isfile() for member in members)
    shipped = {member.name.partition("/")[2] for member in members}
    code = {name for name in shipped if name.startswith(("bridge/", "schemas/"))}
    assert code == files("bridge", "bridge") | files("schemas", "schemas")
    rest = {name for name in shipped - code if ".egg-info/" not in name}
    assert rest == {"LICENSE", "MANIFEST.in", "PKG-INFO", "README.md", "CHANGELOG.md", "pyproject.toml", "setup.cfg"}


def test_the_tree_and_the_sdist_build_the_same_wheel(distributions: Distributions, tmp_path: Path) -> None:
    source = shutil.copytree(ROOT, tmp_path / "source", symlinks=True, ignore=NOT_SOURCE)
    run("build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(source))
    (direct,) = tmp_path.glob("*.whl")
    assert direct.name == distributions.wheel.name
    assert contents(direct) == contents(distributions.wheel)


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_declares_every_entry_point_and_dependency_of_setup_cfg(installed_wheel: Path) -> None:
    distribution = PathDistribution(next(installed_wheel.glob("wcpay_bridge-*.dist-info")))
    declared = {
        (group, name, value)
        for group, lines in CONFIG["options.entry_points"].items()
        for name, value in (line.split(" = ") for line in lines.split("\n") if line)
    }
    assert {(point.group, point.name, point.value) for point in distribution.entry_points} == declared
    needed = {line.split(";")[0] for line in distribution.requires or [] if "extra ==" not in line}
    assert len(needed) == len(CONFIG["options"]["install_requires"].split())
