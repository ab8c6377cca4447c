"""The changelog can be read by people and by `make release`: versions, dates, kinds of change, adapters by name."""

import re
from datetime import date

import pytest

from bridge.adapters.loading import names
from bridge.version import __version__
from tests.plugins.distributions import ROOT

TEXT = (ROOT / "CHANGELOG.md").read_text()
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
HEADINGS = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)


def test_what_comes_next_stands_above_the_versions_newest_first() -> None:
    assert HEADINGS[0] == "[Unreleased]"
    released = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", heading) for heading in HEADINGS[1:]]
    assert None not in released
    versions = [tuple(int(part) for part in found.groups()[:3]) for found in released if found]
    assert versions == sorted(set(versions), reverse=True)
    assert [date.fromisoformat(found[4]) for found in released if found]


def test_the_version_of_the_tree_has_a_section() -> None:
    assert any(heading.startswith(f"[{__version__}] - ") for heading in HEADINGS)


def test_changes_are_of_the_kinds_that_there_are() -> None:
    kinds = re.findall(r"^### (.*)$", TEXT, re.MULTILINE)
    assert set(kinds) <= KINDS
    assert kinds


@pytest.mark.parametrize("adapter", names())
def test_what_concerns_one_adapter_stands_below_its_name(adapter: str) -> None:
    title = (ROOT / "docs" / "adapters" / f"{adapter}.md").read_text().split("\n")[0].removeprefix("# ")
    assert f"\n**{title}**\n\n- " in TEXT
