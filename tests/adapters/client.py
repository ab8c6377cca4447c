"""A front door for any stand-in, which keeps the requests that arrive."""

import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from werkzeug.wrappers import Request


@dataclass(frozen=True)
class Sent:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    query: dict[str, str]

    @property
    def body(self) -> Any:
        return json.loads(self.content)


@dataclass
class Door:
    app: Any
    sent: list[Sent] = field(default_factory=list)

    def __call__(self, environ, start_response):
        request = Request(environ)
        content = request.get_data()
        environ["wsgi.input"] = BytesIO(content)
        if self.keeps(request.path):
            headers, query = dict(request.headers), request.args.to_dict()
            self.sent.append(Sent(request.method, request.path, headers, content, query))
        return self.app(environ, start_response)

    def keeps(self, path: str) -> bool:
        """Whether it is one of an adapter's requests."""
        return True

    def to(self, path: str) -> list[Sent]:
        return [sent for sent in self.sent if sent.path == path]

    def calls(self, method: str, ending: str) -> list[Sent]:
        """Those of a method whose path ends so."""
        return [sent for sent in self.sent if sent.method == method and sent.path.endswith(ending)]
