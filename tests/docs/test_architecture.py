"""The map of the house is true and complete: rooms and what they may import, and the files that pages name."""

import re
from pathlib import Path

import pytest

from tests.repository.directions import LAYERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FREE = {"everything", "the standard library"}


def rooms() -> dict[frozenset[str], set[str]]:
    """Rows of the table of rooms: the rooms, and the words of what they may import."""
    text = (DOCS / "architecture.md").read_text().partition("## Rooms")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`[^|]*) \| [^|]* \| ([^|]*) \|$", text)
    return {frozenset(re.findall(r"`(\w+)`", names)): set(re.split(r"[,;] ", words)) - FREE for names, words in rows}


def test_the_table_of_rooms_is_the_one_that_imports_are_held_against() -> None:
    told = rooms()
    assert told == {layer.rooms: (layer.of_bridge | layer.of_world) - FREE for layer in LAYERS}


def test_every_room_is_in_the_table() -> None:
    there = {
        path.stem for path in (ROOT / "bridge").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert there | {"schemas"} == {room for names in rooms() for room in names}


@pytest.mark.parametrize("page", ["architecture.md", "finding-your-way.md"])
def test_every_file_that_the_page_names_is_there(page: str) -> None:
    named = re.findall(r"`((?:bridge|schemas|tests)/[\w/]*(?:[\w.]+\.\w+)?)(?::(\w+))?`", (DOCS / page).read_text())
    assert named
    for path, name in named:
        place = ROOT / path
        assert place.exists(), path
        assert not name or re.search(rf"(?m)^\s*(?:def|class) {name}\b|^{name}(?:: [^=]+)? = ", place.read_text()), (
            f"{path}:{name}"
        )


def test_decisions_are_numbered_and_dated_and_code_cites_only_those() -> None:
    text = (DOCS / "decisions.md").read_text()
    numbers = [int(number) for number in re.findall(r"(?m)^- \*\*D(\d+), \d{4}-\d\d-\d\d\. ", text)]
    assert len(numbers) == len(re.findall(r"(?m)^- \*\*", text))
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    bodies = re.findall(r"(?ms)^- \*\*D\d+, [\d-]+\. (.*?)(?=^- |^## |\Z)", text)
    assert [body for body in bodies if bodies.count(body) > 1] == []  # a merge can leave one twice
    sources = "\n".join(path.read_text() for path in (ROOT / "bridge").rglob("*.py"))
    assert {int(cited) for cited in re.findall(r"\bD(\d{1,3})\b", sources)} <= set(numbers)
