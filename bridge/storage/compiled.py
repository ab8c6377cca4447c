"""Statements of SQLAlchemy Core, compiled once and run on the driver's own connection.

Core stays the language. What SQLAlchemy does anew for whatever it runs (a key to look the statement up by, a context,
a result for every use) costs several times as much as the statement itself; here each is compiled once, to its text
and to what turns values into the driver's and back. Errors are those that SQLAlchemy raises, and name no value.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import lru_cache
from operator import itemgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from sqlalchemy import Dialect, Engine, Executable, exc
from sqlalchemy.pool import Pool, PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import LRUCache

MAX_STATEMENTS = 500
"""How many compiled statements a database keeps, as many as SQLAlchemy does: those of the modules are far fewer."""
Values = Mapping[str, Any]
Watcher = Callable[["Connection", str, Any], None]
"""Told of everything that a connection sends, before it is sent: the connection, the text and the driver's values."""
_ABSENT: Any = object()


class Row(tuple[Any, ...]):
    """A row: a tuple whose values also have the names of their columns."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @property
    def _mapping(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))


class Result:
    """All rows that a statement has returned. `rowcount` is how many it has changed."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows, self.rowcount = rows, rowcount

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def all(self) -> list[Row]:
        return self._rows

    def first(self) -> Row | None:
        return self._rows[0] if self._rows else None

    def one(self) -> Row:
        """Raises sqlalchemy.exc.InvalidRequestError unless there is exactly one."""
        if not self._rows:
            raise exc.NoResultFound("No row was found when one was required")
        if len(self._rows) > 1:
            raise exc.MultipleResultsFound("Multiple rows were found when exactly one was required")
        return self._rows[0]

    def scalar(self) -> Any | None:
        """The first value of the first row, None if there is none."""
        return self._rows[0][0] if self._rows else None

    def scalar_one(self) -> Any:
        """The first value of the only row. Raises like `one`."""
        return self.one()[0]

    def scalars(self) -> list[Any]:
        """The first value of every row."""
        return [row[0] for row in self._rows]


class Compiled:
    """A statement for one dialect and one set of names of values."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Sequence[str]) -> None:
        columns = getattr(statement, "exported_columns", ())
        returns = getattr(statement, "is_select", False) or len(columns) > 0
        # As for many rows: then nothing is fetched that the statement does not ask for, such as a new row's number.
        compiled: Any = statement.compile(  # type: ignore[attr-defined]
            dialect=dialect, column_keys=list(names), for_executemany=not returns
        )
        self._dialect = dialect
        self.is_select: bool = getattr(statement, "is_select", False)
        self.text: str = str(compiled)
        self._types = [column.type for column in columns]
        self._rows: tuple[type[Row], list[Any] | None] | None = None
        self._slots = _slots(compiled, dialect)
        self._order: list[str] | None = compiled.positiontup
        # Lists of values: how many there are is known only when it is run.
        self._expanding: SQLCompiler | None = (
            compiled if compiled.post_compile_params or compiled.literal_execute_params else None
        )

    def bind(self, values: Values) -> tuple[str, Any]:
        """The text, and the values as the driver takes them. Raises sqlalchemy.exc.InvalidRequestError if one is
        missing."""
        if self._expanding is not None:
            return self._expand(self._expanding, values)
        found = {}
        for name, key, default, process in self._slots:
            value = values.get(key, default)
            if value is _ABSENT:
                raise exc.InvalidRequestError(f"A value is required for bind parameter {key!r}")
            found[name] = value if process is None else process(value)
        return self.text, found if self._order is None else tuple(found[name] for name in self._order)

    def _expand(self, compiled: SQLCompiler, values: Values) -> tuple[str, Any]:
        state = compiled.construct_expanded_state(values)
        processors = {name: process for name, _, _, process in self._slots if process} | dict(state.processors)
        found = {
            name: processors[name](value) if name in processors else value for name, value in state.parameters.items()
        }
        return state.statement, found if state.positiontup is None else tuple(found[name] for name in state.positiontup)

    def rows(self, cursor: Any) -> list[Row]:
        """What the cursor has, as the statement's columns say."""
        if not cursor.description:
            return []
        make, processors = self._rows or self._learn(cursor.description)
        if processors is None:
            return [make(row) for row in cursor.fetchall()]
        return [
            make(value if process is None else process(value) for process, value in zip(processors, row, strict=True))
            for row in cursor.fetchall()
        ]

    def _learn(self, description: Sequence[Any]) -> tuple[type[Row], list[Any] | None]:
        names = tuple(column[0] for column in description)
        fields = {name: property(itemgetter(number)) for number, name in enumerate(names)}
        row = type("Row", (Row,), {"__slots__": (), "_fields": names} | fields)
        processors = [
            kind.dialect_impl(self._dialect).result_processor(self._dialect, column[1])
            for kind, column in zip(self._types, description, strict=False)  # plain text has no types
        ]
        self._rows = row, processors if any(processors) else None
        return self._rows


class _Sent(NamedTuple):
    """What the driver gets: a text, and the values of each time that it is run; None if there are none."""

    text: str
    values: list[Any]
    compiled: Compiled | None = None

    def to(self, cursor: Any) -> Result:
        if self.compiled is None:
            cursor.execute(self.text)
            return Result([], 0)
        if len(self.values) > 1:
            cursor.executemany(self.text, self.values)
            return Result([], cursor.rowcount)
        cursor.execute(self.text, self.values[0])
        return Result(self.compiled.rows(cursor), cursor.rowcount)


def _slots(compiled: Any, dialect: Dialect) -> list[tuple[str, str, Any, Any]]:
    """Of each value: its name in the text, its name for callers, what it is if they do not say, and what turns it into
    the driver's."""
    return [
        (
            name,
            bind.key,
            _ABSENT if bind.required else bind.effective_value,
            bind.type.dialect_impl(dialect).bind_processor(dialect),
        )
        for bind, name in compiled.bind_names.items()
    ]


class Connections:
    """Where connections come from: the engine's pool, which is bounded. Keeps what was compiled."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.dialect = engine, engine.dialect
        self.find = lru_cache(MAX_STATEMENTS)(self._find)
        self._by_shape: Any = LRUCache(MAX_STATEMENTS)

    @property
    def error(self) -> Any:
        """What all errors of the driver are."""
        return self.dialect.loaded_dbapi.Error

    def take(self) -> PoolProxiedConnection:
        """Raises what SQLAlchemy raises: TimeoutError if all were in use for too long, and the driver's as its own."""
        try:
            return self.engine.raw_connection()
        except self.error as error:
            raise self.explained(error, None) from error

    def forget(self, pool: Pool) -> None:
        """Whoever waits in the pool is not used any more. Another one may have seen to it by now."""
        if self.engine.pool is pool:
            self.engine.dispose()

    def explained(self, error: Exception, text: str | None, *, is_dead: bool = False) -> BaseException:
        """An error of the driver as one of SQLAlchemy's, without values."""
        return exc.DBAPIError.instance(
            text, None, error, self.error, hide_parameters=True, connection_invalidated=is_dead, dialect=self.dialect
        )

    def _find(self, statement: Executable, names: tuple[str, ...]) -> tuple[Compiled, Values]:
        """What the statement is compiled to, and the values that are in it.

        Of a module's statement that is remembered, by the object itself. One that is built for one call has the shape
        of another, as SQLAlchemy's own cache knows it, and other values in the same places.
        """
        shape: Any = statement._generate_cache_key()  # type: ignore[attr-defined]
        if shape is None:
            return Compiled(statement, self.dialect, names), {}
        known = self._by_shape.get((shape.key, names))
        if known is None:
            compiled = Compiled(statement, self.dialect, names)
            self._by_shape[shape.key, names] = compiled, shape.bindparams
            return compiled, {}
        compiled, places = known
        return compiled, {
            place.key: own.effective_value
            for place, own in zip(places, shape.bindparams, strict=True)
            if not own.required
        }


class Connection:
    """A connection of the driver for the time of a `with`: if `begin` says how, in a transaction, which is committed
    in the end or rolled back.

    One that turns out to be dead at its first statement, as after a restart of the server, is replaced once: nothing
    was done by then. Later it is an error, and nobody knows whether a COMMIT that fails so was done.
    """

    def __init__(self, connections: Connections, begin: str, watchers: Sequence[Watcher]) -> None:
        self.dialect = connections.dialect
        self._connections, self._begin, self._watchers = connections, begin, watchers
        self._held: PoolProxiedConnection | None = None
        self._pool = connections.engine.pool
        self._is_proven = self._is_dead = False

    @property
    def driver(self) -> Any:
        """The driver's own connection."""
        return self._held.driver_connection if self._held else None

    def __enter__(self) -> Self:
        self._take()
        try:
            if self._begin:
                self._control(self._begin)
        except BaseException as error:
            self._give_back(dead=self._is_broken_by(error))
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if self._begin and kind is None:
                self._control("COMMIT")
            elif self._begin and not self._is_dead:
                self._roll_back()
        except BaseException as left_open:
            self._give_back(dead=self._is_broken_by(left_open))
            raise
        self._give_back(dead=self._is_dead or (error is not None and self._is_broken_by(error)))

    def execute(self, statement: Executable, values: Values | Sequence[Values] | None = None) -> Result:
        """Run it once, or once for each of several mappings of values. Raises sqlalchemy.exc.DBAPIError."""
        each: Sequence[Values] = [values] if isinstance(values, Mapping) else values or [{}]
        compiled, within = self._connections.find(statement, tuple(each[0]))
        bound = [compiled.bind({**within, **one} if within else one) for one in each]
        return self._run(_Sent(bound[0][0], [one for _, one in bound], compiled), is_harmless=compiled.is_select)

    @contextmanager
    def begin_nested(self) -> Iterator[None]:
        """A part of the transaction, which is undone by itself if it fails."""
        self._control("SAVEPOINT part")
        try:
            yield
        except BaseException:
            with suppress(exc.DBAPIError):
                self._control("ROLLBACK TO SAVEPOINT part")
            raise
        self._control("RELEASE SAVEPOINT part")

    def _is_broken_by(self, error: BaseException) -> bool:
        """Whether nobody can use the connection again. An error of a full disk, say, leaves it whole: the pool rolls
        back what is left of the transaction, and a new one could not even be opened."""
        return self._is_dead or not isinstance(error, Exception)

    def _roll_back(self) -> None:
        """If that fails, too, what went wrong before says more; SQLite has done it by itself when its disk is full."""
        with suppress(exc.DBAPIError):
            self._control("ROLLBACK")

    def _control(self, text: str) -> None:
        self._run(_Sent(text, [None]), is_harmless=text == self._begin)

    def _run(self, sent: "_Sent", *, is_harmless: bool) -> Result:
        """`is_harmless` is what may be sent a second time."""
        try:
            return self._send(sent)
        except exc.DBAPIError as error:
            if self._is_proven or not (is_harmless and error.connection_invalidated):
                raise
        self._give_back(dead=True)
        self._connections.forget(self._pool)
        self._take()
        return self._send(sent)

    def _send(self, sent: "_Sent") -> Result:
        held = self._held
        if held is None:
            raise exc.ResourceClosedError("The connection was lost, and there is not another one.")
        try:
            with closing(held.cursor()) as cursor:
                for watch in self._watchers:
                    watch(self, sent.text, sent.values[0])
                result = sent.to(cursor)
        except self._connections.error as error:
            self._is_dead = self._is_dead or self.dialect.is_disconnect(error, held, None)
            raise self._connections.explained(error, sent.text, is_dead=self._is_dead) from error
        self._is_proven = True
        return result

    def _take(self) -> None:
        self._pool = self._connections.engine.pool
        self._held, self._is_dead = self._connections.take(), False

    def _give_back(self, *, dead: bool) -> None:
        held, self._held = self._held, None
        if held is not None and dead:
            held.invalidate()
        elif held is not None:
            held.close()
