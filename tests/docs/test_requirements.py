"""The numbers in the names of tests are those of a page that everybody can read."""

import re
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "docs/adapters"
NO_REQUIREMENT = {"3_d"}
"""How names of tests begin whose number is part of a word: 3-D Secure."""


def numbers(texts: list[str]) -> set[int]:
    return {int(number) for text in texts for number in text.split("_") if number}


def tried() -> set[int]:
    sources = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    names = chain.from_iterable(re.findall(r"(?m)^ *def test_(\d\w+)", source) for source in sources)
    wanted = [name for name in names if not name.startswith(tuple(NO_REQUIREMENT))]
    return numbers([found.group() for name in wanted if (found := re.match(r"(?:\d+_)+", name))])


def listed(page: str, heading: str = "") -> set[int]:
    text = (ADAPTERS / page).read_text().partition(heading)[2] if heading else (ADAPTERS / page).read_text()
    cells = re.findall(r"(?m)^\| ([\d, ]+) \|", text)
    return {int(number) for cell in cells for number in cell.split(",")}


def test_every_requirement_is_tried_or_met_in_another_way_and_every_number_is_on_the_page() -> None:
    known = listed("requirements.md")
    assert known == set(range(1, max(known) + 1))
    assert tried() <= known
    elsewhere = listed("forte_payments.md", "## By number") | listed("forte_platform.md", "## By number")
    assert known - tried() - elsewhere == set()
