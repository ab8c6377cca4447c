"""What pages have from the code is what the code says today."""

import dataclasses
import re

import pytest

from bridge.settings import READERS, Settings
from tests.docs.tables import PAGES, ROUND, SIZE, size, updated
from tests.plugins.distributions import ROOT


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_what_the_code_says(page: str) -> None:
    assert (ROOT / page).read_text(encoding="utf-8") == updated(page), "python -m tests.docs.tables"


def test_the_readme_says_how_large_it_is() -> None:
    """Nearly: what was written since the table was counted need not be in it at once."""
    text = (ROOT / SIZE[0]).read_text(encoding="utf-8")
    shown = text.partition(f"<!-- {SIZE[1]} -->")[2].partition("<!-- end of")[0]
    rows, true = (dict(re.findall(r"^\| (.*) \| ([\d.]+) \|$", table, re.MULTILINE)) for table in (shown, size()))
    assert rows.keys() == true.keys()
    assert len(rows) > 1
    wrong = {
        part: (said, true[part])
        for part, said in rows.items()
        if abs(float(said) / float(true[part]) - 1) > ROUND / 100
    }
    assert wrong == {}, "python -m tests.docs.tables"


@pytest.mark.parametrize("setting", READERS)
def test_a_default_that_is_told_is_the_codes(setting: str) -> None:
    """In docs/connecting-a-store.md, where settings are explained."""
    page = (ROOT / "docs/connecting-a-store.md").read_text(encoding="utf-8").partition("\n## Settings\n")[2]
    told = {}
    for names, defaults in re.findall(r"^\| (`BRIDGE_.*?) \| (.*?) \|", page, re.MULTILINE):
        told |= dict(zip(names.split(", "), defaults.split(", "), strict=len(names.split(", ")) > 1))
    fields = {field.name: field.default for field in dataclasses.fields(Settings)}
    value = fields["public_urls" if setting == "public_url" else setting]
    said = told[f"`BRIDGE_{setting.upper()}`"].strip("`")
    if value is dataclasses.MISSING:
        assert said
    elif isinstance(value, bool):
        assert said == ("yes" if value else "no")
    elif isinstance(value, float):
        assert float(said) == value
    elif setting == "user_agent":
        assert str(value).startswith(said.partition("VERSION")[0])
    else:
        assert said == (str(value) if value not in ("", ()) else "none")
