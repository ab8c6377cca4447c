"""What a run of the suite has shown of an adapter: a table at its end of what is declared, tested and skipped, and why.

The first test of the suite registers it, so that no conftest.py is needed. Where pytest-xdist runs the tests, its
controller has to know it before: `pytest_plugins = ["bridge.adapters.contract"]` in the topmost conftest.py.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from bridge.domain.ports import VERBS, Adapter

Test = TypeVar("Test", bound=Callable[..., None])
PROPERTY = "bridge.adapters.contract"
"""The name of the property by which a report says of which adapter it is."""
EVERY = "every adapter"
"""What tests are of that require no operation."""
TRAITS = ("replay_window", "names_refunds", "names_orders", "tells_mode", "confirmed_by_buyer")


def requires(*operations: str) -> Callable[[Test], Test]:
    """Have a test skipped for an adapter that lacks one of the operations; it is a test of the first."""

    def remember(test: Test) -> Test:
        test.__dict__["operations"] = operations
        return about(operations[0])(test)

    return remember


def about(operation: str) -> Callable[[Test], Test]:
    """Count a test as one of this operation, whatever the adapter can do."""

    def remember(test: Test) -> Test:
        test.__dict__["about"] = operation
        return test

    return remember


def begin(request: pytest.FixtureRequest, adapter: Adapter) -> None:
    """Say of which adapter the test is, and skip it if that lacks what the test requires."""
    plugins = request.config.pluginmanager
    if not plugins.has_plugin(PROPERTY):
        import bridge.adapters.contract

        plugins.register(bridge.adapters.contract, PROPERTY)
    name = request.function.__name__
    named = (getattr(vars(each).get(name), "about", "") for each in request.cls.__mro__)
    traits = ", ".join(f"{trait}={getattr(adapter, trait, 'missing')}" for trait in TRAITS)
    told = [adapter.name, sorted(adapter.operations), next(filter(None, named), EVERY), traits]
    request.node.user_properties.append((PROPERTY, told))
    for operation in getattr(request.function, "operations", ()):  # an overriding test requires what it says itself
        if operation not in adapter.operations:
            pytest.skip(_not_declared(adapter.name, operation))


def _not_declared(name: str, operation: str) -> str:
    return f"{name} does not declare {operation}"


@dataclass
class _Tested:
    """Of one adapter: outcomes and reasons of skipped tests, by the operation that they are of."""

    name: str
    traits: str = ""
    operations: frozenset[str] = frozenset()
    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        for about in (EVERY, *VERBS):
            outcomes = self.outcomes.get(about, Counter())
            declared = "" if about == EVERY else "declared" if about in self.operations else "not declared"
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
            if about in self.operations and not set(outcomes) - {"skipped"}:
                counts = f"NOT TESTED{f', {counts}' if counts else ''}"
            yield f"{about:<16}{declared:<14}{counts or '-'}"
            for reason, count in sorted(self.reasons.get(about, Counter()).items()):
                if reason == _not_declared(self.name, about):
                    continue
                yield f"{'':<30}{count} skipped: {reason}"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of each adapter that a test of the suite was about."""
    for name, tested in sorted(_tested(terminalreporter.stats).items()):
        terminalreporter.section(f"adapter contract: {name}")
        terminalreporter.line(tested.traits)
        for line in tested.lines():
            terminalreporter.line(line)


def _tested(stats: dict[str, Iterable[Any]]) -> dict[str, _Tested]:
    found: dict[str, _Tested] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in stats.get(outcome, ()):
            for key, told in getattr(report, "user_properties", ()):
                if key == PROPERTY:
                    name, operations, about, traits = told
                    tested = found.setdefault(name, _Tested(name))
                    tested.traits, tested.operations = traits, tested.operations | frozenset(operations)
                    tested.outcomes.setdefault(about, Counter())[outcome] += 1
                    if outcome == "skipped":
                        reason = str(report.longrepr[2]).removeprefix("Skipped: ")
                        tested.reasons.setdefault(about, Counter())[reason] += 1
    return found
