"""Every block of docs/ADDING_AN_ADAPTER.md is run by a test, or made from the code."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from bridge.version import __version__
from tests.docs.adapter_reference import BEGIN, END
from tests.docs.reader import Block, Elsewhere, Reader, Step, blocks, follow
from tests.plugins.distributions import ROOT

PAGE = "docs/ADDING_AN_ADAPTER.md"
GUIDE = "tests/adapters/test_adding_an_adapter.py::"
PASSES = Elsewhere(f"{GUIDE}test_the_guides_adapters_pass_the_suite")
MADE = Elsewhere(f"{GUIDE}test_the_guides_reference_is_what_the_code_says")


class Project(Step):
    """A pyproject.toml that takes this bridge, and finds the guide's class."""

    def take(self, reader: Reader, block: Block) -> None:
        project = tomllib.loads(block.text)["project"]
        [bridge] = [each for each in map(Requirement, project["dependencies"]) if each.name == "wcpay-bridge"]
        assert bridge.specifier.contains(__version__)
        module, _, name = project["entry-points"]["bridge.adapters"]["acme_pay"].partition(":")
        text = (ROOT / PAGE).read_text()
        assert f"<!-- file: {module}.py -->" in text
        assert f"class {name}(" in text


def test_every_block_is_run(tmp_path: Path) -> None:
    text = (ROOT / PAGE).read_text()
    reference = text[text.index(BEGIN) : text.index(END)]
    made = [block for block in blocks(PAGE) if block.text in reference]
    table = (
        ('"""Acme Pay, as little', PASSES),
        ('"""Acme Pay for wcpay-bridge', PASSES),
        ("import json", PASSES),
        ("===", Elsewhere(f"{GUIDE}test_a_run_ends_with_what_is_declared_tested_and_skipped")),
        ("[project]", Project()),
        *((block.text, MADE) for block in made),
    )
    with Reader(tmp_path) as reader:
        follow(PAGE, reader, table)
