"""One clock for several processes: it stands still until somebody moves it."""

import mmap
import struct
from pathlib import Path

START = 1_790_000_000.0
"""Unix seconds at which every world begins."""
_DOUBLE = struct.Struct("d")


class SharedClock:
    """Unix seconds in a file that every process of a world maps. Give `start` where the world is made."""

    def __init__(self, path: Path, start: float | None = None) -> None:
        if start is not None:
            path.write_bytes(_DOUBLE.pack(start))
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _DOUBLE.size)

    def __call__(self) -> float:
        now: float = _DOUBLE.unpack_from(self._memory)[0]
        return now

    def set(self, now: float) -> None:
        _DOUBLE.pack_into(self._memory, 0, now)

    def advance(self, seconds: float) -> None:
        self.set(self() + seconds)

    def close(self) -> None:
        self._memory.close()
