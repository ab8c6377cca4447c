"""What pages have from the code. `python -m tests.docs.tables` writes it, and a test holds it against today's code."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from flask import Flask

from bridge import Bridge, adapters
from bridge.cli import main
from bridge.cli.demo_hands import TRIGGERS
from bridge.domain.ports import VERBS
from bridge.http.wordpress import error_table
from bridge.http.wordpress.error_table import Row
from bridge.http.wordpress.errors import REFUSALS
from bridge.settings import READERS, Settings
from bridge.version import __version__
from tests.plugins.distributions import ROOT

OURS = ("sandbox", "stripe_connect", "forte_payments", "forte_platform")
THOUSAND = 1000
ROUND = 10.0
"""Percent by which what stands there of the size may be wrong."""


def table(*rows: Iterable[str]) -> str:
    head, *rest = ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rest))


def triggers() -> str:
    rows = [(f"`{name}`", each.does, ", ".join(each.adapters) or "every") for name, each in TRIGGERS.items()]
    return table(("NAME", "What happens", "At stores with"), *rows)


def every_command(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield f"{above}{name}", command
            yield from every_command(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


def commands() -> str:
    rows = []
    for name, command in every_command(main):
        words = [name]
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                words.append(str(parameter.name).upper())
            elif isinstance(parameter, click.Option) and not parameter.is_eager:
                words.append(f"[{'/'.join([*parameter.opts, *parameter.secondary_opts])}]")
        rows.append((f"`{' '.join(words)}`", " ".join((command.help or "").split("\n\n")[0].split())))
    return table(("Command", "Does"), *rows)


def settings() -> str:
    defaults = {field.name: field.default for field in dataclasses.fields(Settings)}
    names = {"public_url": "public_urls"}
    rows = []
    for name in READERS:
        default = defaults[names.get(name, name)]
        if name == "user_agent":
            default = str(default).replace(__version__, "VERSION")
        told = {True: "yes", False: "no", (): "", dataclasses.MISSING: ""}.get(default, default)
        rows.append(
            (
                f"`BRIDGE_{name.upper()}`",
                f"`{told:g}`" if isinstance(told, float) else f"`{told}`" if told != "" else "",
            )
        )
    return table(("Variable", "Default"), *rows)


def routes() -> str:
    app = Flask("host")
    Bridge(secret_key="k" * 32, database_url="sqlite:////nowhere/bridge.sqlite").init_app(app)
    paths: dict[str, Any] = app.test_client().get("/bridge/v1/openapi.json").get_json()["paths"]
    rows = []
    for path, methods in paths.items():
        for method, told in methods.items():
            if isinstance(told, dict) and "responses" in told:
                needs = "" if told.get("security") == [] else "a key"
                rows.append((f"`{method.upper()} {path}`", needs, str(told.get("summary", ""))))
    return table(("Route", "Needs", ""), *sorted(rows, key=lambda row: row[0].partition(" ")[2]))


def errors() -> str:
    rows = {(refusal.code, str(refusal.status), "", refusal.says, refusal.when) for refusal in REFUSALS}
    known = [value for value in vars(error_table).values() if isinstance(value, tuple)]
    for row in (row for failures in known for row in failures if isinstance(row, Row)):
        precise = str(row.precise) if row.precise != row.compatible else ""
        rows.add((row.code or "the provider's", str(row.compatible), precise, row.says, row.error.__name__))
    shown = [(f"`{code}`" if "'" not in code else code, *rest) for code, *rest in sorted(rows)]
    return table(("Code", "Status", "Precise", "Says, for example", "When"), *shown)


def capabilities() -> str:
    known = {name: adapters.load(name) for name in OURS}

    def can(adapter: type[Any], operation: str) -> str:
        return "yes" if operation in adapter.operations else ""

    rows = [(f"`{operation}`", *(can(adapter, operation) for adapter in known.values())) for operation in VERBS]
    declared = ("replay_window", "names_refunds", "names_orders", "tells_mode", "confirmed_by_buyer")
    rows += [(f"`{name}`", *(_told(getattr(adapter, name)) for adapter in known.values())) for name in declared]
    return table(("", *known), *rows)


def _told(value: object) -> str:
    return {True: "yes", False: ""}.get(value, f"{value:g} s") if isinstance(value, bool | float | int) else str(value)  # type: ignore[arg-type]


def adapter_settings() -> str:
    rows = []
    for name in OURS:
        for setting in adapters.load(name).settings:
            default = "required" if setting.default is None else f"`{setting.default}`" if setting.default else ""
            rows.append((name, f"`{setting.name}`", default, setting.help))
    return table(("Adapter", "Setting", "Default", ""), *rows)


PARTS = {
    "the bridge itself": ("bridge", "schemas"),
    "of it, the adapters": ("bridge/adapters",),
    "the demo's world: simulated stores and providers": ("bridge/simulators",),
    "the selftest": ("bridge/selftest",),
    "tests": ("tests",),
}


def lines(part: str) -> int:
    """Lines of Python that are not empty, in thousands."""
    others = [] if part != "the bridge itself" else ["bridge/simulators", "bridge/selftest", "bridge/schemas"]
    count = 0
    for folder in PARTS[part]:
        for file in (ROOT / folder).rglob("*.py"):
            if not any(file.is_relative_to(ROOT / other) for other in others):
                count += sum(bool(line.strip()) for line in file.read_text(encoding="utf-8").splitlines())
    return count


def size() -> str:
    rows = [(part, f"{lines(part) / THOUSAND:.1f}") for part in PARTS]
    return table(("Part", "Thousand lines of Python"), *rows)


PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "docs/demo.md": {"triggers": triggers},
    "docs/reference.md": {
        "capabilities": capabilities,
        "adapter settings": adapter_settings,
        "settings": settings,
        "commands": commands,
        "routes": routes,
        "errors": errors,
    },
}
SIZE = ("README.md", "size")


def replaced(text: str, name: str, made: str) -> str:
    """The page with what was made between its two marks."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, _, rest = text.partition(begin)
    assert rest, f"the page has no mark {begin}"
    return f"{before}{begin}{made}{end}{rest.partition(end)[2]}"


def updated(page: str) -> str:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, make in PAGES[page].items():
        text = replaced(text, name, make())
    return text


if __name__ == "__main__":
    for page in PAGES:
        Path(ROOT / page).write_text(updated(page), encoding="utf-8")
    readme = ROOT / SIZE[0]
    readme.write_text(replaced(readme.read_text(encoding="utf-8"), SIZE[1], size()), encoding="utf-8")
