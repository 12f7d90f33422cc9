"""Queries of the request log: filtered, newest first."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from customs.db.pagination import Page, page_of
from customs.errors import NotFound
from customs.request_log.models import LoggedRequest

REQUESTS_BY = (LoggedRequest.at, LoggedRequest.id)


@dataclass(frozen=True)
class RequestFilters:
    """Filters of the list. `path`: a part of it; `statuses`: from the first to the last."""

    request_id: str | None = None
    path: str | None = None
    statuses: tuple[int, int] | None = None
    caller: str | None = None


def list_requests(
    db: Session, callers: Collection[str] | None, filters: RequestFilters, *, limit: int, cursor: str | None
) -> Page:
    """Return requests of these callers; None means all, those that were refused too."""
    statement = select(LoggedRequest).where(*_of(callers), *_narrowed(filters))
    return page_of(db, statement, REQUESTS_BY, limit, cursor)


def request_of(db: Session, log_id: str, callers: Collection[str] | None) -> LoggedRequest:
    """Return one request by its id in the log. Raises NotFound."""
    found = db.scalar(select(LoggedRequest).where(LoggedRequest.id == log_id, *_of(callers)))
    if found is None:
        raise NotFound
    return found


def _of(callers: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if callers is None else [LoggedRequest.caller.in_(sorted(callers))]


def _narrowed(filters: RequestFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.request_id is not None:
        conditions.append(LoggedRequest.request_id == filters.request_id)
    if filters.path is not None:
        conditions.append(LoggedRequest.path.contains(filters.path, autoescape=True))
    if filters.statuses is not None:
        conditions.append(LoggedRequest.status.between(*filters.statuses))
    if filters.caller is not None:
        conditions.append(LoggedRequest.caller == filters.caller)
    return conditions
