"""The image and the services are what the files say: every variable a setting, every command one that works."""

import configparser
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import make_url

from bridge.selftest.postgresql import drop_database, new_database
from bridge.settings import READERS
from bridge.simulators.certificates import Certificates
from bridge.simulators.server import serve
from bridge.simulators.woocommerce import WooCommerceSimulator
from tests.cli.processes import INTENTS, Program, wait_for
from tests.container import compose
from tests.container.image import Image, command, entrypoint, healthcheck, instructions, last
from tests.plugins.commandline import CommandLine
from tests.plugins.distributions import ROOT
from tests.plugins.postgresql import find_server
from tests.plugins.shared import Once

SETTINGS = {f"BRIDGE_{name.upper()}" for name in READERS}
GIVEN = {"BRIDGE_SECRET_KEY": "k" * 64, "POSTGRES_PASSWORD": "p" * 64}
PAGE = (ROOT / "docs" / "containers.md").read_text()
OF_POSTGRES = {"POSTGRES_USER", "POSTGRES_PASSWORD"}
"""What the image of PostgreSQL reads."""
ANYWHERE = ("0.0.0.0:8080", "0.0.0.0:0")
LISTENS = "Listening at: "
NewUrl = Callable[[], str]


@pytest.fixture(scope="module")
def image(once: Once) -> Image:
    return Image(once("image", lambda folder: Image.build(folder) and None) / "root")


@pytest.fixture
def container(image: Image, tmp_path: Path) -> CommandLine:
    """The image's program with a /data of its own, as it is after the image was built."""
    data = tmp_path / "data"
    subprocess.run(["cp", "-r", str(image.root / "data"), str(data)], check=True)
    (program,) = entrypoint()
    return CommandLine({"HOME": str(tmp_path / image.home.relative_to(image.root))}, Path(image.here(program)))


def run(container: CommandLine, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command in a container that ends with it."""
    return subprocess.run(
        [str(container.program), *arguments],
        env=container.subprocess_environ(),
        capture_output=True,
        text=True,
        timeout=120,
    )


def is_healthy(image: Image, port: int) -> bool:
    """What Docker finds when it asks the container."""
    asked = [image.here(word).replace("8080", str(port)) for word in healthcheck()]
    assert any(str(port) in word for word in asked)
    return subprocess.run(asked, env={}, capture_output=True, timeout=60).returncode == 0


def serving(container: CommandLine, stack: ExitStack, arguments: list[str]) -> tuple[Program, int]:
    """The program that serves, and its port: any free one instead of 8080."""
    assert ANYWHERE[0] in arguments
    free = [ANYWHERE[1] if word == ANYWHERE[0] else word for word in arguments]
    program = stack.enter_context(Program(container, LISTENS, *free))
    return program, int(program.begun.split(LISTENS)[1].split(" ")[0].rpartition(":")[2])


def test_the_image_runs_as_a_user_without_rights_and_has_no_variable_of_its_own() -> None:
    uid, _, gid = last("USER").partition(":")
    assert int(uid) > 1000
    assert int(gid) > 1000
    variables = {pair.split("=")[0] for word, rest in instructions() if word in ("ENV", "ARG") for pair in rest.split()}
    assert variables <= SETTINGS
    assert last("VOLUME") == "/data"
    assert last("EXPOSE") == "8080"
    assert f"chown={last('USER')}" in " ".join(rest for word, rest in instructions() if word == "COPY")


def test_the_image_has_a_python_that_is_tried() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for word, rest in instructions():
        if word == "FROM":
            (version,) = re.findall(r"^python:(3\.\d+)-slim", rest)
            assert f"Python :: {version}\n" in config["metadata"]["classifiers"]


def test_the_image_serves_from_its_volume_and_tells_its_health(image: Image, container: CommandLine) -> None:
    assert run(container, "init").returncode == 0
    with ExitStack() as stack:
        program, port = serving(container, stack, command())
        wait_for(lambda: is_healthy(image, port), seconds=120)
        program.__exit__()
        assert program.process.returncode == 0
        assert not is_healthy(image, port)
    data = Path(container.environ["HOME"] or "")
    kept = {path.name for path in data.rglob("*") if path.is_file()}
    assert {"secret.key", "bridge.sqlite"} <= kept


def test_without_a_key_it_does_not_start(container: CommandLine) -> None:
    refused = run(container, *command())
    assert refused.returncode == 1
    assert "no secret key" in refused.stderr


def bridges() -> dict[str, dict[str, Any]]:
    return {name: service for name, service in compose.load(GIVEN).items() if "build" in service}


def test_every_variable_of_a_service_is_a_setting_and_every_setting_can_be_set() -> None:
    assert bridges().keys() == {"bridge", "worker", "migrate"}
    for service in bridges().values():
        assert service["environment"].keys() == SETTINGS
    assert compose.variables() == {"POSTGRES_PASSWORD", *SETTINGS} - {"BRIDGE_DATABASE_URL"}
    for name in SETTINGS - {"BRIDGE_DATABASE_URL"}:
        services = compose.load({**GIVEN, name: "some value"})
        assert services["bridge"]["environment"][name] == "some value"
    others = {name: service.get("environment", {}) for name, service in compose.load(GIVEN).items()}
    assert others["database"].keys() == OF_POSTGRES
    assert others["redis"] == {}


@pytest.mark.parametrize("name", GIVEN)
def test_a_secret_that_is_missing_stops_everything(name: str) -> None:
    with pytest.raises(compose.MissingValue, match=name):
        compose.load({key: value for key, value in GIVEN.items() if key != name})


def test_the_bridge_reaches_the_services_that_there_are() -> None:
    services = compose.load({**GIVEN, "BRIDGE_RATE_LIMIT_STORAGE": "redis://redis:6379"})
    database = services["database"]["environment"]
    url = make_url(services["bridge"]["environment"]["BRIDGE_DATABASE_URL"])
    assert (url.host, url.username, url.password) == (
        "database",
        database["POSTGRES_USER"],
        database["POSTGRES_PASSWORD"],
    )
    assert url.database == database["POSTGRES_USER"], "the image names the database like the user"
    assert services["redis"]["profiles"] == ["redis"]
    assert "redis://redis:6379" in PAGE
    assert all(service["volumes"] == ["data:/data"] for service in bridges().values())
    assert services["bridge"]["ports"] == ["127.0.0.1:8080:8080"]


def test_the_database_is_healthy_when_it_answers(image: Image, postgres_server: Any) -> None:
    kind, program, *options = compose.load(GIVEN)["database"]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "pg_isready")
    url = make_url(postgres_server.admin_url)
    there, nowhere = str(url.query.get("host") or url.host), "/nowhere"
    for host, code in ((there, 0), (nowhere, 2)):
        asked = [option.replace("127.0.0.1", host) for option in options]
        ran = subprocess.run([f"{find_server()}/{program}", *asked], capture_output=True, timeout=60)
        assert ran.returncode == code


@pytest.fixture
def composed(container: CommandLine, tmp_path: Path, postgres_server: Any) -> Iterator[CommandLine]:
    """The environment that the page's own .env gives the services, with this machine's database and proxy."""
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    subprocess.run(["sh", "-ec", script], cwd=tmp_path, check=True)
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    given = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines())
    given |= {"BRIDGE_ALLOW_PRIVATE_URLS": "yes", "BRIDGE_PROVIDER_TIMEOUT": "20"}
    environment = compose.load(given)["bridge"]["environment"]
    assert environment["BRIDGE_TRUSTED_PROXIES"] in (ROOT / "compose.yaml").read_text()
    url = new_database(postgres_server.admin_url)
    container.environ |= environment | {"BRIDGE_DATABASE_URL": url, "BRIDGE_TRUSTED_PROXIES": "127.0.0.1"}
    yield container
    drop_database(url)


def test_the_services_start_in_their_order_and_take_money(
    image: Image, composed: CommandLine, certificates: Certificates
) -> None:
    services = bridges()
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("bridge", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    early = run(composed, *services["bridge"]["command"])
    assert (early.returncode, "migrate" in early.stderr) == (1, True)
    assert run(composed, *services["migrate"]["command"]).returncode == 0
    with ExitStack() as stack:
        _, port = serving(composed, stack, services["bridge"]["command"])
        stack.enter_context(Program(composed, "Working", *services["worker"]["command"]))
        wait_for(lambda: is_healthy(image, port), seconds=120)
        assert pay(composed, stack, certificates, port)["status"] == "succeeded"
        told = run(composed, "doctor")
        assert (told.returncode, told.stderr) == (0, ""), told.stdout


def pay(composed: CommandLine, stack: ExitStack, certificates: Certificates, port: int) -> dict[str, Any]:
    """Add a store with the sandbox as the page does, and charge an order as a client behind the web server does."""
    shop = WooCommerceSimulator("shop")
    url = stack.enter_context(serve(shop, tls=(certificates.cert_file, certificates.key_file))).url
    key, secret = shop.add_key()
    order = shop.seed_demo_orders()["payable"]
    store = composed.json(
        *("stores", "add", "--url", url, "--consumer-key", key, "--consumer-secret", "-"),
        *("--ca-file", str(certificates.ca_file), "--adapter", "sandbox", "--test"),
        stdin=secret,
    )
    pair = composed.json("keys", "create", "--store", store["id"])
    answer = requests.post(
        f"http://127.0.0.1:{port}{INTENTS}",
        json={"order_id": order, "customer": "cus_1", "payment_method": "pm_card_visa"},
        auth=(pair["consumer_key"], pair["consumer_secret"]),
        headers={"X-Forwarded-Proto": "https"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def documented() -> list[list[str]]:
    """The page's commands that run the bridge's program, without Docker's own words."""
    lines = re.findall(r"^docker .*", PAGE.replace("\\\n", " "), re.MULTILINE)
    commands = [shlex.split(line) for line in lines if " --rm " in line]
    return [
        words[words.index(name) + 1 :] for words in commands for name in ("bridge", "wcpay-bridge") if name in words
    ]


def test_the_pages_commands_are_the_programs() -> None:
    given = documented()
    assert [words[0] for words in given] == ["doctor", "stores", "keys", "init", "doctor", "migrate"]
    program = str(Path(sys.executable).with_name("wcpay-bridge"))
    for words in given:
        name = [word for word in words[:2] if not word.startswith("-") and word.isalpha()]
        told = subprocess.run([program, *name, "--help"], capture_output=True, text=True, timeout=60)
        assert told.returncode == 0
        assert [word for word in words if word.startswith("--") and word not in told.stdout] == []
