"""B19, which every battery wears: no secret comes into a log, a database, the metrics or an error.

Every secret of a world has the same mark in it, so that looking is one search. What is found is written into a file,
which the processes of a world share and which outlives them.
"""

import base64
import hashlib
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from sqlalchemy import Text, cast, create_engine, inspect, make_url, select, table

MARK = "5ec2e75ec2e7"
_ENCODED = "|".join(base64.b64encode(b"\0" * at + MARK.encode()).decode()[-(-at * 4 // 3) : -4] for at in range(3))
_SECRET = re.compile(f"{MARK}|{_ENCODED}|_secret_[A-Za-z0-9]{{20}}")
"""As it is, as it stands in a Basic header wherever it begins, and the client secrets that the provider makes up."""
SHOWN = 100
MOST = 20
"""So many secrets in one text are shown."""
LEAKS = "leaks"
"""The file, in the folder of all worlds."""

log = logging.getLogger(__name__)
_STATEMENTS = logging.getLogger("sqlalchemy")
"""It heeds no level but its own."""


def canary(prefix: str, name: str) -> str:
    """A secret with 40 hexadecimal digits after its prefix, and the mark at its end: there Base64 keeps it, too."""
    return prefix + hashlib.sha256(name.encode()).hexdigest()[: 40 - len(MARK)] + MARK


def tells(text: str) -> bool:
    """Whether a secret is in it."""
    return _SECRET.search(text) is not None


class Lookout(logging.Handler):
    """Reads every line that a log would have, and writes down where a secret is in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        self.look(f"the log of {record.name}", self.format(record))

    def look(self, where: str, told: str) -> None:
        for found in islice(_SECRET.finditer(told), MOST):
            context = told[max(found.start() - SHOWN, 0) : found.end()].replace("\n", " ")
            with self._file.open("a") as file:
                file.write(f"{where} tells a secret: {context}\n")

    def look_into(self, url: str) -> None:
        """Every byte of an SQLite database, every row of a PostgreSQL one."""
        for where, told in contents(url):
            self.look(where, told)

    def take(self) -> Iterable[str]:
        """What has been found since the last time."""
        found = dict.fromkeys(self._file.read_text().splitlines()) if self._file.exists() else {}
        self._file.unlink(missing_ok=True)
        return found


def listen(file: Path | str) -> Lookout:
    """From now on everything that this process logs, at DEBUG, is read and goes nowhere else."""
    lookout = Lookout(Path(file))
    logging.root.handlers[:] = [lookout]
    logging.root.setLevel(logging.DEBUG)
    _STATEMENTS.setLevel(logging.DEBUG)
    return lookout


@contextmanager
def listening(file: Path) -> Iterator[Lookout]:
    """The same for a while."""
    handlers, level, statements = logging.root.handlers[:], logging.root.level, _STATEMENTS.level
    try:
        yield listen(file)
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        _STATEMENTS.setLevel(statements)


def contents(url: str) -> Iterator[tuple[str, str]]:
    """Every byte of an SQLite database, every row of a PostgreSQL one, each with where it stands."""
    return _sqlite(url) if url.startswith("sqlite") else _rows(url)


def _sqlite(url: str) -> Iterator[tuple[str, str]]:
    path = Path(url.removeprefix("sqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        yield "the database", file.read_bytes().decode("latin-1")


def _rows(url: str) -> Iterator[tuple[str, str]]:
    engine = create_engine(make_url(url))
    try:
        with engine.connect() as connection:
            for name in inspect(connection).get_table_names():
                for row in connection.execute(select(cast(table(name).table_valued(), Text))).scalars():
                    yield f"the table {name}", row
    finally:
        engine.dispose()
