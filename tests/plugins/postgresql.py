"""A PostgreSQL server of the test run's own: an unprivileged process in a temporary folder, with a Unix socket there.

`python -m tests.plugins.postgresql FOLDER ALIVE` waits until the lock on the file ALIVE is free, that is until the
test run has ended or was killed, and removes whatever server it left in FOLDER.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

OWNERS = ("postgres", "nobody")  # who runs the server when the tests run as root, which PostgreSQL refuses
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def find_server() -> str | None:
    """The folder with `initdb` and `pg_ctl`: in PATH, else Debian's newest, else where `pg_config` says."""
    if found := shutil.which("initdb"):
        return str(Path(found).resolve().parent)
    by_version = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: float(path.parent.name))
    if pg_config := shutil.which("pg_config"):
        told = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        by_version.insert(0, Path(told.stdout.strip()))
    return next((str(path) for path in reversed(by_version) if (path / "initdb").is_file()), None)


def unprivileged() -> dict[str, Any]:
    """Arguments for `subprocess` that let root run a command as somebody else; nothing for anybody but root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    owner = next(known[name] for name in OWNERS if name in known)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def run(folder: Path, program: str, *arguments: str) -> None:
    log = folder / "log"
    command = [f"{find_server()}/{program}", "-D", str(folder / "data"), *arguments]
    told = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **unprivileged()
    )
    if told.returncode:
        said = log.read_text() if log.exists() else ""
        raise RuntimeError(f"{' '.join(command)}\n{told.stdout}{told.stderr}{said}")


def watch(folder: Path, alive: Path) -> None:
    """Leaves a process behind, nobody's child, that tidies up when the test run is gone, even if it was killed."""
    watcher = [sys.executable, "-m", __name__, str(folder), str(alive)]
    in_background = ["sh", "-c", '"$@" </dev/null >/dev/null 2>&1 &', "sh", *watcher]
    subprocess.run(in_background, cwd=Path(__file__).parents[2], start_new_session=True, check=True)


def start(folder: Path, alive: Path) -> None:
    """Makes a server in the empty folder and starts it: `url` tells where. ALIVE is locked until the test run ends."""
    if owner := unprivileged():
        os.chown(folder, owner["user"], owner["group"])
    folder.chmod(0o700)  # the server trusts everybody who reaches its socket
    watch(folder, alive)
    run(folder, "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    with (folder / "data" / "postgresql.conf").open("a") as file:
        for name, value in {**SETTINGS, "unix_socket_directories": str(folder)}.items():
            file.write(f"{name} = '{value}'\n")
    run(folder, "pg_ctl", "--log", str(folder / "log"), "--wait", "start")


def url(folder: Path) -> str:
    """SQLAlchemy's URL of the folder's server."""
    return f"postgresql+psycopg://postgres@/postgres?host={folder}"


def stop(folder: Path) -> None:
    """Ends the folder's server, if one runs, whatever it is doing."""
    if (folder / "data" / "postmaster.pid").exists():
        run(folder, "pg_ctl", "--mode=immediate", "--wait", "stop")


if __name__ == "__main__":
    server, alive = map(Path, sys.argv[1:])
    with alive.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        stop(server)
        shutil.rmtree(alive.parent, ignore_errors=True)
