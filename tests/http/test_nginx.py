"""Behind a real nginx that ends TLS and strips a path prefix."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from woocommerce import API

from bridge import Bridge, create_app
from bridge.settings import Settings
from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from tests.plugins.local import INTENTS, Local, MakeLocal
from tests.plugins.tools import require

pytestmark = pytest.mark.needs("nginx")

CONFIGURATION = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    server {{ listen 127.0.0.1:{http}; location /pay/ {{ proxy_pass {upstream}/; }} }}
    server {{
        listen 127.0.0.1:{documented};
        location / {{ return 200 "the shop"; }}
        {blocks}
    }}
    server {{ listen 127.0.0.1:{plainest}; proxy_set_header Host $proxy_host; location / {{ proxy_pass {upstream}; }} }}
    server {{
        listen 127.0.0.1:{https} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
        location /pay/ {{ proxy_pass {upstream}/; }}
    }}
}}
"""


def documented_blocks(upstream: str) -> str:
    """What the page about connecting a store has nginx do, with its own address of the bridge."""
    page = (Path(__file__).parents[2] / "docs" / "connecting-a-store.md").read_text()
    [blocks] = re.findall(r"```nginx\n(.*?)```", page, re.DOTALL)
    assert blocks.count("http://127.0.0.1:8080") == 2
    return str(blocks.replace("http://127.0.0.1:8080", upstream))


class Behind:
    """A Local whose app is served behind nginx at `http_url` and `https_url`, at `documented_url` as documented, and at
    `plainest_url` by `proxy_pass` alone: what else that server sets is nginx' own default."""

    def __init__(
        self, local: Local, http_url: str, https_url: str, documented_url: str, plainest_url: str, ca_file: Path
    ) -> None:
        self.local, self.documented_url, self.plainest_url = local, documented_url, plainest_url
        self.http_url, self.https_url, self.ca_file = http_url, https_url, ca_file

    def body(self, order: str) -> dict[str, object]:
        return {
            "order_id": self.local.orders[order],
            "customer": self.local.customer,
            "payment_method": "pm_card_visa",
        }

    def post(self, url: str, order: str, **kwargs: object) -> requests.Response:
        pair = (self.local.pair.consumer_key, self.local.pair.consumer_secret)
        return requests.post(url + INTENTS, json=self.body(order), auth=pair, verify=self.ca_file, timeout=20, **kwargs)

    def client(self, url: str) -> API:
        pair = self.local.pair
        return API(
            url, pair.consumer_key, pair.consumer_secret, version="wc/v3", timeout=20, verify_ssl=str(self.ca_file)
        )


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def behind(
    make_local: MakeLocal, sqlite_url: str, certificates: Certificates, tmp_path: Path
) -> Iterator[Callable[..., Behind]]:
    program = require("nginx")
    with ExitStack() as stack:

        def start(trusted: str, **more: object) -> Behind:
            local = make_local(sqlite_url)
            http, https, documented, plainest = free_port(), free_port(), free_port(), free_port()
            urls = f"http://127.0.0.1:{http}/pay", f"https://127.0.0.1:{https}/pay"
            settings = Settings.load(
                secret_key=list(local.bridge.settings.secret_key),
                database_url=sqlite_url,
                public_url=list(urls),
                trusted_proxies=trusted,
                allow_private_urls=True,
                **more,
            )
            bridge = Bridge(settings)
            stack.callback(bridge.close)
            upstream = stack.enter_context(serve(create_app(bridge))).url
            configuration = tmp_path / "nginx.conf"
            configuration.write_text(
                CONFIGURATION.format(
                    folder=tmp_path,
                    upstream=upstream,
                    http=http,
                    https=https,
                    documented=documented,
                    plainest=plainest,
                    blocks=documented_blocks(upstream),
                    cert=certificates.cert_file,
                    key=certificates.key_file,
                )
            )
            process = subprocess.Popen([program, "-e", str(tmp_path / "error.log"), "-c", str(configuration)])
            stack.callback(process.wait)
            stack.callback(process.terminate)
            wait_until_ready(urls[0])
            others = f"http://127.0.0.1:{documented}", f"http://127.0.0.1:{plainest}"
            return Behind(local, *urls, *others, ca_file=certificates.ca_file)

        yield start


def wait_until_ready(url: str) -> None:
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    with requests.Session() as session:
        session.mount("http://", HTTPAdapter(max_retries=Retry(total=20, connect=20, backoff_factor=0.05)))
        assert session.get(f"{url}/bridge/v1/health/live", timeout=20).status_code == 200


def test_a_trusted_proxy_that_ends_tls_makes_basic_good(behind: Callable[..., Behind]) -> None:
    setup = behind("127.0.0.1")
    answer = setup.post(setup.https_url, "payable")
    assert answer.status_code == 200, answer.text
    assert f'<{setup.http_url}/wp-json/>; rel="https://api.w.org/"' in answer.headers["Link"]
    assert setup.post(setup.http_url, "payable_2").status_code == 401


def test_a_proxy_that_is_not_trusted_makes_nothing_good(behind: Callable[..., Behind]) -> None:
    setup = behind("")
    for url in (setup.http_url, setup.https_url):
        answer = setup.post(url, "payable", headers={"X-Forwarded-Proto": "https"})
        assert (answer.status_code, answer.json()["code"]) == (401, "rest_forbidden")


def test_a_client_cannot_claim_https_through_a_trusted_proxy(behind: Callable[..., Behind]) -> None:
    setup = behind("127.0.0.1")
    assert setup.post(setup.http_url, "payable", headers={"X-Forwarded-Proto": "https"}).status_code == 401


@pytest.mark.parametrize("local_http", [False, True])
def test_the_plainest_proxy_does_not_make_the_internet_this_machine(
    behind: Callable[..., Behind], local_http: bool
) -> None:
    setup = behind("", local_http=local_http)
    answer = setup.post(setup.plainest_url, "payable")
    assert (answer.status_code, answer.json()["code"]) == (401, "rest_forbidden")
    assert requests.get(f"{setup.plainest_url}/bridge/v1/health/live", timeout=20).status_code == 200


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_official_client_works_through_the_prefix(behind: Callable[..., Behind], scheme: str) -> None:
    setup = behind("127.0.0.1", unsigned_bodies=scheme == "http")  # it signs with OAuth there, and sends JSON
    client = setup.client(setup.http_url if scheme == "http" else setup.https_url)
    created = client.post("payments/payment_intents", setup.body("payable"))
    assert created.status_code == 200, created.text
    shown = client.get(f"payments/payment_intents/{created.json()['id']}", params={"_fields": "id,status"})
    assert shown.json() == {"id": created.json()["id"], "status": "succeeded"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("end", ["", "/", "/no_such_route"])
def test_t5_the_documented_blocks_redirect_nothing(behind: Callable[..., Behind], end: str, method: str) -> None:
    url = f"{behind('127.0.0.1').documented_url}/wp-json/wc/v3/payments{end}"
    answer = requests.request(method, url, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (404, "rest_no_route")


def test_t5_the_documented_blocks_take_the_payment_routes_and_leave_the_rest_to_the_shop(
    behind: Callable[..., Behind],
) -> None:
    setup = behind("127.0.0.1")
    answers = {
        path: requests.get(setup.documented_url + path, allow_redirects=False, timeout=20)
        for path in (f"{INTENTS}/pi_x", "/bridge/v1/health/live", "/wp-json/", "/wp-json/wc/v3/payments_of_others")
    }
    assert [answer.status_code for answer in answers.values()] == [401, 200, 200, 200]
    assert answers[f"{INTENTS}/pi_x"].json()["code"] == "rest_forbidden"
    assert answers["/wp-json/"].text == answers["/wp-json/wc/v3/payments_of_others"].text == "the shop"
