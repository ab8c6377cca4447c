"""System tools that some tests need: `@pytest.mark.needs("nginx")`, or `require("nginx")` in a fixture.

Without the tool the test is skipped and the run's last line says what to install; with CI=true it fails.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.plugins.postgresql import find_server

PROPERTY = "missing tool"  # on a skipped test's report, which pytest-xdist carries from the worker to the controller


def find_command(*names: str) -> str | None:
    """The first of the commands that is installed, also where only root's PATH looks."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


def find_node() -> str | None:
    return find_command("npm") and find_command("node")


@dataclass(frozen=True)
class Tool:
    title: str
    packages: str
    find: Callable[[], str | None]

    def __str__(self) -> str:
        return f"{self.title} (apt-get install {self.packages})"


TOOLS = {
    "php": Tool("PHP", "php-cli", lambda: find_command("php")),
    "postgresql": Tool("PostgreSQL", "postgresql", find_server),
    "node": Tool("Node.js", "nodejs npm", find_node),
    "apache": Tool("Apache", "apache2-bin", lambda: find_command("apache2")),
    "caddy": Tool("Caddy", "caddy", lambda: find_command("caddy")),
    "nginx": Tool("nginx", "nginx", lambda: find_command("nginx")),
    "systemd": Tool("systemd", "systemd", lambda: find_command("systemd-analyze")),
    "sqlite3": Tool("SQLite's shell", "sqlite3", lambda: find_command("sqlite3")),
    "valgrind": Tool("valgrind", "valgrind", lambda: find_command("valgrind")),
    "chromium": Tool("Chromium", "chromium", lambda: find_command("chromium", "chromium-browser", "google-chrome")),
}


class MissingTool(pytest.skip.Exception):
    """Skips the test, and tells the summary why."""

    def __init__(self, tool: Tool) -> None:
        super().__init__(f"missing: {tool}", _use_item_location=True)
        self.tool = tool


def require(name: str) -> str:
    """The path of a tool of TOOLS; without it the running test is skipped, with CI=true failed."""
    tool = TOOLS[name]
    if found := tool.find():
        return found
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"missing: {tool}", pytrace=False)
    raise MissingTool(tool)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LastLine(), "missing-tools")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            require(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if call.excinfo and isinstance(call.excinfo.value, MissingTool):
        report.user_properties.append((PROPERTY, str(call.excinfo.value.tool)))
    return report


class LastLine:
    """Collects the missing tools of all workers and names them below pytest's own last line."""

    def __init__(self) -> None:
        self.missing: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.missing.update(str(value) for name, value in report.user_properties if name == PROPERTY)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        result = yield
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        if terminal and self.missing:
            terminal.write_line(f"not tested here, missing: {', '.join(sorted(self.missing))}", yellow=True)
        return result
