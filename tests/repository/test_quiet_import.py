"""`import bridge` does no work: it opens nothing but code, no socket, and loads no provider's SDK and no simulator."""

import json
import os
import subprocess
import sys
from pathlib import Path

PROBE = """
import json, os, sys
import encodings.idna, encodings.utf_8, warnings  # what any program may have loaded by now

happened = []
def note(event, arguments):
    if event == "open" or event.startswith(("socket.", "sqlite3.", "subprocess.", "os.system", "os.mkdir")):
        happened.append([event, str(arguments[0]) if arguments else ""])
sys.addaudithook(note)
import bridge
seen = list(happened)
ours = [path for name in ("bridge", "bridge.schemas") if name in sys.modules for path in sys.modules[name].__path__]
code = [os.path.realpath(path) + os.sep for path in {*sys.path, sys.prefix, sys.base_prefix, *ours} if path]
print(json.dumps({
    "events": [each for each in seen if not (each[0] == "open" and os.path.realpath(each[1]).startswith(tuple(code)))],
    "loaded": [name for name in ("stripe", "bridge.simulators", "psycopg", "alembic") if name in sys.modules],
}))
"""


def import_bridge(*, elsewhere: Path, pythonpath: Path | None = None) -> dict[str, list]:
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(pythonpath or "")}
    program = [sys.executable, "-W", "error", "-c", PROBE]
    told = subprocess.run(program, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_import_bridge_does_no_work(tmp_path: Path) -> None:
    assert import_bridge(elsewhere=tmp_path) == {"events": [], "loaded": []}


def test_a_package_that_works_at_import_is_noticed(tmp_path: Path) -> None:
    secret = tmp_path / "settings.ini"
    secret.touch()
    loud = tmp_path / "path" / "bridge"
    (loud / "simulators").mkdir(parents=True)
    (loud / "simulators" / "__init__.py").touch()
    (loud / "__init__.py").write_text(
        f"import socket, bridge.simulators\nopen({str(secret)!r}).close()\nsocket.socket().close()\n"
    )
    told = import_bridge(elsewhere=tmp_path, pythonpath=loud.parent)
    assert told["loaded"] == ["bridge.simulators"]
    assert [event for event, _ in told["events"]] == ["open", "socket.__new__"]
