"""Secrets that others could read: key files, the sandbox's books, and what stands on a command line."""

import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.domain.errors import ConfigurationError
from bridge.settings import Settings
from bridge.simulators.certificates import Certificates
from tests.cli.operator import operate
from tests.plugins.commandline import CommandLine
from tests.plugins.local import Local, MakeLocal

KEY = "k" * 48
WARNING = "Warning: {} contains a secret, which the process list and the shell's history show. Better: "
CLOSED, OPEN = (0o600, 0o400, 0o700), (0o644, 0o640, 0o604, 0o660, 0o620, 0o606, 0o602, 0o666, 0o444, 0o440, 0o610)
SECRET = "cs_" + 40 * "5"
Owner = tuple[int, int]
NOBODY = 65534


def key_file(folder: Path, mode: int) -> Path:
    file = folder / "secret key"
    file.write_text(KEY)
    file.chmod(mode)
    return file


def default_file(cli: CommandLine) -> Path:
    return Path(str(cli.environ["XDG_DATA_HOME"])) / "wcpay-bridge" / "secret.key"


@pytest.mark.parametrize("mode", CLOSED + OPEN)
def test_a_key_file_that_others_can_read_stops_the_start(tmp_path: Path, mode: int) -> None:
    file = key_file(tmp_path, mode)
    link = tmp_path / "link"
    link.symlink_to(file)
    wanted = {"secret_key": f"file:{link}", "database_url": "sqlite:////tmp/x.db"}
    if mode in CLOSED:
        assert Settings.load(**wanted).secret_key == (KEY,)
        return
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(**wanted)
    [problem] = caught.value.problems
    assert problem == (
        f"BRIDGE_SECRET_KEY: others can read the key file {link} (mode {mode:04o}): run `chmod 600 {link}`, "
        "or, where that is not possible, set BRIDGE_SHARED_KEY_FILES=yes."
    )
    assert Settings.load(**wanted, shared_key_files="yes").secret_key == (KEY,)


def test_the_command_that_is_told_mends_it(tmp_path: Path) -> None:
    file = key_file(tmp_path, 0o644)
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(secret_key=f"file:{file}")
    subprocess.run(caught.value.problems[0].split("`")[1], shell=True, check=True)
    assert Settings.load(secret_key=f"file:{file}").secret_key == (KEY,)


def test_each_of_several_key_files_counts_and_everything_wrong_is_said(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.touch(mode=0o600)
    closed.write_text(KEY)
    keys = [f"file:{closed}", f"file:{key_file(tmp_path, 0o640)}"]
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(secret_key=keys, compat="strict")
    assert len(caught.value.problems) == 2


def test_a_file_that_is_there_later_is_looked_at_then(tmp_path: Path) -> None:
    settings = Settings.load(secret_key=f"file:{tmp_path / 'secret key'}")
    key_file(tmp_path, 0o644)
    with pytest.raises(ConfigurationError, match="others can read the key file"):
        settings.keys()
    key_file(tmp_path, 0o600)
    assert settings.keys() == (KEY,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(
    ("owner", "mode", "told"),
    [
        ((0, NOBODY), 0o640, ""),
        ((0, NOBODY), 0o440, ""),
        ((0, NOBODY), 0o444, "chgrp 65534 {} && chmod 640 {}"),
        ((0, NOBODY), 0o660, "chgrp 65534 {} && chmod 640 {}"),
        ((NOBODY, NOBODY), 0o600, ""),
        ((NOBODY, NOBODY), 0o640, "chmod 600 {}"),
        ((1234, NOBODY), 0o640, "chown 65534 {} && chmod 600 {}"),
    ],
)
def test_the_group_of_a_file_of_roots_is_how_a_service_is_let_in(owner: Owner, mode: int, told: str) -> None:
    """Another user's eyes, in a folder that he may enter."""
    folder = Path(subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip())
    try:
        folder.chmod(0o755)
        file = folder / "key"
        file.write_text(KEY)
        file.chmod(mode)
        os.chown(file, *owner)
        found = as_nobody(file)
        assert (told.format(file, file) in found) if told else (found == "")
    finally:
        file.unlink()
        folder.rmdir()


def as_nobody(file: Path) -> str:
    """What a process of another user finds about the file."""
    from bridge.storage.key_files import exposure

    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writable, exposure(file).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as said:
        text = said.read()
    assert os.waitpid(child, 0)[1] == 0
    return text


@pytest.mark.parametrize("command", ["serve", "worker", "doctor", "migrate", "init", "rekey"])
def test_no_command_goes_on_with_it(cli: CommandLine, command: str) -> None:
    cli.run("init")
    default_file(cli).chmod(0o644)
    told = cli.run(command, code=1)
    assert f"others can read the key file {default_file(cli)} (mode 0644)" in told.output
    assert f"chmod 600 {default_file(cli)}" in told.output
    assert default_file(cli).read_text().strip() not in told.output


def test_init_makes_a_private_key_whatever_the_umask_is(cli: CommandLine) -> None:
    before = os.umask(0)
    try:
        cli.run("init")
    finally:
        os.umask(before)
    assert default_file(cli).stat().st_mode & 0o777 == 0o600


def test_a_key_of_tls_that_others_can_read_stops_serve(
    cli: CommandLine, certificates: Certificates, tmp_path: Path
) -> None:
    cli.run("init")
    file = tmp_path / "tls.key"
    file.write_bytes(Path(certificates.key_file).read_bytes())
    file.chmod(0o644)
    told = cli.run("serve", "--certfile", str(certificates.cert_file), "--keyfile", str(file), code=1)
    assert f"--keyfile: others can read the key file {file} (mode 0644): run `chmod 600 {file}`" in told.stderr


def test_the_books_of_the_sandbox_are_private(make_local: MakeLocal, sqlite_url: str, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        books = tmp_path / "books.sqlite"
        local = make_local(sqlite_url, settings={"books": str(books)})
        assert local.create().status_code == 200
    finally:
        os.umask(before)
    files = list(tmp_path.glob("books.sqlite*"))
    assert books in files
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.fixture
def stripe(make_local: MakeLocal, sqlite_url: str) -> Local:
    return make_local(sqlite_url, "stripe_connect")


@pytest.mark.parametrize("name", ["secret_key", "webhook_secret"])
def test_a_secret_setting_on_the_command_line_is_warned_of(
    stripe: Local, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"secret_key": str(stripe.store.settings["secret_key"]), "webhook_secret": "whsec_0123456789abcdef"}[name]
    monkeypatch.setenv("OF_STRIPE", value)
    update = ("stores", "update", stripe.store.id, "--json", "--set")
    told = operate(stripe, *update, f"{name}={value}")
    warning = WARNING.format(f"--set {name}=...") + f"--set {name}=- for stdin, or env:NAME or file:PATH.\n"
    assert told.stderr == warning
    assert value not in told.output
    assert told.stdout.startswith("{")
    for harmless in (f"{name}=env:OF_STRIPE", "rounding=half_up", "webhook_secret="):
        assert "Warning" not in operate(stripe, *update, harmless).stderr


@pytest.mark.parametrize("command", ["add", "update", "import"])
def test_a_consumer_secret_on_the_command_line_is_warned_of(
    stripe: Local, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from flask.cli import ScriptInfo

    from bridge.cli import group

    pair = stripe.shop.add_key(pair=("ck_" + 40 * "4", SECRET))
    (tmp_path / "secret").write_text(SECRET)
    monkeypatch.setenv("OF_SHOP", SECRET)
    words = {
        "add": [
            "stores",
            "add",
            "--test",
            "--adapter",
            "sandbox",
            "--url",
            stripe.store.url,
            "--shop",
            stripe.store.id,
        ],
        "update": ["stores", "update", stripe.store.id],
        "import": ["keys", "import", "--store", stripe.store.id],
    }[command]
    words += ["--consumer-key", pair[0]]
    if command == "add":
        words += ["--ca-file", str(stripe.store.ca_file)]
    values = ["-", "env:OF_SHOP", f"file:{tmp_path / 'secret'}", SECRET]
    for value in values:
        told = CliRunner().invoke(
            group,
            [*words, "--consumer-secret", value, "--json"],
            input=f"{SECRET}\n",
            obj=ScriptInfo(create_app=lambda: stripe.app),
        )
        warned = WARNING.format("--consumer-secret") in told.stderr
        assert warned == (value == SECRET), (value, told.output)
        assert SECRET not in told.output


def test_the_password_of_a_database_on_the_command_line_is_warned_of() -> None:
    """Another kind of database is refused, so that nothing else is done."""
    url = "mysql://me:open-sesame@127.0.0.1:9/none"
    for given, warned in ((url, True), (url.replace(":open-sesame", ""), False), (url.replace("me:", ""), False)):
        told = CliRunner().invoke(main, ["selftest", "--battery", "B1", "--database", given])
        assert told.exit_code == 2
        assert (WARNING.format("--database") in told.stderr) == warned
        assert "open-sesame@" not in told.stderr
