"""The reference in the guide for adapters, made from the code. `python -m tests.docs.adapter_reference` writes it."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path

import bridge.adapters
from bridge.domain import ports
from bridge.domain.ports import VERBS

GUIDE = Path(__file__).parents[2] / "docs/ADDING_AN_ADAPTER.md"
BEGIN, END = "<!-- reference -->\n", "<!-- end of reference -->\n"


def adapter_body() -> list[ast.stmt]:
    """What stands in the class `Adapter`."""
    (found,) = (
        node
        for node in ast.parse(inspect.getsource(ports)).body
        if isinstance(node, ast.ClassDef) and node.name == "Adapter"
    )
    return found.body


def attributes() -> dict[str, tuple[str, str]]:
    """Type and meaning of each class variable."""
    body = adapter_body()
    return {
        node.target.id: (ast.unparse(node.annotation), joined(told.value.value))
        for node, told in itertools.pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(told, ast.Expr) and isinstance(told.value, ast.Constant) and isinstance(told.value.value, str)
    }


def methods() -> dict[str, tuple[str, str]]:
    """Signature and meaning of each method, as the code has them."""
    found = {}
    for node in adapter_body():
        if isinstance(node, ast.FunctionDef):
            is_property = any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list)
            returns = ast.unparse(node.returns) if node.returns else "None"
            arguments = ast.unparse(node.args).removeprefix("self").removeprefix(", ")
            head = f"{node.name}: {returns}" if is_property else f"{node.name}({arguments}) -> {returns}"
            found[node.name] = (head, ast.get_docstring(node) or "")
    return found


def joined(text: str) -> str:
    return " ".join(text.split())


def section(title: str, names: tuple[str, ...], known: dict[str, tuple[str, str]]) -> Iterator[str]:
    yield f"### {title}\n"
    for name in names:
        head, told = known[name]
        paragraphs = "\n\n".join(joined(paragraph) for paragraph in told.split("\n\n"))
        yield f"```python\n{head}\n```\n\n{textwrap.dedent(paragraphs)}\n"


def reference() -> str:
    """Attributes, then the methods of every operation, then those that every adapter has, then the names."""
    known, seen = methods(), set[str]()
    parts = ["### What it declares\n", "| Attribute | Type | |", "|---|---|---|"]
    parts += [f"| `{name}` | `{kind}` | {told} |" for name, (kind, told) in attributes().items()]
    parts.append("")
    for operation, verbs in VERBS.items():
        if fresh := tuple(verb for verb in verbs if verb not in seen):
            parts += section(f"`{operation}`", fresh, known)
        seen |= set(verbs)
    parts += section("Of every adapter", tuple(name for name in known if name not in seen), known)
    names = ", ".join(f"`{name}`" for name in sorted(bridge.adapters.__all__))
    parts += ["### Names\n", f"Of `bridge.adapters`: {names}.\n"]
    return "\n".join(parts)


def updated(guide: str) -> str:
    """The guide with the reference of today's code."""
    before, _, rest = guide.partition(BEGIN)
    return f"{before}{BEGIN}{reference()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    GUIDE.write_text(updated(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
