"""Who may import whom: the table of the rooms, and the reader of imports that holds every module against it."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
EVERYTHING = frozenset({"everything"})


@dataclass(frozen=True)
class Layer:
    name: str
    rooms: frozenset[str]
    of_bridge: frozenset[str]
    of_world: frozenset[str]


def layer(name: str, rooms: str, of_bridge: str, of_world: str) -> Layer:
    return Layer(name, *(frozenset(words.split()) for words in (rooms, of_bridge, of_world)))


# Beside what stands here, every room may import itself and the standard library.
# fmt: off
LAYERS = (
    #      layer         rooms                               of bridge                  of the world
    layer("wiring",     "__init__ app cli opened_stores runtime server settings store_setup testing version",
                                                             "everything",                  "everything"),
    layer("harness",    "selftest",                          "everything",                  "everything"),
    layer("entry",      "http",
                                                             "web schemas inbound operations reports registry "
                                                             "payments refusals services domain",
                                                             "flask flask_smorest limits prometheus_client"),
    layer("pages",      "web",                               "schemas payments domain", "flask"),
    layer("worker",     "worker",
                                                             "inbound reconcile registry payments "
                                                             "refusals services domain storage", ""),
    layer("operations", "operations",
                                                             "reconcile registry payments "
                                                             "refusals services domain storage", ""),
    layer("reports",    "reports",                           "payments services domain storage", ""),
    layer("reconcile",  "reconcile",                         "registry payments services domain storage", ""),
    layer("inbound",    "inbound",
                                                             "registry payments refusals services "
                                                             "domain storage", ""),
    layer("registry",   "registry",                          "payments key_memory services domain storage", ""),
    layer("use cases",  "payments",                          "services domain storage", ""),
    layer("services",   "services refusals key_memory",      "refusals key_memory domain storage", ""),
    layer("edges",      "adapters stores",                   "outbound schemas domain", "requests stripe"),
    layer("outbound",   "outbound",                          "domain",                  "requests"),
    layer("storage",    "storage",                           "domain",
                                                                              "sqlalchemy cryptography itsdangerous"),
    layer("domain",     "domain",                            "",                        ""),
    layer("schemas",    "schemas",                           "",                        "marshmallow"),
    layer("simulators", "simulators",                        "",                        "flask stripe cryptography"),
)
BROUGHT_BY = {
    "flask":         frozenset({"werkzeug", "jinja2", "markupsafe", "itsdangerous", "click", "blinker"}),
    "flask_smorest": frozenset({"webargs", "marshmallow", "apispec"}),
    "requests":      frozenset({"urllib3"}),
    "sqlalchemy":    frozenset({"alembic"}),
    "stripe":        frozenset({"typing_extensions"}),
}
# fmt: on
ROOMS = {room: each for each in LAYERS for room in each.rooms}
# The contract suite and the fixtures for hosts are shipped, and nothing else needs a test runner.
ONLY_IN = {"pytest": ("bridge.adapters.contract", "bridge.testing")}
STANDARD_LIBRARY = frozenset({*sys.stdlib_module_names, "_typeshed"})


@dataclass(frozen=True)
class Import:
    line: int
    target: str  # dotted, absolute: "bridge.http.auth.Caller" for `from .auth import Caller` in bridge.http
    relative: bool = False


def read_imports(module: str, source: str, *, is_package: bool = False) -> Iterator[Import]:
    """Every import of the source, at the top or in a function, by statement or by `import_module` of a literal."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names):
                yield from (Import(node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(origin, names, level):
                above = package[: len(package) - (level - 1)] if level else []
                base = ".".join([*above, *([origin] if origin else [])])
                yield from (Import(node.lineno, f"{base}.{alias.name}", relative=level > 0) for alias in names)
            case ast.Call(
                ast.Name("import_module" | "__import__") | ast.Attribute(attr="import_module"),
                [ast.Constant(str(target)), *_],
            ):
                yield Import(node.lineno, target)


def complaint(module: str, imported: Import) -> str | None:
    """What is wrong with this import in this module of bridge, or None."""
    room = "__init__" if module == "bridge" else module.split(".")[1]
    ours = ROOMS.get(room)
    if ours is None:
        return f"{room} is no room of the house"
    package = imported.target.partition(".")[0]
    if package == "bridge":
        if room == "schemas" and not imported.relative:
            return "schemas import each other relatively"
        name = imported.target.partition(".")[2].partition(".")[0]
        wanted = name if name in ROOMS else "__init__"
        return None if wanted == room or allows(ours.of_bridge, wanted) else f"{ours.name} may not import {wanted}"
    if package == "schemas":
        return "the name is bridge.schemas"
    if package in ONLY_IN:
        homes = ONLY_IN[package]
        is_at_home = any(f"{module}.".startswith(f"{home}.") for home in homes)
        return None if is_at_home else f"{package} belongs in {' and '.join(homes)}"
    if package in STANDARD_LIBRARY or allows(ours.of_world, package):
        return None
    return f"{ours.name} may not import {package}"


def allows(allowed: frozenset[str], name: str) -> bool:
    return allowed == EVERYTHING or name in allowed or any(name in BROUGHT_BY.get(giver, ()) for giver in allowed)


def modules() -> Iterator[tuple[str, Path]]:
    """Every module that we ship, by the name under which it is imported."""
    for folder, name in ((ROOT / "bridge", "bridge"), (ROOT / "schemas", "bridge.schemas")):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join([name, *(part for part in parts if part != "__init__")]), path


def complaints() -> Iterator[str]:
    """One line for each import in the tree that breaks the table."""
    for module, path in modules():
        for imported in read_imports(module, path.read_text(), is_package=path.name == "__init__.py"):
            if said := complaint(module, imported):
                yield f"{path.relative_to(ROOT)}:{imported.line}: {imported.target}: {said}"
