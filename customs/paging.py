"""Pages of lists, newest first: ids sort by time, so the last id of a page is the cursor to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

LARGEST_PAGE = 200


@dataclass(frozen=True)
class Page:
    """One page of a list; `next_cursor` is the id to go on after, None at the end."""

    rows: Sequence[Any]
    next_cursor: str | None


def page_of(db: Session, statement: Select[Any], key: Any, limit: int, cursor: str | None) -> Page:
    """One page of what a statement selects, by the descending `key`."""
    if cursor is not None:
        statement = statement.where(key < cursor)
    rows = db.scalars(statement.order_by(key.desc()).limit(limit + 1)).all()
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)
