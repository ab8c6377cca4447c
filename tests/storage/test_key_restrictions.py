"""A database of before keys could be restricted: they may do what they could, and what a rotation ends is known."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from bridge.selftest.postgresql import drop_database, new_database
from bridge.storage import Database, keys, migrate

STORE = """
insert into stores (id, url, adapter, live, capture, identity, consumer_key, consumer_secret, settings, options,
    created, updated, shop_id)
values ('shop', 'https://shop.example', 'sandbox', false, 'automatic', 'https://shop.example', '', '', '{}', '{}', 0, 0,
    'shop')
"""
KEY = """
insert into api_keys (id, store_id, key_hash, truncated, secret, permissions, description, created, expires)
values (:id, 'shop', :id, :id, '', 'read_write', '', 0, :expires)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'before.sqlite'}"
        return
    url = new_database(request.getfixturevalue("postgres_server").admin_url)
    yield url
    drop_database(url)


def bring_to(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", "bridge:storage/migrations")
    config.set_main_option("path_separator", "os")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def test_keys_of_before_may_do_what_they_could(empty_url: str) -> None:
    before = Database(empty_url)
    bring_to(before, "0017")
    with before.write() as connection:
        connection.execute(text("insert into shops (id, created) values ('shop', 0)"))
        connection.execute(text(STORE))
        connection.execute(text(KEY), [{"id": "plain", "expires": None}, {"id": "rotated", "expires": 7.0}])
    before.close()
    migrate(empty_url)
    after = Database(empty_url)
    with after.read() as connection:
        found = {key.id: key for key in keys.of_store(connection, "shop")}
        ending = keys.ending(connection, 1000.0, 9)
    after.close()
    assert {name: (key.expires, key.networks, key.may_refund, key.replaced) for name, key in found.items()} == {
        "plain": (None, (), True, False),
        "rotated": (7.0, (), True, True),
    }
    assert ending == []
