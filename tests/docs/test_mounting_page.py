"""docs/mounting.md is followed: the app of its first block, its upgrade, its servers, its tests."""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests.cli.processes import wait_for
from tests.docs.owner import Owner, free_port, owner
from tests.docs.reader import Block, Elsewhere, Paste, Reader, Start, Step, Write, blocks, follow
from tests.docs.test_connecting import MakeKeys

PAGE = "docs/mounting.md"
HERE = "tests/docs/test_mounting_page.py::"
IMPORTS = "from bridge import Bridge\n\nfrom app import app\nfrom shop_orders import ShopOrders\n\n"
ASGI = """
from a2wsgi import WSGIMiddleware
from app import app as flask_app

app = WSGIMiddleware(flask_app)
"""
SERVERS = {
    "gthread": "gunicorn --bind 127.0.0.1:{port} --worker-class gthread --threads 4 app:app",
    "gevent": "gunicorn --bind 127.0.0.1:{port} --worker-class gevent app:app",
    "preload": "cd preloaded && gunicorn --bind 127.0.0.1:{port} --preload --workers 2 app:app",
    "reloader": "flask run --debug --port {port}",
    "asgi": "uvicorn --port {port} asgi:app",
}


class Try(Step):
    """With an order of the shop's."""

    def take(self, reader: Reader, block: Block) -> None:
        assert isinstance(reader, Owner)
        reader.fills["1234"] = str(reader.shop.add_order(total="10.23"))
        reader.paste(block.text.replace("ck_...:cs_...", "$KEY"), where=block.where)
        assert '"status":"succeeded"' in reader.said


def test_the_page_is_followed(tmp_path: Path) -> None:
    with owner(tmp_path) as reader:
        port = str(free_port())
        reader.fills |= {"flask run": f"flask run --port {port}", "127.0.0.1:5000": f"127.0.0.1:{port}"}
        table = (
            ("# app.py", Write("app.py")),
            ("flask bridge init", MakeKeys(stdin=f"{reader.secret}\n")),
            ("flask run", Start("Running on")),
            ("curl", Try()),
            ("flask bridge migrate", Paste(["newest schema"], code=0)),
            ("# gunicorn.conf.py", Elsewhere(f"{HERE}test_a_server_serves_it_with_a_worker")),
            ("from flask import Flask\nfrom bridge", Write("tests/shop.py")),
            ("import pytest\nfrom shop", Write("tests/conftest.py")),
            ("import pytest\nfrom bridge", Write("tests/test_payments.py")),
            ("bridge = Bridge(config", Write("orders_app.py", before=IMPORTS)),
            ('"""The orders of a shop', Write("shop_orders.py")),
            ("class Warehouse(ShopOrders)", Write("warehouse.py", before="from shop_orders import ShopOrders\n")),
        )
        follow(PAGE, reader, table)
        reader.paste(f"cd tests && {sys.executable} -m pytest -q -p no:cacheprovider -p no:xdist -W error")
        assert "5 passed" in reader.said
        reader.paste('python -c \'import orders_app, warehouse; print(warehouse.Warehouse("x").shop("y"))\'')
        assert reader.said == "the warehouse\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """The folder of the page's app, after its `flask bridge init`."""
    app, first, *_ = blocks(PAGE)
    with Reader(tmp_path_factory.mktemp("app")) as reader:
        Write("app.py").take(reader, app)
        reader.paste(first.text.splitlines()[0])
        [hook] = [block for block in blocks(PAGE) if block.text.startswith("# gunicorn.conf.py")]
        without = (reader.folder / "app.py").read_text().replace(", worker=True", "")
        for name, code in {"app.py": without, "gunicorn.conf.py": hook.text}.items():
            path = reader.folder / "preloaded" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(code)
        (reader.folder / "preloaded" / "instance").symlink_to(reader.folder / "instance")
        (reader.folder / "asgi.py").write_text(ASGI)
        yield reader


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_serves_it_with_a_worker(made: Reader, name: str) -> None:
    """As docs/mounting.md says of each server."""
    with Reader(made.folder) as reader:
        (made.folder / "instance" / "bridge.sqlite").unlink()
        reader.paste("flask bridge init")
        database, port = made.folder / "instance" / "bridge.sqlite", free_port()
        before = next_heartbeat(database)
        reader.start(SERVERS[name].format(port=port), f"{port}", PAGE)
        url = f"http://127.0.0.1:{port}/pay/bridge/v1/health/ready"
        wait_for(lambda: answers(url))
        wait_for(lambda: next_heartbeat(database) != before)


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=20).status_code == 200
    except requests.ConnectionError:
        return False


def next_heartbeat(database: Path) -> list[tuple[float]]:
    """When a worker says next that it is alive, in Unix seconds; it moves with each time."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("select due from jobs where name = 'heartbeat'").fetchall()
