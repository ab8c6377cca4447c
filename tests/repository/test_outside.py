"""What a stranger's tools read: editors, pre-commit, the forms for issues, and no address that nobody has given."""

import configparser
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from tests.plugins.distributions import ROOT
from tests.plugins.locks import DEVELOPMENT, pins

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
FIELDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg")
MAKEFILE = (ROOT / "Makefile").read_text()
SUFFIXES = {
    ".py",
    ".md",
    ".cfg",
    ".toml",
    ".yml",
    ".yaml",
    ".js",
    ".css",
    ".html",
    ".json",
    ".txt",
    ".in",
    ".mako",
    ".lock",
}
NAMES = {"Makefile", "LICENSE", "Dockerfile", ".editorconfig", ".gitignore", ".dockerignore", "run", "tools"}
SKIPPED = {".git", ".venv", "node_modules", "__pycache__", "build", "dist", ".hypothesis"}


def files() -> list[Path]:
    """The project's own text files."""
    return sorted(
        path
        for path in ROOT.rglob("*")
        if not SKIPPED.intersection(path.relative_to(ROOT).parts)
        and not any(part.endswith(("_cache", ".egg-info")) for part in path.relative_to(ROOT).parts)
        and (path.suffix in SUFFIXES or path.name in NAMES)
        and path.is_file()
    )


def editorconfig(path: Path) -> dict[str, str]:
    """The settings of a file: of all sections that match its name, the last one counts."""
    settings: dict[str, str] = {}
    sections = re.split(r"^\[(.+)\]$", (ROOT / ".editorconfig").read_text(), flags=re.MULTILINE)
    for pattern, body in zip(sections[1::2], sections[2::2], strict=True):
        name = path.relative_to(ROOT).as_posix() if "/" in pattern else path.name
        head, _, tail = pattern.partition("{")
        words, _, rest = tail.partition("}")
        if any(fnmatch(name, f"{head}{word}{rest}") for word in words.split(",")):
            settings |= dict(line.split(" = ") for line in body.split("\n") if line)
    return settings


def test_every_file_is_as_the_editorconfig_says() -> None:
    found = files()
    assert len(found) > 500
    wrong = [f"{path.relative_to(ROOT)}: {problem}" for path in found for problem in problems(path)]
    assert wrong == []


def problems(path: Path) -> list[str]:
    content, settings = path.read_bytes(), editorconfig(path)
    assert settings["charset"] == "utf-8"
    lines = content.decode().split("\n")
    return [
        name
        for name, wrong in (
            ("end_of_line", b"\r" in content),
            ("insert_final_newline", content[-1:] not in (b"", b"\n")),
            ("trim_trailing_whitespace", any(line != line.rstrip() for line in lines)),
            ("indent_style", settings["indent_style"] == "space" and any(line.startswith("\t") for line in lines)),
        )
        if wrong
    ]


def test_the_makefile_is_indented_as_make_wants_it() -> None:
    assert editorconfig(ROOT / "Makefile")["indent_style"] == "tab"
    assert editorconfig(ROOT / "setup.cfg")["indent_size"] == "4"
    assert editorconfig(ROOT / "compose.yaml")["indent_size"] == "2"
    assert editorconfig(ROOT / ".ci" / "run")["indent_size"] == "2"
    assert editorconfig(ROOT / ".ci" / "release.py")["indent_size"] == "4"


@pytest.mark.parametrize(("target", "tool"), [("lint", "ruff"), ("types", "mypy")])
def test_pre_commit_runs_the_tools_of_the_lock(target: str, tool: str) -> None:
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local", "another repository brings a version of its own"
    hooks = {hook["entry"]: hook for hook in repo["hooks"]}
    assert hooks.keys() == {"make lint", "make types"}
    assert hooks[f"make {target}"] | {"id": "", "name": ""} == {
        "id": "",
        "name": "",
        "entry": f"make {target}",
        "language": "system",
        "types": ["python"],
        "pass_filenames": False,
    }
    recipe = re.search(rf"^{target}: install .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert recipe
    assert {line.split()[0] for line in recipe[1].splitlines()} == {f"@$(BIN)/{tool}"}
    command = [str(Path(sys.executable).with_name(tool)), "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (locked,) = (pin.version for pin in pins(DEVELOPMENT) if pin.name == tool)
    assert told.split()[1] == locked


@pytest.mark.parametrize("path", [path for path in FORMS if path.name != "config.yml"], ids=lambda path: path.stem)
def test_an_issue_form_is_one_that_can_be_shown(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert form.keys() == {"name", "description", "labels", "body"}
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in form["body"]} <= FIELDS
    ids = [field["id"] for field in fields]
    assert len(set(ids)) == len(ids) > 1
    assert all(field["attributes"]["label"] for field in fields)
    assert any(field.get("validations", {}).get("required") for field in fields)
    for field in fields:
        options = field["attributes"].get("options", [])
        assert bool(options) == (field["type"] == "dropdown")
        assert all(isinstance(option, str) for option in options), "YAML took a word for something else"


def test_a_bug_report_offers_every_adapter_and_sends_vulnerabilities_elsewhere() -> None:
    form = (ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml").read_text()
    adapters = [line.split(" = ")[0] for line in CONFIG["options.entry_points"]["bridge.adapters"].split("\n") if line]
    (options,) = (
        field["attributes"]["options"] for field in yaml.safe_load(form)["body"] if field.get("id") == "adapter"
    )
    assert set(adapters) <= set(options)
    assert "SECURITY.md" in form
    assert yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml").read_text()) == {
        "blank_issues_enabled": False
    }


HOST = r"(?:github|gitlab|readthedocs|codeberg)\.(?:com|io|org)"
ADDRESS = re.compile(rf"{HOST}[/:][\w.-]+/?[\w.-]*", re.IGNORECASE)
PAGES = {".md", ".yml", ".yaml", ".cfg", ".toml", ".in"}


def test_nobody_invents_an_address_of_the_project() -> None:
    pages = [path.read_text() for path in files() if path.suffix in PAGES or path.name == "Dockerfile"]
    told = {found for page in pages for found in ADDRESS.findall(page) if "bridge" in found.lower()}
    address = CONFIG["metadata"]["url"]
    assert {found for found in told if found not in address} == set()
