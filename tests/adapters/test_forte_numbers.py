"""All 118 numbers of the checklist for both Fortes are accounted for: by a test's name, or by a document's reason."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs/adapters"
FORTES = ("forte_payments", "forte_platform")
NUMBERS = range(1, 119)
PAYMENTS, PLATFORM, BOTH = range(1, 65), range(65, 101), range(101, 119)
"""Which numbers are about which Forte."""
_NAME = re.compile(r"^def test_(\d{2,3}(?:_\d{2,3})*)_|^    def test_(\d{2,3}(?:_\d{2,3})*)_", re.MULTILINE)
_ROW = re.compile(r"^\| ([\d, to]+) \| (.{10,}) \|$", re.MULTILINE)


def carried() -> set[int]:
    names = [match for path in TESTS.rglob("test_*.py") for match in _NAME.findall(path.read_text(encoding="utf-8"))]
    return {int(number) for name in names for number in "".join(name).split("_")}


def explained(adapter: str) -> set[int]:
    """The numbers in the document's table "By number", each with a reason."""
    _, _, section = (DOCS / f"{adapter}.md").read_text(encoding="utf-8").partition("## By number")
    found: set[int] = set()
    for numbers, _ in _ROW.findall(section):
        for part in numbers.split(","):
            first, _, last = part.partition(" to ")
            found |= set(range(int(first), int(last or first) + 1))
    return found


def test_every_number_is_carried_by_a_test_or_has_a_reason() -> None:
    assert sorted(set(NUMBERS) - carried() - explained(FORTES[0]) - explained(FORTES[1])) == []


def test_names_and_documents_know_no_other_number() -> None:
    assert sorted((carried() | explained(FORTES[0]) | explained(FORTES[1])) - set(NUMBERS)) == []


@pytest.mark.parametrize(("adapter", "own"), [(FORTES[0], PAYMENTS), (FORTES[1], PLATFORM)])
def test_a_document_gives_reasons_for_its_own_numbers_only(adapter: str, own: range) -> None:
    assert explained(adapter)
    assert sorted(explained(adapter) - set(own) - set(BOTH)) == []
