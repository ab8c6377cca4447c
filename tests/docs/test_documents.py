"""The documents say what the program does: states, settings, commands and links are held against the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bridge.cli import main
from bridge.domain.intents import TRANSITIONS, Status
from bridge.settings import READERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
EVERY = sorted(
    [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
)


def diagram() -> str:
    """The table of transitions as a Mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> processing"]
    for old in Status:
        lines += [f"    {old} --> {new}" for new in Status if new in TRANSITIONS[old] and new is not old]
        if not TRANSITIONS[old]:
            lines.append(f"    {old} --> [*]")
    return "\n".join([*lines, "```"])


def test_the_diagram_of_states_is_the_table_of_transitions() -> None:
    assert diagram() in (DOCS / "architecture.md").read_text()


@pytest.mark.parametrize("setting", READERS)
def test_every_setting_is_documented(setting: str) -> None:
    assert f"`BRIDGE_{setting.upper()}`" in (DOCS / "connecting-a-store.md").read_text()


def commands(group: click.Group, above: str = "wcpay-bridge") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}"


@pytest.mark.parametrize("command", list(commands(main)))
def test_every_command_is_documented_and_has_help(command: str) -> None:
    assert f"`{command.removeprefix('wcpay-bridge ')}" in (DOCS / "commands.md").read_text()


@pytest.mark.parametrize("page", EVERY, ids=lambda path: path.name)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    code = re.findall("```.*?```", text, re.DOTALL) + re.findall("`[^`\\n]+`", text)
    named = re.findall(r"wcpay-bridge((?: [a-z][a-z-]*)+)", "\n".join(code))
    assert [words for words in named if not is_command(words.split())] == []


def is_command(words: list[str]) -> bool:
    """Whether a command begins with them, or they with a command and its arguments."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return True


@pytest.mark.parametrize("page", EVERY, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", EVERY, ids=lambda path: path.name)
def test_every_page_can_be_found_from_the_readme(page: Path) -> None:
    reachable, queue = set(), [ROOT / "README.md"]
    while queue:
        current = queue.pop()
        if current in reachable or current.suffix != ".md" or not current.exists():
            continue
        reachable.add(current)
        targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", current.read_text())
        queue += [(current.parent / target).resolve() for target in targets]
    assert page in reachable
