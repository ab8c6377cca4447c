"""A request on its way in: fed with what arrives, it says when head and body are whole.

gunicorn's own parser is the only one that decides what a request says. It is given the head once that is whole, and the
body once that is whole, so it never waits for a socket. Here is only found out how far there is to go.
"""

import re
from io import BytesIO

from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import LimitRequestHeaders, NoMoreData
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader

from bridge.http.routes.webhooks import LARGEST_MESSAGE

LARGEST_HEAD = 64 * 1024
"""Bytes of the request line and all headers."""
LARGEST_BODY = LARGEST_MESSAGE
"""Bytes: what the largest route takes. Routes have their own, smaller limits."""
LARGEST_LINE = 8190
"""Bytes of a chunk's size line, or of a trailer: as gunicorn's parser has it."""

LARGEST_FRAMING = 16 * 1024
"""Bytes of all chunks' size lines and trailers: each line costs more than its bytes."""

_BARE_LF = re.compile(rb"(?<!\r)\n")


class BodyTooLarge(Exception):
    """More than any route takes."""


class Incoming:
    """One request of a connection. `request` is there once its head is whole; `held` counts the bytes so far."""

    def __init__(self, config: Config, peer: object, number: int) -> None:
        self.request: Request | None = None
        self.held = 0
        self._config, self._peer, self._number = config, peer, number
        self._head = bytearray()
        self._source = _Received()
        self._missing = 0
        self._chunks: ChunkedLength | None = None

    def feed(self, data: bytes) -> bool:
        """Whether the request is whole now.

        Raises what gunicorn's parser raises for a request that is none, and BodyTooLarge.
        """
        self.held += len(data)
        if self.request is not None:
            self._source.append(data)
            return self._body_is_whole(data)
        start = len(self._head)
        self._head += data
        if not self._head_has_ended(start):
            return False
        self._parse_head()
        return self._body_is_whole(self._source.peek())

    def expects_continue(self) -> bool:
        """Whether the client waits to be asked for the body. Says so once."""
        asked = self.request is not None and self.request._expected_100_continue
        if asked and self.request is not None:
            self.request._expected_100_continue = False
        return bool(asked)

    def take(self) -> tuple[Request, bytes]:
        """The whole request, its body in memory, and what arrived behind it. Raises as `feed` does."""
        request = self.request
        assert request is not None
        request.body = BytesIO(request.body.read())
        request._expected_100_continue = False
        return request, self._source.take_buffered()

    def _head_has_ended(self, start: int) -> bool:
        """Also true of a head that can no longer become one: the parser says what is wrong with it."""
        if self._head.find(b"\r\n\r\n", max(0, start - 3)) >= 0:
            return True
        return len(self._head) > LARGEST_HEAD or _BARE_LF.search(self._head, start) is not None

    def _parse_head(self) -> None:
        self._source.append(bytes(self._head))
        self._head.clear()
        try:
            request = Request(self._config, self._source, self._peer, self._number)
        except (NoMoreData, StopIteration) as error:
            raise LimitRequestHeaders("the head does not end") from error
        match request.body.reader:
            case ChunkedReader():
                self._chunks = ChunkedLength()
            case LengthReader() as reader:
                self._missing = reader.length
                if self._missing > LARGEST_BODY:
                    raise BodyTooLarge
        self.request = request

    def _body_is_whole(self, data: bytes) -> bool:
        if self._chunks:
            return self._chunks.feed(data)
        self._missing -= len(data)
        return self._missing <= 0


class ChunkedLength:
    """Finds where a chunked body ends (RFC 9112, 7.1). What is malformed ends at once: the parser refuses it."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._skip = 0
        self._in_trailers = False
        self._size = self._framing = 0
        self._over = False

    def feed(self, data: bytes) -> bool:
        """Whether the body is whole. Raises BodyTooLarge, also for chunks so small that they are mostly framing."""
        position = 0
        while position < len(data) and not self._over:
            if self._skip:
                step = min(self._skip, len(data) - position)
                self._skip -= step
                position += step
                continue
            end = data.find(b"\n", position) + 1
            self._line += data[position : end or len(data)]
            position = end or len(data)
            if end:
                self._end_line(bytes(self._line))
                self._line.clear()
            elif len(self._line) > LARGEST_LINE:
                self._over = True
        return self._over

    def _end_line(self, line: bytes) -> None:
        self._framing += len(line)
        if self._in_trailers:
            self._over = line == b"\r\n"
        else:
            self._begin_chunk(line.partition(b";")[0].strip())
        if self._size > LARGEST_BODY or self._framing > LARGEST_FRAMING:
            raise BodyTooLarge

    def _begin_chunk(self, digits: bytes) -> None:
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", digits):
            self._over = True
            return
        size = int(digits, 16)
        self._size += size
        self._skip = size + len(b"\r\n") if size else 0
        self._in_trailers = size == 0


class _Received(Unreader):  # type: ignore[misc]
    """What has arrived, for gunicorn's parser. There is never more: whoever reads on is at the end."""

    def append(self, data: bytes) -> None:
        self.buf.seek(0, 2)
        self.buf.write(data)

    def peek(self) -> bytes:
        return bytes(self.buf.getvalue())

    def chunk(self, size_hint: int | None = None) -> bytes:  # noqa: ARG002
        return b""
