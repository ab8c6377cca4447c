"""What every battery is given: a seed, a size, databases, child processes, and a folder that goes afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from bridge.selftest.child_process import ChildProcesses
from bridge.selftest.environment import Environment
from bridge.selftest.judge import Fault
from bridge.selftest.leaks import LEAKS, Lookout, listening
from bridge.selftest.postgresql import PostgreSql, drop_database, find_server, new_database
from bridge.selftest.report import Report
from bridge.selftest.system_under_test import BRIDGE, prying
from bridge.selftest.world import Template, World, sqlite_url

Size = Literal["slice", "small", "full"]
Kind = Literal["sqlite", "postgresql"]
MEMORY = Path("/dev/shm")
LARGEST_PARENT = 60
"""The path of a Unix socket may have some hundred bytes in all."""


@dataclass
class RunContext:
    """`kinds` are the databases to test on; `postgres_url` is of a server where databases may be made, None for one of
    our own. Every battery has its own chance from `seed`. All files are made `within` a folder, if one is given."""

    seed: int = 1
    size: Size = "small"
    kinds: tuple[Kind, ...] = ("sqlite",)
    postgres_url: str | None = None
    subject: str = BRIDGE
    within: Path | None = None
    lookout: Lookout = field(init=False, repr=False)
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _count: int = 0
    _lab: Environment | None = field(default=None, repr=False)

    @cached_property
    def folder(self) -> Path:
        wanted = str(self.within or tempfile.gettempdir())
        short = wanted if len(wanted) < LARGEST_PARENT else "/tmp"
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="wcpay-selftest-", dir=short)))

    @cached_property
    def children(self) -> ChildProcesses:
        return self._stack.enter_context(ChildProcesses(self.folder))

    @cached_property
    def template(self) -> Template:
        """A database for worlds without sockets, with its stores."""
        folder = self.new_folder()
        with World(folder, sqlite_url(folder), "template", served=False) as world:
            return world.template(self.folder / "template.sqlite")

    @cached_property
    def _postgres(self) -> PostgreSql:
        return self._stack.enter_context(PostgreSql())

    def present(self, report: Report) -> list[Kind]:
        """The databases that can be had here; the report tells of one that cannot."""
        if "postgresql" in self.kinds and self.postgres_url is None and find_server() is None:
            report.figures["postgresql"] = "skipped: PostgreSQL is not installed"
            return [kind for kind in self.kinds if kind != "postgresql"]
        return list(self.kinds)

    def new_folder(self, within: Path | None = None) -> Path:
        self._count += 1
        folder = (within or self.folder) / str(self._count)
        folder.mkdir()
        return folder

    @contextmanager
    def listening(self, report: Report) -> Iterator[None]:
        """Nothing is logged meanwhile; every line is looked at, and the report hears of what is in it and should
        not be."""
        with listening(self.leaks) as self.lookout:
            yield
            report.violate(f"seed {self.seed}", *(Fault("leaked", found) for found in self.lookout.take()))

    @property
    def leaks(self) -> Path:
        return self.folder / LEAKS

    @contextmanager
    def database(self, kind: Kind, folder: Path) -> Iterator[str]:
        """The URL of a new, empty database."""
        if kind == "sqlite":
            yield (url := sqlite_url(folder))
            self.lookout.look_into(url)
            return
        url = new_database(self.postgres_url) if self.postgres_url else self._postgres.new_url()
        try:
            yield url
            self.lookout.look_into(url)
        finally:
            drop_database(url)

    def owns_database(self, kind: Kind) -> bool:
        """Whether the server is ours to restart."""
        return kind == "postgresql" and self.postgres_url is None

    def restart_database(self) -> None:
        """Everybody's connections are cut, and for a moment there is no server."""
        self._postgres.restart()

    @contextmanager
    def lab(self, seed: str) -> Iterator[Environment]:
        """A world in this process, on SQLite, in memory: no power is cut there.

        The subject has been in other worlds before, but in none where a run broke.
        """
        environment, self._lab = self._lab, None
        if environment is None:
            self._count += 1
            folder = self.memory / str(self._count)
            folder.mkdir()
            environment = Environment(folder, seed, subject=self.subject, template=self.template)
        else:
            environment.begin(seed)
        try:
            yield environment
            for look in prying(environment.world.place):
                environment.request(look)
            self.lookout.look_into(environment.world.place.database_url)
        except BaseException:
            environment.close()
            raise
        self._lab = environment

    @cached_property
    def memory(self) -> Path:
        """A folder in memory, where the system has such a place."""
        if self.within or not os.access(MEMORY, os.W_OK):
            return self.folder
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="wcpay-selftest-", dir=MEMORY)))

    def close(self) -> None:
        if self._lab:
            self._lab.close()
        self._stack.close()

    def __enter__(self) -> "RunContext":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
