"""The database: one engine a process, short transactions, exact money, aware times; SQLite and PostgreSQL alike."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    Table,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
)
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session
from sqlalchemy.types import TypeDecorator

FEN = Decimal("0.01")
CLOCK_SECONDS = 5.0
LARGEST_GROUP = 500
# PostgreSQL's words for a deadlock and for a serialization failure.
CONTENTION = ("40P01", "40001")

Item = TypeVar("Item")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps none, so it is naive UTC there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Cny(TypeDecorator[Decimal]):
    """Yuan as Decimal with two places, kept as whole fen: exact on both databases, and sums stay exact."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        fen = value / FEN
        if fen != fen.to_integral_value():
            raise ValueError("an amount in yuan has two places")
        return int(fen)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) * FEN


class Word(TypeDecorator[Any]):
    """A word of one of our enumerations, kept as text so that a new word needs no migration."""

    impl = String(16)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class Base(DeclarativeBase):
    """Every table; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def connect(url: str, *, pings: bool = True) -> Engine:
    """Make the engine for a SQLAlchemy URL; nothing is connected yet. Its errors never show a row's values.

    `pings`: whether a pooled connection is tried before each use. Who begins again after an error can do without.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url, pool_size=10, max_overflow=20, pool_pre_ping=pings, hide_parameters=True)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN would come too late for BEGIN IMMEDIATE: we say it ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    # A transaction that reads first and writes later cannot be upgraded once another has written.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One short writing transaction: committed at the end, rolled back on an error."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One snapshot to read from; it never waits for a writer."""
    with Session(engine.execution_options(reading=True), expire_on_commit=False) as session, session.begin():
        yield session


def insert_many(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows at once; columns that rows leave out get their defaults.

    The rows go to the driver directly: a statement's own way costs twice as much. PostgreSQL takes a group as one
    JSON document, thousands by COPY. Raises IntegrityError as statements do.
    """
    if not rows:
        return
    columns = [column for column in table.columns if column.name in rows[0] or column.default is not None]
    names = ", ".join(column.name for column in columns)
    cursor: Any = db.connection.cursor()
    with _integrity_errors(db):
        if db.dialect.name != "postgresql":
            places = ", ".join(f":{column.name}" for column in columns)
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608
            cursor.executemany(statement, _values(db.dialect, columns, rows))
        elif len(rows) > LARGEST_GROUP:
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in _values(db.dialect, columns, rows):
                    copy.write_row(list(row.values()))
        else:
            given = _recordset(columns, db.dialect)
            statement = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {given}"  # noqa: S608
            cursor.execute(statement, [_document(db.dialect, columns, rows)])


def update_many(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write many rows at once: each names its `id` and, all alike, the columns to set."""
    if not rows:
        return
    columns = [table.c[name] for name in rows[0]]
    names = [column.name for column in columns if column.name != "id"]
    cursor: Any = db.connection.cursor()
    with _integrity_errors(db):
        if db.dialect.name != "postgresql":
            changes = ", ".join(f"{name} = :{name}" for name in names)
            statement = f"UPDATE {table.name} SET {changes} WHERE id = :id"  # noqa: S608
            cursor.executemany(statement, _values(db.dialect, columns, rows))
        else:
            changes = ", ".join(f"{name} = new.{name}" for name in names)
            given = _recordset(columns, db.dialect)
            statement = f"UPDATE {table.name} SET {changes} FROM {given} WHERE {table.name}.id = new.id"  # noqa: S608
            cursor.execute(statement, [_document(db.dialect, columns, rows)])


@contextmanager
def together(db: Connection) -> Iterator[None]:
    """Writes in here are sent to PostgreSQL without waiting for each other's answer; errors show at the end."""
    if db.dialect.name == "postgresql":
        driver: Any = db.connection.driver_connection
        with _integrity_errors(db), driver.pipeline():
            yield
    else:
        yield


def _recordset(columns: Sequence[Column[Any]], dialect: Dialect) -> str:
    """One parameter with all rows, as a table called new."""
    typed = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in columns)
    return f"jsonb_to_recordset(CAST(%s AS jsonb)) AS new({typed})"


def _document(dialect: Dialect, columns: Sequence[Column[Any]], rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as JSON, in which a JSON column's value stands as it is."""
    as_it_is = {column.name for column in columns if isinstance(column.type, JSON)}
    values = _values(dialect, [column for column in columns if column.name not in as_it_is], rows)
    if as_it_is:
        values = [value | {name: row.get(name) for name in as_it_is} for value, row in zip(values, rows, strict=True)]
    return json.dumps(values, default=str)


def _values(
    dialect: Dialect, columns: Sequence[Column[Any]], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows as the driver takes them, defaults filled in."""
    ready = [(column.name, *_storing(column, dialect)) for column in columns]
    return [
        {
            name: process(row.get(name, default)) if process else row.get(name, default)
            for name, process, default in ready
        }
        for row in rows
    ]


@contextmanager
def _integrity_errors(db: Connection) -> Iterator[None]:
    """The driver's refusal of a duplicate as the error that statements raise, without the rows."""
    try:
        yield
    except db.dialect.loaded_dbapi.IntegrityError as error:
        raise IntegrityError("many rows", None, error, hide_parameters=True) from error


def _storing(column: Column[Any], dialect: Dialect) -> tuple[Callable[[Any], Any] | None, Any]:
    """What makes a column's value one of the driver's, if anything has to, and its default."""
    kind: Any = column.type.dialect_impl(dialect)
    process = kind.bind_processor(dialect)
    if process is not None and not isinstance(column.type, JSON):
        # Words, times and amounts repeat from row to row.
        process = lru_cache(maxsize=4096)(process)
    return process, getattr(column.default, "arg", None)


def one_of(db: Session, column: InstrumentedAttribute[Any], values: Iterable[str]) -> Any:
    """The condition that a column holds one of very many texts, handed over as one parameter instead of thousands."""
    listed = list(values)
    if db.connection().dialect.name == "postgresql":
        return column == any_(literal(listed, ARRAY(String)))
    each = func.json_each(json.dumps(listed)).table_valued("value")
    return column.in_(select(each.c.value))


def lost_a_race(error: DBAPIError) -> bool:
    """Whether beginning again will help: somebody stored the same number first, or two waited for each other."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in CONTENTION


def padded(items: Sequence[Item]) -> Sequence[Item]:
    """The same items, the last repeated up to a power of two: IN lists of few lengths are plans the database keeps."""
    return [*items, *[items[-1]] * ((1 << (len(items) - 1).bit_length()) - len(items))] if items else items


class DatabaseClock:
    """The database's clock without a round trip each time: read now and then, counted on in between."""

    def __init__(self) -> None:
        self._read = (float("-inf"), datetime.min.replace(tzinfo=UTC))

    def __call__(self, db: Connection) -> datetime:
        read_at, moment = self._read
        passed = time.monotonic() - read_at
        if passed < CLOCK_SECONDS:
            return moment + timedelta(seconds=passed)
        moment = now(db)
        # One assignment: two threads share this clock.
        self._read = (time.monotonic(), moment)
        return moment


def now(db: Session | Connection) -> datetime:
    """The database's clock: hosts may differ, leases and due times must not."""
    connection = db.connection() if isinstance(db, Session) else db
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)
