"""Files with keys that nobody else may read."""

import os
import shlex
import stat
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OF_ROOT = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO
"""What others must not have of a file of root's, whose group is how a service is let in: root:bridge, 0640."""


def exposure(path: Path) -> str:
    """Why a key file is not private, with the command that mends it and without a full stop; "" if it is private, or
    not there.

    The rule is PostgreSQL's. Source: https://www.postgresql.org/docs/current/ssl-tcp.html, "private key file".
    """
    path, user = path.expanduser(), os.geteuid()
    try:
        found = path.stat()
    except OSError:
        return ""
    is_of_root = found.st_uid == 0 and user != 0
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & (OF_ROOT if is_of_root else OTHERS):
        return ""
    name = shlex.quote(str(path))
    if is_of_root:
        command = f"chgrp {os.getegid()} {name} && chmod 640 {name}"
    elif user in (0, found.st_uid):
        command = f"chmod 600 {name}"
    else:
        command = f"chown {user} {name} && chmod 600 {name}"
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    way_on = f"run `{command}`, or, where that is not possible, set BRIDGE_SHARED_KEY_FILES=yes"
    return f"others can read the key file {path} (mode {mode}): {way_on}"
