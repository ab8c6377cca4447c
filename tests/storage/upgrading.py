"""Run with the folder of a `bridge` as the working directory: migrates databases, each in a process of its own, which
may be killed after so many statements and commits.

Reads `[[url, point], ...]` from standard input; writes how many points each passed, or -1 for one that was killed.
"""

import json
import os
import signal
import sys

from sqlalchemy import event
from sqlalchemy.engine import Engine

from bridge.storage import migrate


def passed(url: str, point: int) -> int:
    """How many points a migration passes that is killed at the `point`; 0 for never."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        count = 0

        def reach(*_: object) -> None:
            nonlocal count
            count += 1
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)

        for name in ("after_cursor_execute", "commit"):
            event.listen(Engine, name, reach)
        migrate(url)
        os.write(writable, str(count).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as told:
        count_told = told.read()
    os.waitpid(child, 0)
    return int(count_told or -1)


if __name__ == "__main__":
    sys.stdout.write(json.dumps([passed(url, point) for url, point in json.load(sys.stdin)]))
