"""docs/connecting-a-store.md is followed, with each web server that is installed in front of what it makes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import requests
from werkzeug.wrappers import Request, Response

from bridge.simulators.server import serve
from tests.docs import web_servers
from tests.docs.owner import Owner, free_port, owner
from tests.docs.reader import Block, NotRun, Paste, Reader, Start, Step, follow
from tests.plugins.tools import TOOLS, require

PAGE = "docs/connecting-a-store.md"
INTENTS = "/wp-json/wc/v3/payments/payment_intents"


@Request.application
def the_shop(_: Request) -> Response:
    """What answers for all that is the shop's own."""
    return Response("the shop")


@dataclass
class Followed:
    """What came of the page: where each web server listens, and what it answered to the page's own request."""

    ports: dict[str, int] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    owner: Owner | None = None


@dataclass(frozen=True)
class Configure(Step):
    """Into the configuration of a web server, which is started, if it is installed."""

    name: str
    followed: Followed

    def take(self, reader: Reader, block: Block) -> None:
        assert isinstance(reader, Owner)
        assert reader.certificates
        program = TOOLS[self.name].find()
        if program:
            port = self.followed.ports[self.name] = free_port()
            lines = reader.filled(block.text)
            shop = reader._stack.enter_context(serve(the_shop)).url
            process = web_servers.start(self.name, program, reader.folder, port, shop, lines, reader.certificates)
            reader._stack.callback(process.wait)
            reader._stack.callback(process.terminate)


@dataclass(frozen=True)
class Try(Step):
    """Pasted once for each web server, with an order of its own; without any, as one would call the bridge."""

    followed: Followed

    def take(self, reader: Reader, block: Block) -> None:
        assert isinstance(reader, Owner)
        assert reader.certificates
        for name, port in self.followed.ports.items() or [("none", reader.port)]:
            order = reader.shop.add_order(total="10.23")
            reader.fills["1234"] = str(order)
            text = block.text.replace("https://shop.example", f"https://127.0.0.1:{port}").replace(
                "ck_...:cs_...", "$KEY"
            )
            text = text.replace("curl ", f"curl -sS --cacert {reader.certificates.ca_file} ")
            if name == "none":
                text = text.replace("https:", "http:").replace("-sS", "-sS -H 'X-Forwarded-Proto: https'")
            self.followed.answers[name] = reader.paste(text, where=block.where)
            assert '"status":"succeeded"' in reader.said, f"{name}: {reader.said}"


@dataclass(frozen=True)
class MakeKeys(Paste):
    """What is shown once is kept, as `KEY`."""

    def take(self, reader: Reader, block: Block) -> None:
        super().take(reader, block)
        pair = re.search(r"(ck_[0-9a-f]{40})\s.*?(cs_[0-9a-f]{40})", reader.said, re.DOTALL)
        assert pair, reader.said
        reader.paste(f"KEY={pair[1]}:{pair[2]}")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    told = Followed()
    with owner(tmp_path_factory.mktemp("owner")) as reader:
        told.owner = reader
        client_key, client_secret = reader.shop.add_key()
        imported = "keys import --store shop-example --consumer-key"
        reader.fills = {f"{imported} ck_...": f"{imported} {client_key}"} | reader.fills
        follow(
            PAGE,
            reader,
            (
                ("wcpay-bridge init", Paste(["wcpay-bridge stores add"])),
                ("wcpay-bridge stores add --url", Paste([reader.fills["shop-example"]], stdin=f"{reader.secret}\n")),
                ("wcpay-bridge stores check", Paste(["ok"])),
                ("wcpay-bridge stores add --url", Paste(stdin=f"{reader.secret}\n")),
                ("wcpay-bridge keys create", MakeKeys(stdin=f"{client_secret}\n")),
                ("wcpay-bridge keys create --store shop-example --description", Paste(["cs_"])),
                ("BRIDGE_PUBLIC_URL=https://shop.example BRIDGE_TRUSTED", Start("Listening at")),
                ("location ~", Configure("nginx", told)),
                ("ProxyPreserveHost", Configure("apache", told)),
                ("@bridge path", Configure("caddy", told)),
                ("curl -u ck_...:cs_...", Try(told)),
                ("BRIDGE_PUBLIC_URL=https://shop.example wcpay-bridge webhooks", Paste()),
                ("* * * * *", NotRun("a line of a crontab; the simulated shop has no WP-Cron")),
                ("wcpay-bridge why 1234", Paste(["the provider answered succeeded"])),
            ),
        )
        yield told


def test_the_page_is_followed(followed: Followed) -> None:
    assert followed.answers


@pytest.mark.parametrize("name", web_servers.SERVERS)
def test_the_lines_of_a_web_server_take_the_payment_routes_and_leave_the_rest(followed: Followed, name: str) -> None:
    require(name)
    assert '"status":"succeeded"' in followed.answers[name]
    reader = followed.owner
    assert reader
    assert reader.certificates
    url, trust = f"https://127.0.0.1:{followed.ports[name]}", reader.certificates.ca_file
    paths = (
        f"{INTENTS}/pi_x",
        "/wp-json/wc/v3/payments",
        "/bridge/v1/health/live",
        "/wp-json/",
        "/wp-json/wc/v3/payments_of_others",
    )
    answers = [requests.get(url + path, allow_redirects=False, verify=trust, timeout=20) for path in paths]
    assert [answer.status_code for answer in answers] == [401, 404, 200, 200, 200]
    assert answers[3].text == answers[4].text == "the shop"
    said = requests.get(
        f"{url}{INTENTS}/pi_x?a=1%2F2",
        headers={"X-Forwarded-Proto": "http"},
        verify=trust,
        auth=tuple(reader.exported("KEY").split(":")),
        timeout=20,
    )
    assert said.json()["code"] != "rest_forbidden", "what a client says of the scheme does not count"
