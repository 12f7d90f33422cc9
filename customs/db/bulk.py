"""Bulk statements: many rows handed to the driver directly, at half the cost. See docs/decisions/bulk-statements.md."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import ARRAY, JSON, Column, Connection, Dialect, String, Table, any_, func, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.selectable import TableValuedAlias

LARGEST_GROUP = 500


def insert_many(db: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert many rows; columns that rows leave out get their defaults.

    The rows go to the driver directly: a statement's own way costs twice as much. PostgreSQL takes a group as one
    JSON document, thousands by COPY, which stores the first while the next are made. Raises IntegrityError as
    statements do.
    """
    coming = iter(rows)
    group = list(islice(coming, LARGEST_GROUP + 1))
    if not group:
        return
    columns = [column for column in table.columns if column.name in group[0] or column.default is not None]
    names = ", ".join(column.name for column in columns)
    cursor: Any = db.connection.cursor()
    with _driver_errors(db):
        if db.dialect.name != "postgresql":
            places = ", ".join("?" for _ in columns)
            statement = f"INSERT INTO {table.name} ({names}) VALUES ({places})"  # noqa: S608
            cursor.executemany(statement, _values(db.dialect, columns, chain(group, coming)))
        elif len(group) > LARGEST_GROUP:
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in _values(db.dialect, columns, chain(group, coming)):
                    copy.write_row(row)
        else:
            given = _recordset(columns, db.dialect)
            statement = f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {given}"  # noqa: S608
            cursor.execute(statement, [_document(db.dialect, columns, group)])


def update_many(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Update many rows: each holds its `id` and the columns to set, the same for all rows."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    columns = [table.c[name] for name in (*names, "id")]
    cursor: Any = db.connection.cursor()
    with _driver_errors(db):
        if db.dialect.name != "postgresql":
            changes = ", ".join(f"{name} = ?" for name in names)
            statement = f"UPDATE {table.name} SET {changes} WHERE id = ?"  # noqa: S608
            cursor.executemany(statement, _values(db.dialect, columns, rows))
        else:
            changes = ", ".join(f"{name} = new.{name}" for name in names)
            given = _recordset(columns, db.dialect)
            # The ids once more as an array: the planner cannot know how many rows a document holds.
            among = f"{table.name}.id = new.id AND {table.name}.id = ANY(%s)"
            statement = f"UPDATE {table.name} SET {changes} FROM {given} WHERE {among}"  # noqa: S608
            cursor.execute(statement, [_document(db.dialect, columns, rows), [row["id"] for row in rows]])


def upsert_many(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]], changes: Mapping[str, str]) -> None:
    """Insert many rows with the same columns; where the primary key exists, change that row instead.

    `changes`: SQL for each column to change, from `existing`, the stored row, and `excluded`, the new one.
    """
    if not rows:
        return
    columns = [table.c[name] for name in rows[0]]
    names = ", ".join(column.name for column in columns)
    key = ", ".join(column.name for column in table.primary_key)
    merged = ", ".join(f"{name} = {change}" for name, change in changes.items())
    conflict = f"ON CONFLICT ({key}) DO UPDATE SET {merged}"
    cursor: Any = db.connection.cursor()
    with _driver_errors(db):
        if db.dialect.name != "postgresql":
            places = ", ".join("?" for _ in columns)
            statement = f"INSERT INTO {table.name} AS existing ({names}) VALUES ({places}) {conflict}"  # noqa: S608
            cursor.executemany(statement, _values(db.dialect, columns, rows))
        else:
            given = _recordset(columns, db.dialect)
            statement = f"INSERT INTO {table.name} AS existing ({names}) SELECT {names} FROM {given} {conflict}"  # noqa: S608
            cursor.execute(statement, [_document(db.dialect, columns, rows)])


@contextmanager
def pipeline(db: Connection) -> Iterator[None]:
    """Send the writes in this block to PostgreSQL in one pipeline; errors are raised at the end."""
    if db.dialect.name == "postgresql":
        driver: Any = db.connection.driver_connection
        with _driver_errors(db), driver.pipeline():
            yield
    else:
        yield


def _recordset(columns: Sequence[Column[Any]], dialect: Dialect) -> str:
    """Return SQL that reads all rows from one parameter, as a table called new."""
    typed = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in columns)
    return f"jsonb_to_recordset(CAST(%s AS jsonb)) AS new({typed})"


def _document(dialect: Dialect, columns: Sequence[Column[Any]], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as JSON; values of JSON columns are embedded as they are."""
    as_it_is = [column.name for column in columns if isinstance(column.type, JSON)]
    stored = [column for column in columns if column.name not in as_it_is]
    names = [column.name for column in stored]
    values = _values(dialect, stored, rows)
    return json.dumps(
        [
            dict(zip(names, value, strict=True)) | {name: row.get(name) for name in as_it_is}
            for value, row in zip(values, rows, strict=True)
        ],
        default=str,
    )


def _values(dialect: Dialect, columns: Sequence[Column[Any]], rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Any]]:
    """Yield the values of each row as the driver takes them, in the order of the columns, with defaults."""
    ready = [(column.name, *_storing(column, dialect)) for column in columns]
    for row in rows:
        yield [
            process(row.get(name, default)) if process else row.get(name, default) for name, process, default in ready
        ]


@contextmanager
def _driver_errors(db: Connection) -> Iterator[None]:
    """Raise driver errors as SQLAlchemy does, without the rows; invalidate a lost connection."""
    driver = db.dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        lost = db.dialect.is_disconnect(error, db.connection.driver_connection, None)
        if lost:
            db.invalidate(error)
        raise DBAPIError.instance(
            "many rows", None, error, driver.Error, hide_parameters=True, connection_invalidated=lost
        ) from error


def _storing(column: Column[Any], dialect: Dialect) -> tuple[Callable[[Any], Any] | None, Any]:
    """Return a column's conversion to the driver's value, if it needs one, and its default."""
    kind: Any = column.type.dialect_impl(dialect)
    process = kind.bind_processor(dialect)
    if process is not None and not isinstance(column.type, JSON):
        # Words, times and amounts repeat from row to row.
        process = lru_cache(maxsize=4096)(process)
    return process, getattr(column.default, "arg", None)


def in_list(db: Session, column: InstrumentedAttribute[Any], values: Iterable[str]) -> Any:
    """Return the condition that a column holds one of many texts, passed as one parameter instead of thousands."""
    listed = list(values)
    if db.connection().dialect.name == "postgresql":
        return column == any_(literal(listed, ARRAY(String)))
    return column.in_(select(unnest(db, listed).c.value))


def unnest(db: Session, values: Iterable[str]) -> TableValuedAlias:
    """Return many texts as a table with the column `value`, passed as one parameter."""
    listed = list(values)
    if db.connection().dialect.name == "postgresql":
        return func.unnest(literal(listed, ARRAY(String))).table_valued("value").render_derived()
    return func.json_each(json.dumps(listed)).table_valued("value")
