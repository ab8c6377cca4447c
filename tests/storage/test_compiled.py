"""What is compiled once and run on the driver's connection answers what SQLAlchemy's own way answers, for every
statement of the product's modules: the same rows, names and types, the same counts, the same errors.
"""

import pkgutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Enum,
    Executable,
    Insert,
    LargeBinary,
    Numeric,
    String,
    Table,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.sql.sqltypes import NullType
from sqlalchemy.sql.visitors import iterate

import bridge.storage
from bridge.domain.intents import Status
from bridge.selftest.fill_database import fill
from bridge.storage import Connection, Database
from bridge.storage.tables import secrets
from tests.plugins.statements import sent

NOW = 1_790_000_000.0
MOMENT = datetime(2026, 11, 30, 12, 30, 15, 250_000, tzinfo=UTC)
UNCOUNTED = -1
"""What SQLAlchemy says of an INSERT for which it has the database return what it made."""
Ask = Callable[[Any], Any]


class _UndoneError(Exception):
    pass


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def statements() -> dict[str, Executable]:
    """All that the modules of `storage` have built once, by name."""
    found = {}
    for module in pkgutil.iter_modules(bridge.storage.__path__):
        if not module.ispkg:
            for name, value in vars(import_module(f"bridge.storage.{module.name}")).items():
                found |= {f"{module.name}.{name}{more}": each for more, each in _within(value)}
    return found


def _within(value: object) -> Iterator[tuple[str, Executable]]:
    if isinstance(value, ColumnElement):
        return
    if isinstance(value, Executable):
        yield "", value
    elif isinstance(value, dict):
        yield from ((f"[{key}]", each) for key, each in value.items() if isinstance(each, Executable))
    elif is_dataclass(value):
        parts = {field.name: getattr(value, field.name, None) for field in fields(value)}
        yield from ((f".{name}", each) for name, each in parts.items() if isinstance(each, Executable))


def one_way(database: Database, ask: Ask) -> Any:
    return _answer(database.write(), ask)


def other_way(database: Database, ask: Ask) -> Any:
    """SQLAlchemy's own, in a transaction as well."""
    return _answer(database._migrating.begin(), ask)


def _answer(transaction: Any, ask: Ask) -> Any:
    """Rows with the names and types of their values, and how many were changed; or what is raised. It is undone."""
    answer: list[Any] = []
    with suppress(_UndoneError):
        try:
            with transaction as connection:
                result = ask(connection)
                changed = result.rowcount
                rows = [(row._fields, [(type(value), value) for value in row]) for row in _rows(result)]
                answer.append(rows or changed)
                raise _UndoneError
        except DBAPIError as error:
            return type(error)
    return answer[0]


def _rows(result: Any) -> list[Any]:
    return list(result) if getattr(result, "returns_rows", True) else []


def samples(database: Database, statement: Executable) -> dict[str, Any]:
    """A value for whatever the statement asks for: of a row that is there, if the names say which."""
    tables = [part for part in iterate(statement) if isinstance(part, Table)]  # type: ignore[arg-type]
    with database.engine.connect() as connection:
        found = connection.execute(select(tables[0]).limit(1)).mappings().first() if tables else None
    row = dict(found or {})
    keys = statement.table.columns.keys() if isinstance(statement, Insert) else None
    compiled: Any = statement.compile(dialect=database.engine.dialect, column_keys=keys)  # type: ignore[attr-defined]
    values = {
        bind.key: [value] if bind.expanding else value
        for bind in compiled.bind_names
        if bind.required
        for value in [_sample(bind, row)]
    }
    if isinstance(statement, Insert):
        values |= {column.name: _new(values[column.name]) for column in statement.table.primary_key}
    return values


def _new(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return f"{value[:20]}-new" if isinstance(value, str) else value + 1_000_000


def _sample(bind: Any, row: dict[str, Any]) -> Any:
    plain = bind.key.removeprefix("the_")
    if isinstance(bind.type, NullType):
        return row.get(plain, NOW)
    for name in (plain, f"{plain}_id", "id"):
        if name in row and isinstance(row[name], bind.type.python_type):
            return row[name]
    made = {Boolean: False, Double: NOW, JSON: {"ü": [1, None, "'"]}, String: "1"}
    return next((value for kind, value in made.items() if isinstance(bind.type, kind)), 1)


def test_every_statement_of_the_modules_answers_the_same_both_ways(database: Database) -> None:
    fill(database, 3, 200, NOW)
    dialect = database.engine.dialect.name
    told, rows, failed = {}, 0, 0
    asked = {name: each for name, each in statements().items() if f"[{_other(dialect)}]" not in name}
    for name, statement in asked.items():
        ask = partial(_execute, statement=statement, values=samples(database, statement))
        for one, other in [(one_way(database, ask), other_way(database, ask)) for _ in range(2)]:
            told |= {name: (one, other)} if one != other and other != UNCOUNTED else {}
        rows += isinstance(one, list)
        failed += isinstance(one, type)
    assert told == {}
    assert len(asked) > 100
    assert rows > len(asked) / 3
    assert failed < len(asked) / 10


def _execute(connection: Any, *, statement: Executable, values: dict[str, Any]) -> Any:
    return connection.execute(statement, values)


def _other(dialect: str) -> str:
    return {"sqlite": "postgresql", "postgresql": "sqlite"}[dialect]


KINDS: dict[str, tuple[Any, list[Any]]] = {
    "bytes": (LargeBinary(), [b"\x00\xff'", b"", None]),
    "moments": (DateTime(), [MOMENT.replace(tzinfo=None), None]),
    "days": (Date(), [date(2026, 11, 30)]),
    "words": (Enum(Status, native_enum=False), [Status.SUCCEEDED, None]),
    "texts": (String(), ["it's 100% \\ : ü", "", None, Status.CANCELED]),
    "decimals": (Numeric(10, 2), [Decimal("12.50"), None]),
    "numbers": (BigInteger(), [2**62, -1, None]),
    "fractions": (Double(), [1_790_000_000.123456, 3, None]),
    "truths": (Boolean(), [True, False, None]),
    "documents": (JSON(), [{"a": [1, 2.5, None, {"ü": "'"}]}, [], "x", None]),
    "documents or nothing": (JSON(none_as_null=True), [{}, None]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_each_type_is_the_same_both_ways(database: Database, kind: str) -> None:
    statement = select(bindparam("value", type_=KINDS[kind][0]).label("found"))
    for value in KINDS[kind][1]:
        ask = partial(_execute, statement=statement, values={"value": value})
        assert one_way(database, ask) == other_way(database, ask)


def test_lists_of_any_length_many_rows_and_what_is_built_for_one_call(database: Database) -> None:
    names = select(secrets.c.name).where(secrets.c.name.in_(bindparam("names", expanding=True))).order_by("name")
    with database.write() as connection:
        made = [{"name": name, "value": f"{name}%s"} for name in "abc"]
        assert connection.execute(insert(secrets), made).rowcount == 3
        for wanted in ([], ["b"], ["c", "a"], ["a", "b", "c", "d"]):
            assert connection.execute(names, {"names": wanted}).scalars() == sorted(set(wanted) - {"d"})
        built = select(secrets).where(secrets.c.name.in_(["a", "c"]), secrets.c.value == "a%s")
        assert [tuple(row) for row in connection.execute(built)] == [("a", "a%s")]
        assert connection.execute(built).one()._mapping == {"name": "a", "value": "a%s"}
        with pytest.raises(InvalidRequestError, match="'names'"):
            connection.execute(names)
        for statement in (names, select(secrets)):
            with pytest.raises(InvalidRequestError):
                connection.execute(statement, {"names": []} if statement is names else None).one()


def test_a_part_of_a_transaction_is_undone_by_itself(database: Database) -> None:
    row = {"name": "a", "value": "b"}
    with database.write() as connection:
        connection.execute(insert(secrets), row)
        with pytest.raises(IntegrityError), connection.begin_nested():
            _add(connection, {"name": "c", "value": "d"}, row)
        with connection.begin_nested():
            connection.execute(insert(secrets), {"name": "e", "value": "f"})
    with database.read() as connection:
        assert connection.execute(select(secrets.c.name).order_by("name")).scalars() == ["a", "e"]


def test_statements_of_one_shape_have_their_own_values(database: Database) -> None:
    mine = bindparam("mine")
    with database.write() as connection:
        for name in "abcd":
            connection.execute(insert(secrets).values(name=name, value=f"of {name}"))
        for name in "abc":
            changed = update(secrets).where(secrets.c.name == mine).values(value=f"now of {name}")
            assert connection.execute(changed, {"mine": name}).rowcount == 1
        found = [
            connection.execute(
                select(secrets.c.value)
                .where(secrets.c.name.in_(names), secrets.c.value.like(f"{start}%"), secrets.c.name != mine)
                .order_by(secrets.c.name)
                .limit(most),
                {"mine": other},
            ).scalars()
            for names, start, other, most in (
                (["a", "b", "d"], "now", "", 9),
                (["a", "b", "d"], "of", "", 9),
                (["a", "b", "c"], "now", "a", 1),
                (["c"], "now", "a", 9),
                ([], "now", "a", 9),
            )
        ]
    assert found == [["now of a", "now of b"], ["of d"], ["now of b"], ["now of c"], []]


def _add(connection: Connection, *rows: dict[str, str]) -> None:
    for row in rows:
        connection.execute(insert(secrets), row)


def test_watchers_are_told_of_everything_that_is_sent(database: Database) -> None:
    begin = "BEGIN IMMEDIATE" if database.is_sqlite else "BEGIN"
    seen: list[Any] = []
    database.watchers = [lambda connection, statement, values: seen.append((statement, values))]
    with database.write() as connection:
        connection.execute(text("select :a"), {"a": "x"})
        with connection.begin_nested():
            connection.execute(text("select 1"))
    with pytest.raises(_UndoneError), database.write():
        raise _UndoneError
    with database.read() as connection:
        connection.execute(text("select 2"))
    database.watchers = ()
    assert [statement for statement, _ in seen if "select" not in statement] == [
        begin,
        "SAVEPOINT part",
        "RELEASE SAVEPOINT part",
        "COMMIT",
        begin,
        "ROLLBACK",
    ]
    assert [values for statement, values in seen if "select" in statement] == (
        [("x",), (), ()] if database.is_sqlite else [{"a": "x"}, {}, {}]
    )
    with sent(database) as texts, database.snapshot() as connection:
        connection.execute(text("select 3"))
    assert texts[0].startswith("BEGIN")
    assert texts[1:] == ["select 3", "COMMIT"]
