"""A temporary folder of the whole test run, and what is made in it once for all workers.

Whoever started the run (pytest itself, or the controller of pytest-xdist) makes the folder, holds a lock on `alive` in
it for as long as it lives, and removes the folder at the end.
"""

import fcntl
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FOLDER = pytest.StashKey[Path]()
LONGEST_PARENT = 60  # the path of a Unix socket may have some hundred bytes in all

Once = Callable[[str, Callable[[Path], None]], Path]


def is_worker(config: pytest.Config) -> bool:
    """True in a worker of pytest-xdist, false in the process that was started."""
    return hasattr(config, "workerinput")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on the file: across processes, released when the holder ends in whatever way."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_folder() -> Path:
    """An empty folder through which other users (whom a database server runs as) can pass but not look."""
    wanted = Path(tempfile.gettempdir()).resolve()
    short = len(str(wanted)) < LONGEST_PARENT
    open_to_others = all(path.stat().st_mode & stat.S_IXOTH for path in (wanted, *wanted.parents))
    folder = Path(tempfile.mkdtemp(prefix="wcpay-", dir=wanted if short and open_to_others else "/tmp"))
    folder.chmod(0o711)
    return folder


def pytest_configure(config: pytest.Config) -> None:
    if is_worker(config):
        config.stash[FOLDER] = Path(config.workerinput["shared_folder"])  # type: ignore[attr-defined]
        return
    folder = config.stash[FOLDER] = make_folder()
    alive = locked(folder / "alive")
    alive.__enter__()
    config.add_cleanup(lambda: alive.__exit__(None, None, None))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:  # type: ignore[no-untyped-def]
    node.workerinput["shared_folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if not is_worker(config):
        shutil.rmtree(config.stash[FOLDER], ignore_errors=True)


@pytest.fixture(scope="session")
def once(request: pytest.FixtureRequest) -> Once:
    """`once(name, make)` lets one process of the run call `make(folder)`, and gives everybody that folder."""
    shared = request.config.stash[FOLDER]

    def once(name: str, make: Callable[[Path], None]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with locked(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return once
