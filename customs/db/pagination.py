"""Pagination, newest first: ordered by the stored time, then by id; a cursor holds both of a page's last row.

An id says nothing of when its row was made: whoever made it may have had another clock, or an older way to make ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from customs.db.database import UtcDateTime
from customs.errors import ErrorDetail, ValidationFailed

LARGEST_PAGE = 200
LONGEST_CURSOR = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# The columns that a list is ordered by, from its newest row on: a time and an id, or an id alone where no time is kept.
Keys = Sequence[InstrumentedAttribute[Any]]


@dataclass(frozen=True)
class Page:
    """One page of a list; `next_cursor` leads to the next, None at the end."""

    rows: Sequence[Any]
    next_cursor: str | None


def page_of(db: Session, statement: Select[Any], keys: Keys, limit: int, cursor: str | None) -> Page:
    """Return one page of a statement's rows by the descending `keys`.

    Raises ValidationFailed for a cursor of another list.
    """
    if cursor is not None:
        statement = statement.where(beyond(keys, read_cursor(cursor, keys)))
    rows = db.scalars(statement.order_by(*newest_first(keys)).limit(limit + 1)).all()
    return Page(rows[:limit], cursor_at(rows[limit - 1], keys) if len(rows) > limit else None)


def newest_first(keys: Keys) -> list[ColumnElement[Any]]:
    """Return the order of a list."""
    return [key.desc() for key in keys]


def beyond(keys: Keys, values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that a row comes after the one with these values."""
    return tuple_(*keys) < tuple_(*(literal(value, key.type) for key, value in zip(keys, values, strict=True)))


def cursor_at(row: Any, keys: Keys) -> str:
    """Return the cursor that leads to the rows after this one."""
    return ".".join(_written(getattr(row, key.key)) for key in keys)


def read_cursor(cursor: str, keys: Keys) -> list[Any]:
    """Return the values of `keys` in a cursor. Raises ValidationFailed."""
    words = cursor.split(".")
    try:
        return [_read(word, key) for key, word in zip(keys, words, strict=True)]
    except (ValueError, OverflowError):
        wanted = "use the next_cursor of the page before"
        raise ValidationFailed(
            f"cursor: {wanted}", errors=[ErrorDetail("?cursor", "parameter_invalid", wanted)]
        ) from None


def _written(value: Any) -> str:
    return f"{(value - EPOCH) // MICROSECOND:x}" if isinstance(value, datetime) else str(value)


def _read(word: str, key: InstrumentedAttribute[Any]) -> Any:
    return EPOCH + int(word, 16) * MICROSECOND if isinstance(key.type, UtcDateTime) else word
