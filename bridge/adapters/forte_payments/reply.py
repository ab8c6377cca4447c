"""One answer over HTTP, before anybody has understood it."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """`doubtful`: an earlier try of the same request may have arrived too. `request_id` is Forte's own name of it."""

    status: int
    content: bytes = field(repr=False)
    request_id: str = ""
    doubtful: bool = False

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Raises ValueError for what is no JSON."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("The JSON is too deep.") from None
