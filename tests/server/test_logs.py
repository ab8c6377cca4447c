"""What `serve` writes to its log: one line for each malformed request, and no secret in any."""

import pytest

from tests.cli.processes import wait_for
from tests.server.conftest import Server, statuses

SECRET = "canary7Secret7Of7A7Client"
KEY = f"consumer_key=ck_{SECRET}&consumer_secret=cs_{SECRET}"
BASIC = f"Basic {SECRET}"
PATH = "/wp-json/wc/v3/payments/transactions"
MALFORMED = {
    "a space in the query": f"GET {PATH}?search=a b&{KEY} HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "another script in the query": f"GET {PATH}?q=\xe9&{KEY} HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "a header without colon": f"GET {PATH} HTTP/1.1\r\nHost: bridge\r\nAuthorization {BASIC}\r\n\r\n",
    "a space before the colon": f"GET {PATH} HTTP/1.1\r\nHost: bridge\r\nAuthorization : {BASIC}\r\n\r\n",
    "a folded header": f"GET {PATH} HTTP/1.1\r\nHost: bridge\r\nAuthorization: Basic\r\n {SECRET}\r\n\r\n",
    "a control character": f"GET {PATH} HTTP/1.1\r\nHost: bridge\r\nAuthorization: Basic \x01{SECRET}\r\n\r\n",
    "a name that is none": f"GET {PATH} HTTP/1.1\r\nHost: bridge\r\n{SECRET}@: a\r\n\r\n",
    "a method that is none": f"{SECRET} {PATH} HTTP/1.1\r\nHost: bridge\r\n\r\n",
    "a version that is none": f"GET {PATH} HTTP/{SECRET}\r\nHost: bridge\r\n\r\n",
    "no version": f"GET {PATH}?{KEY}\r\nHost: bridge\r\n\r\n",
    "bare line feeds": f"GET {PATH}?{KEY} HTTP/1.1\nHost: bridge\n\n",
    "a line that is too long": f"GET {PATH}?{KEY}&a={'a' * 9000} HTTP/1.1\r\n\r\n",
    "a header that is too long": f"GET {PATH} HTTP/1.1\r\nAuthorization: {BASIC}{'a' * 9000}\r\n\r\n",
    "a length that is none": f"POST {PATH} HTTP/1.1\r\nContent-Length: {SECRET}\r\n\r\n",
    "a coding that is none": f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: {SECRET}\r\n\r\n",
    "an expectation": f"POST {PATH} HTTP/1.1\r\nExpect: {SECRET}\r\n\r\n",
    "a chunk's size": f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n",
    "a chunk's end": f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{SECRET}\r\n",
    "a trailer": f"POST {PATH} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nHost: {SECRET}\r\n\r\n",
    "an absolute address": f"GET http://a:{SECRET}@[bridge/{PATH}?{KEY} HTTP/1.1\r\nHost: bridge\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_request_is_one_short_line_and_quotes_nothing(served: Server, name: str) -> None:
    before = len(served.program.log)
    said = served.tell(MALFORMED[name].encode("latin-1"))
    assert 400 <= statuses(said)[0] <= 501
    assert SECRET.encode() not in said
    wait_for(lambda: any(" was refused: " in line for line in served.program.log[before:]))
    lines = [line for line in served.program.log[before:] if " was refused: " in line]
    assert len(lines) == 1
    line = lines[0]
    assert "a request from 127.0.0.1 was refused: " in line
    assert len(line) < 200
    assert SECRET not in "".join(served.program.log)
