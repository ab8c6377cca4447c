"""The rooms import each other in one direction only, and the reader of imports notices when they don't."""

import pytest

from tests.repository.directions import ROOMS, ROOT, Import, complaint, complaints, read_imports


def test_every_import_follows_the_table() -> None:
    assert list(complaints()) == []


def test_the_table_names_the_rooms_that_exist() -> None:
    folders = {path.parent.name for path in (ROOT / "bridge").glob("*/__init__.py")}
    files = {path.stem for path in (ROOT / "bridge").glob("*.py")}
    assert folders | files == set(ROOMS)


def test_no_file_of_the_repository_imports_a_top_level_schemas() -> None:
    files = [*ROOT.glob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]
    ours = [path for path in files if ROOT / "tests" / "mounting" / "host" not in path.parents]  # has its own schemas
    imported = {imported.target.partition(".")[0] for path in ours for imported in read_imports("_", path.read_text())}
    assert "pytest" in imported
    assert "schemas" not in imported


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("bridge.http.auth", "from bridge import storage", "entry may not import storage"),
        ("bridge.http.auth", "from bridge.storage.keys import find", "entry may not import storage"),
        ("bridge.http.auth", "from ..storage import keys", "entry may not import storage"),
        ("bridge.web.pay", "import bridge.adapters.sandbox", "pages may not import adapters"),
        ("bridge.web.pay", "from bridge.http import auth", "pages may not import http"),
        ("bridge.web.pay", "import stripe", "pages may not import stripe"),
        ("bridge.http.auth", "from bridge.app import Bridge", "entry may not import app"),
        ("bridge.http.auth", "from bridge import Bridge", "entry may not import __init__"),
        ("bridge.payments.create", "import flask", "use cases may not import flask"),
        ("bridge.payments.create", "import requests", "use cases may not import requests"),
        ("bridge.payments.create", "import sqlalchemy", "use cases may not import sqlalchemy"),
        ("bridge.payments.create", "from bridge.stores import woocommerce", "use cases may not import stores"),
        ("bridge.payments.create", "from bridge.schemas import woopayments", "use cases may not import schemas"),
        ("bridge.adapters.sandbox", "from bridge.stores import woocommerce", "edges may not import stores"),
        (
            "bridge.stores.woocommerce.order_book",
            "from bridge.adapters import transport",
            "edges may not import adapters",
        ),
        ("bridge.outbound.transport", "from bridge.schemas import woocommerce", "outbound may not import schemas"),
        ("bridge.payments.create", "from bridge.outbound import transport", "use cases may not import outbound"),
        ("bridge.adapters.sandbox", "import flask", "edges may not import flask"),
        ("bridge.adapters.sandbox", "from werkzeug import Response", "edges may not import werkzeug"),
        ("bridge.stores.woocommerce.order_book", "from bridge.storage import outbox", "edges may not import storage"),
        ("bridge.adapters.sandbox", "import pytest", "pytest belongs in bridge.adapters.contract and bridge.testing"),
        ("bridge.cli", "import pytest", "pytest belongs in bridge.adapters.contract and bridge.testing"),
        ("bridge.storage.tables", "from bridge.payments import create", "storage may not import payments"),
        ("bridge.domain.money", "import requests", "domain may not import requests"),
        ("bridge.domain.money", "from bridge.storage import tables", "domain may not import storage"),
        ("bridge.schemas.woopayments", "from bridge.domain import money", "schemas import each other relatively"),
        ("bridge.schemas.woopayments", "from bridge.schemas import fields", "schemas import each other relatively"),
        ("bridge.schemas.woopayments", "from ..domain import money", "schemas may not import domain"),
        ("bridge.schemas.woopayments", "import flask", "schemas may not import flask"),
        ("bridge.simulators.stripe", "from bridge.schemas import woopayments", "simulators may not import schemas"),
        ("bridge.simulators.stripe", "from bridge.adapters import sandbox", "simulators may not import adapters"),
        ("bridge.simulators.stripe", "from bridge.domain import money", "simulators may not import domain"),
        ("bridge.simulators.stripe", "import sqlalchemy", "simulators may not import sqlalchemy"),
        ("bridge.app", "import schemas", "the name is bridge.schemas"),
        ("bridge.app", "from schemas.woopayments import Intent", "the name is bridge.schemas"),
        ("bridge.domain.money", "def late():\n    import requests", "domain may not import requests"),
        ("bridge.domain.money", "importlib.import_module('requests')", "domain may not import requests"),
    ],
)
def test_a_forbidden_import_is_noticed(module: str, source: str, said: str) -> None:
    assert [complaint(module, imported) for imported in read_imports(module, source)] == [said]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bridge.app", "from bridge.simulators import stripe"),
        ("bridge.cli.demo", "from bridge import app"),
        ("bridge.http.auth", "from flask_smorest import Blueprint"),
        ("bridge.http.auth", "from werkzeug.exceptions import NotFound"),
        ("bridge.http.auth", "from .manners import parse"),
        ("bridge.payments.create", "from bridge.storage import intents"),
        ("bridge.adapters.contract", "import pytest"),
        ("bridge.testing", "import pytest"),
        ("bridge.adapters.stripe_connect", "import stripe"),
        ("bridge.stores.woocommerce.order_book", "from bridge.schemas.woocommerce import Order"),
        ("bridge.storage.engine", "def migrate():\n    from alembic import command"),
        ("bridge.domain.money", "from decimal import Decimal"),
        ("bridge.schemas.woopayments", "from .fields import Money"),
        ("bridge.simulators.stripe", "from bridge.simulators.ledger import Ledger"),
    ],
)
def test_an_allowed_import_is_let_through(module: str, source: str) -> None:
    assert [complaint(module, imported) for imported in read_imports(module, source)] == [None]


def test_a_new_room_needs_a_place_in_the_table() -> None:
    assert complaint("bridge.helpers", Import(1, "json")) == "helpers is no room of the house"


def test_relative_imports_of_a_package_start_at_the_package_itself() -> None:
    read = list(read_imports("bridge.http", "from .auth import Caller\nfrom . import blueprint", is_package=True))
    assert read == [
        Import(1, "bridge.http.auth.Caller", relative=True),
        Import(2, "bridge.http.blueprint", relative=True),
    ]
