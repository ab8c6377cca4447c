"""Three hosts outside the checkout, each upgraded from yesterday's database, SQLite or PostgreSQL, as docs/mounting.md
says.

`bare` is the page's own app; `factory` has flask-smorest, Flask-WTF, Flask-Login, Flask-Talisman and error pages of its
own; `suite` has two apps, and a test suite with the fixtures of `bridge.testing`.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.docs.reader import Reader, blocks

HOSTS = Path(__file__).parent / "hosts"
PAGE = "docs/mounting.md"
INTENTS = "/wp-json/wc/v3/payments/payment_intents"
ASK = """
import json, os, sys
from flask.cli import ScriptInfo

client = ScriptInfo(os.environ["FLASK_APP"]).load_app().test_client()
told = []
for method, path in json.load(sys.stdin):
    answer = client.open(path, method=method, base_url="https://127.0.0.1", json={} if method == "POST" else None)
    told.append([answer.status_code, answer.get_data(as_text=True)])
print(json.dumps(told))
"""


@dataclass
class Host:
    """A host in a folder of its own. `pages` are its own, with what they answer, whatever the bridge is at."""

    reader: Reader
    pages: dict[tuple[str, str], tuple[int, str]]

    def ask(self, *asked: tuple[str, str]) -> list[tuple[int, str]]:
        self.reader.paste(f"{sys.executable} ask.py", stdin=json.dumps(asked))
        return [(status, body) for status, body in json.loads(self.reader.said)]


def bare(reader: Reader, database_url: str) -> dict[str, str]:
    app = blocks(PAGE)[0].text
    own = re.search(r'BRIDGE_DATABASE_URL=f".*"', app)
    assert own
    (reader.folder / "app.py").write_text(app.replace(own[0], f"BRIDGE_DATABASE_URL={database_url!r}"))
    return {"FLASK_APP": "app"}


def factory(reader: Reader, database_url: str) -> dict[str, str]:
    copy("factory", reader.folder / "factory")
    config = {"BRIDGE_DATABASE_URL": database_url}
    return {"FLASK_APP": f"factory:create_app(config={config})"}


def suite(reader: Reader, database_url: str) -> dict[str, str]:
    copy("suite", reader.folder)
    config = {
        "BRIDGE_SECRET_KEY": f"file:{reader.folder}/instance/bridge.key",
        "BRIDGE_DATABASE_URL": database_url,
    }
    return {"FLASK_APP": f"shop:create_shop({config})"}


def copy(name: str, folder: Path) -> None:
    shutil.copytree(HOSTS / name, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


PAGES: dict[Any, dict[tuple[str, str], tuple[int, str]]] = {
    bare: {("GET", "/nowhere"): (404, "Not Found")},
    factory: {
        ("GET", "/shop/"): (200, '"apple"'),
        ("POST", "/shop/form"): (418, "The host's page: 400"),
        ("GET", "/nowhere"): (418, "The host's page: 404"),
    },
    suite: {("GET", "/nowhere"): (404, "Not Found")},
}


@pytest.fixture(params=PAGES, ids=lambda make: make.__name__)
def host(request: pytest.FixtureRequest, tmp_path: Path, old_url: str) -> Iterator[Host]:
    """With a key, and a database of the first version that has a store."""
    with Reader(tmp_path) as reader:
        instance = tmp_path / "instance"
        instance.mkdir()
        (instance / "bridge.key").write_text("k" * 40)
        (instance / "bridge.key").chmod(0o600)
        reader.environ |= request.param(reader, old_url)
        (tmp_path / "ask.py").write_text(ASK)
        yield Host(reader, PAGES[request.param])


def test_it_is_upgraded_by_the_commands_of_the_page(host: Host) -> None:
    api, ready = ("POST", f"/pay{INTENTS}"), ("GET", "/pay/bridge/v1/health/ready")
    for status, code, health in ((503, "wcpay_not_ready", 503), (401, "rest_forbidden", 200)):
        of_bridge, of_health, *own = host.ask(api, ready, *host.pages)
        assert (of_bridge[0], json.loads(of_bridge[1])["code"], of_health[0]) == (status, code, health)
        for answer, (wanted, words) in zip(own, host.pages.values(), strict=True):
            assert answer[0] == wanted
            assert words in answer[1]
        if status == 503:
            [upgrade] = [block for block in blocks(PAGE) if block.text.startswith("flask bridge migrate")]
            migrate, doctor = upgrade.text.splitlines()
            host.reader.paste(migrate)
            host.reader.paste(doctor, code=1)  # the old store's shop is nowhere, and no worker lives
            assert "shop" in host.reader.said
            assert "migrate" not in host.reader.said


def test_two_apps_of_one_project_are_tested_with_the_fixtures(tmp_path: Path) -> None:
    copy("suite", tmp_path)
    with Reader(tmp_path) as reader:
        reader.paste(f"{sys.executable} -m pytest -q -p no:cacheprovider -p no:xdist -W error")
        assert "14 passed" in reader.said
