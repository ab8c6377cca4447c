"""Towns one after the other at the same place, so that on SQLite the stores are added only once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copy

from bridge.selftest.beside.town import Town
from bridge.selftest.run_context import Kind, RunContext
from bridge.selftest.system_under_test import Outlet


class Towns:
    """On one kind of database."""

    def __init__(self, context: RunContext, kind: Kind) -> None:
        self._bench = context
        self._kind = kind
        self._folder = context.new_folder(context.memory)
        self._outlets: Mapping[str, Outlet] | None = None

    @contextmanager
    def open(self, seed: str) -> Iterator[Town]:
        """A new one."""
        for file in self._folder.glob("sandbox-*.sqlite*"):
            file.unlink()
        if self._kind == "sqlite" and self._outlets is None:
            self._outlets = self._make_template()
        with self._bench.database(self._kind, self._folder) as url:
            if self._outlets:
                copy(self._template, url.removeprefix("sqlite:///"))
            with Town(self._folder, url, seed, self._bench.subject, self._outlets) as town:
                yield town

    def _make_template(self) -> Mapping[str, Outlet]:
        url = f"sqlite:///{self._template}"
        with Town(self._folder, url, "template", self._bench.subject, None) as town:
            return dict(town.outlets)

    @property
    def _template(self) -> Path:
        return self._folder / "template"
