"""A PostgreSQL server of one's own: an unprivileged process in a temporary folder, with a Unix socket there."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

OWNERS = ("postgres", "nobody")
"""Who runs the server when root starts it, which PostgreSQL refuses."""
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}
"""It is thrown away, so that it need not survive a power cut."""
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


def find_server() -> Path | None:
    """The folder with `initdb` and `pg_ctl`: in PATH, else Debian's newest."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    by_version = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda path: float(path.parent.name))
    return next((path for path in reversed(by_version) if (path / "initdb").is_file()), None)


class PostgreSql:
    """The server, until it is closed. Raises RuntimeError if it cannot be started.

    A `durable` one keeps what is committed through a power cut, for who measures what that costs.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="wcpay-pg-"))
        if owner := _unprivileged():
            os.chown(self.folder, owner["user"], owner["group"])
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        where = {"unix_socket_directories": str(self.folder)}
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            for name, value in {**SETTINGS, **(DURABLE if durable else {}), **where}.items():
                file.write(f"{name} = '{value}'\n")
        self._run("pg_ctl", "--log", str(self.folder / "log"), "--wait", "start")

    def new_url(self) -> str:
        """Of a new, empty database."""
        return new_database(f"postgresql+psycopg://postgres@/postgres?host={self.folder}")

    @property
    def pid(self) -> int:
        """Of the process that all others of the server descend from."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def restart(self) -> None:
        """As an operator would in a hurry: connections are cut, what is committed stays."""
        self._run("pg_ctl", "--log", str(self.folder / "log"), "--wait", "--mode=fast", "restart")

    def close(self) -> None:
        self._run("pg_ctl", "--mode=immediate", "--wait", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "PostgreSql":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, program: str, *arguments: str) -> None:
        programs = find_server()
        if programs is None:
            raise RuntimeError("PostgreSQL's programs are not installed")
        command = [str(programs / program), "-D", str(self.folder / "data"), *arguments]
        with tempfile.TemporaryFile() as said:  # no pipe: the server would keep it open
            told = subprocess.run(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                **_unprivileged(),
            )
            said.seek(0)
            if told.returncode:
                raise RuntimeError(f"{program}: {said.read().decode(errors='replace')}")


def new_database(url: str, template: str = "template1") -> str:
    """Make a database beside the one of the URL, empty or with what the `template` has, and answer its URL."""
    from sqlalchemy import create_engine, make_url, text

    name = f"selftest_{secrets.token_hex(6)}"
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    finally:
        engine.dispose()
    return make_url(url).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Drop a database that `new_database` made, whoever is still connected."""
    from sqlalchemy import create_engine, make_url, text

    parsed = make_url(url)
    engine = create_engine(parsed.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{parsed.database}" WITH (FORCE)'))
    finally:
        engine.dispose()


def _unprivileged() -> dict[str, Any]:
    """Arguments for `subprocess` that let root run a command as somebody else; nothing for anybody but root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    owner = next(known[name] for name in OWNERS if name in known)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
