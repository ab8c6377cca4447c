"""What must not be read in a log or a traceback is in no dataclass's `repr`: secrets, and what opens a payment."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.plugins.distributions import ROOT

SECRET = re.compile("(.*_)?(secrets?|password|token|signing_key|api_key|order_key|material|provider_data|next_action)")
TEXT = re.compile(r"\b(str|bytes|dict|Json)\b")
HIDDEN = re.compile(r"field\(.*repr=False.*\)")


def shown_secrets(code: str) -> Iterator[str]:
    """The fields that are named like a secret, can hold one, and are shown."""
    for kind in ast.walk(ast.parse(code)):
        if isinstance(kind, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in kind.decorator_list):
            for field in kind.body:
                if isinstance(field, ast.AnnAssign) and SECRET.fullmatch(name := ast.unparse(field.target)):
                    value = ast.unparse(field.value) if field.value else ""
                    if TEXT.search(ast.unparse(field.annotation)) and not HIDDEN.fullmatch(value):
                        yield f"{kind.name}.{name}"


def test_no_dataclass_shows_a_secret() -> None:
    modules = [path for folder in ("bridge", "schemas") for path in Path(ROOT / folder).rglob("*.py")]
    assert len(modules) > 100
    assert [found for path in modules for found in shown_secrets(path.read_text(encoding="utf-8"))] == []


def test_one_that_does_is_noticed() -> None:
    assert list(shown_secrets("@dataclass(slots=True)\nclass Pair:\n    key: str\n    client_secret: str")) == [
        "Pair.client_secret"
    ]
    hidden = "@dataclass\nclass Pair:\n    api_key: str = field(default='', repr=False)\n    secret: bool = False"
    assert list(shown_secrets(hidden)) == []
