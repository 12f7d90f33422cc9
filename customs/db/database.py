"""Database: one engine a process, short transactions, exact money, aware times; for SQLite and PostgreSQL."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from customs.timestamps import MACHINE, Clock

HUNDREDTH = Decimal("0.01")
CLOCK_SECONDS = 5.0
SLEPT_SECONDS = 0.5
# PostgreSQL's words for a deadlock and for a serialization failure.
CONTENTION = ("40P01", "40001")
NO_PRIVILEGE = "42501"
POSTGRESQL_SETTINGS = {
    # The tables' shapes change from minute to minute: a plan kept for all values soon reads a whole table for one row.
    "plan_cache_mode": "force_custom_plan",
    # A process that is frozen in the midst of a transaction loses it, with its locks, before others give up waiting.
    "idle_in_transaction_session_timeout": "20s",
    "lock_timeout": "25s",
}
# A server whose host is gone is noticed within a minute: nobody else would tell.
KEEPALIVES = {"connect_timeout": 5, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
# How long nobody tries again to connect to a server that let them wait in vain.
QUIET_SECONDS = 5.0
# How often, and after which pause, a file of SQLite is switched to write-ahead logging again.
SWITCHES = 100
SWITCH_SECONDS = 0.05
# How poolers say that they take no settings.
REFUSED_OPTIONS = ("unsupported startup parameter", "command-line options")
SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

Item = TypeVar("Item")


class UtcDateTime(TypeDecorator[datetime]):
    """Column of aware UTC times; SQLite stores them as naive UTC."""

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


class Money(TypeDecorator[Decimal]):
    """Column of Decimal amounts with two places, stored as hundredths: exact on both databases, sums included.

    No currency of the document has more places (11.3); yen and won have none.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        hundredths = value / HUNDREDTH
        if hundredths != hundredths.to_integral_value():
            raise ValueError("an amount has two places")
        return int(hundredths)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value) * HUNDREDTH


class EnumText(TypeDecorator[Any]):
    """Column of an enum, stored as text so that a new member needs no migration."""

    impl = String(16)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


class UnusableDatabase(SQLAlchemyError):
    """The database answers, but this program cannot work with it; the text says what to do."""


class SchemaMismatch(UnusableDatabase):
    """The database is at another version than this program."""


class Base(DeclarativeBase):
    """Base of all tables; names of constraints are fixed so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def connect(url: str, *, pings: bool = True) -> Engine:
    """Make the engine for a SQLAlchemy URL without connecting. Its errors never show the values of a row.

    `pings`: whether a pooled connection is tried before each use. Who begins again after an error can do without.
    """
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    session = PostgresqlSession()
    engine = create_engine(
        url,
        # The driver would hand over bytes where a database names no encoding.
        connect_args={"options": session.options, "client_encoding": "utf8", **KEEPALIVES},
        pool_size=10,
        max_overflow=20,
        pool_pre_ping=pings,
        hide_parameters=True,
    )
    event.listen(engine, "do_connect", session.connect)
    event.listen(engine, "connect", session.prepare)
    event.listen(engine, "begin", session.begin)
    return engine


class PostgresqlSession:
    """Settings for PostgreSQL: set with the connection, or with each transaction if there is a pooler between.

    PgBouncer refuses or forgets what comes with a connection, for the next transaction may run in another one; there
    statements are not prepared either.
    """

    def __init__(self) -> None:
        self.options = " ".join(f"-c {name}={value}" for name, value in POSTGRESQL_SETTINGS.items())
        self._is_pooled: bool | None = None
        self._hangs_until = float("-inf")

    def connect(self, dialect: Dialect, _record: object, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Connect; without the settings where they are refused.

        A server that let somebody wait in vain is left alone for a while: else each thread would wait in turn.
        """
        loaded: Any = dialect.loaded_dbapi
        if MACHINE.monotonic() < self._hangs_until:
            raise loaded.OperationalError("the server did not answer a moment ago")
        try:
            return self._connect(dialect, arguments, named)
        except loaded.errors.ConnectionTimeout:
            self._hangs_until = MACHINE.monotonic() + QUIET_SECONDS
            raise

    def _connect(self, dialect: Dialect, arguments: list[Any], named: dict[str, Any]) -> Any:
        if not self._is_pooled:
            try:
                return dialect.connect(*arguments, **named)
            except dialect.loaded_dbapi.OperationalError as error:
                if not any(refusal in str(error) for refusal in REFUSED_OPTIONS):
                    raise
                self._is_pooled = True
        named.pop("options", None)
        return dialect.connect(*arguments, **named)

    def prepare(self, connection: Any, _record: object) -> None:
        """Check that this server can be used."""
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in (None, "UTF8"):
            connection.close()
            raise UnusableDatabase(
                f"the database's encoding is {encoding}, which cannot hold Chinese names: make another one with "
                "`createdb --template=template0 --encoding=UTF8 NAME`, and name it in CUSTOMS_DATABASE_URL"
            )
        if self._is_pooled is None:
            shown = connection.execute("SHOW lock_timeout").fetchone()
            connection.rollback()
            self._is_pooled = shown[0] != POSTGRESQL_SETTINGS["lock_timeout"]
        if self._is_pooled:
            connection.prepare_threshold = None

    def begin(self, connection: Connection) -> None:
        """Set a transaction's settings where the connection has none."""
        if self._is_pooled:
            named = (f"set_config('{name}', '{value}', true)" for name, value in POSTGRESQL_SETTINGS.items())
            connection.exec_driver_sql(f"SELECT {', '.join(named)}")


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN would come too late for BEGIN IMMEDIATE: we say it ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("busy_timeout=30000", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Switch the file to write-ahead logging, once for all; whoever meets another's switch does it again."""
    # SQLite does not wait here, whatever the timeout: two that switch at once could wait for each other for ever.
    for left in reversed(range(SWITCHES)):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            # The low byte is the error, the others say which kind of it.
            if not left or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(SWITCH_SECONDS)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    # A transaction that reads first and writes later cannot be upgraded once another has written.
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Open a short writing transaction: committed at the end, rolled back on an error."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine, *, thinks_long: bool = False) -> Iterator[Session]:
    """Open a snapshot to read from, the same for all queries; it never waits for a writer.

    `thinks_long`: much is worked out between the questions, which on PostgreSQL would look like standing still.
    """
    options = SNAPSHOT if engine.dialect.name == "postgresql" else {"reading": True}
    with Session(engine, expire_on_commit=False) as session, session.begin():
        db = session.connection(execution_options=options)
        if thinks_long and db.dialect.name == "postgresql":
            db.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield session


def lost_a_race(error: DBAPIError) -> bool:
    """Whether a retry will help: the same number was stored first elsewhere, or two transactions deadlocked."""
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in CONTENTION


def is_away(error: SQLAlchemyError) -> bool:
    """Whether the database itself failed, not the statement: away, full, read-only, locked or another version."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout | DisconnectionError | UnusableDatabase)
    if error.connection_invalidated or getattr(error.orig, "sqlstate", None) == NO_PRIVILEGE:
        return True
    return not isinstance(error, IntegrityError | DataError | ProgrammingError | NotSupportedError)


def pad_to_power_of_two(items: Sequence[Item]) -> Sequence[Item]:
    """Repeat the last item up to a power of two: IN lists of few lengths let the database reuse plans."""
    return [*items, *[items[-1]] * ((1 << (len(items) - 1).bit_length()) - len(items))] if items else items


class DatabaseClock:
    """The database's clock without a round trip each time: read now and then, extrapolated in between."""

    def __init__(self, clock: Clock = MACHINE) -> None:
        self._clock = clock
        self._read = (float("-inf"), float("-inf"), datetime.min.replace(tzinfo=UTC))

    def __call__(self, db: Connection) -> datetime:
        read_at, wall, moment = self._read
        passed = self._clock.monotonic() - read_at
        # A machine that slept shows it on the wall only; on any difference the database is asked anew.
        if passed < CLOCK_SECONDS and abs(self._clock.wall() - wall - passed) < SLEPT_SECONDS:
            return moment + timedelta(seconds=passed)
        read_at, wall = self._clock.monotonic(), self._clock.wall()
        moment = now(db)
        # One assignment: two threads share this clock.
        self._read = (read_at, wall, moment)
        return moment


def now(db: Session | Connection) -> datetime:
    """Return the database's time: clocks of hosts may differ, leases and due times must not.

    An engine may bring its own as the execution option `now`.
    """
    connection = db.connection() if isinstance(db, Session) else db
    own: Callable[[], datetime] | None = connection.get_execution_options().get("now")
    if own is not None:
        return own()
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    moment: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return moment.astimezone(UTC)
