"""What the bridge gives to every adapter that it constructs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.domain.ids import RandomIds
from bridge.domain.ports import Clock, Ids

if TYPE_CHECKING:
    import requests


def _make_session(*, timeout: float, allow_private: bool) -> "requests.Session":
    from bridge.outbound.transport import make_session

    return make_session(timeout=timeout, allow_private=allow_private)


@dataclass(frozen=True)
class AdapterContext:
    """Time, chance and the way out. In `directory` an adapter may keep files of its own.

    `timeout` is how long a whole exchange with the provider may take, in seconds; trying again counts. `make_session`
    is called with the keywords `timeout` and `allow_private`.
    """

    clock: Clock = time.time
    ids: Ids = field(default_factory=RandomIds)
    timeout: float = 30.0
    allow_private_urls: bool = False
    directory: Path = field(default_factory=Path)
    make_session: Callable[..., "requests.Session"] = field(default=_make_session, repr=False)

    def session(self) -> "requests.Session":
        """A new session for talking to the provider, with the rules of `bridge.outbound.transport`."""
        return self.make_session(timeout=self.timeout, allow_private=self.allow_private_urls)
