"""Somebody who tries the demo in a folder of his own, as in a clone after `make install`."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.processes import wait_for
from tests.docs.reader import Reader

DEMO = "wcpay-bridge demo --port 0"
READY = "Ctrl-C ends it."


@dataclass
class DemoReader(Reader):
    """He has a `.venv`, as `make` leaves it, and no other way to the program."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.environ["PATH"] = self.environ["PATH"].partition(":")[2]
        (self.folder / ".venv").symlink_to(Path(sys.prefix))
        self.fills["make demo"] = f".venv/bin/{DEMO}"

    def order(self, name: str, below: str = "") -> Any:
        """What the shop has of the order that the variable names."""
        return json.loads(self.paste(f'curl -sS --cacert "$CA" -u "$KEY" "$SHOP/orders/${name}{below}"'))

    def becomes(self, name: str, status: str) -> Callable[[], None]:
        """Wait until the order has the status."""
        return lambda: self._waits(lambda: bool(self.order(name)["status"] == status), name)

    def is_noted(self, name: str, words: str) -> Callable[[], None]:
        """Wait until staff can read this beside the order."""
        return lambda: self._waits(lambda: any(words in each["note"] for each in self.order(name, "/notes")), name)

    def _waits(self, true: Callable[[], bool], name: str) -> None:
        try:
            wait_for(true, seconds=20.0)
        except AssertionError:
            raise AssertionError(self.order(name), self.order(name, "/notes")) from None
