"""The request log: requests of API keys and their answers, masked for support; listed newest first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Index, Integer, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.database import Base, UtcDateTime
from customs.db.pagination import Page, page_of
from customs.errors import NotFound

LONGEST_PATH = 500


class LoggedRequest(Base):
    """One request. `caller` and `key_id`: None when no key was recognised. Bodies are masked and cut.

    The sizes and the digest are of a body as it came, once decompressed: of one too large to be kept, all there is.
    """

    __tablename__ = "requests"
    __table_args__ = (Index(None, "caller", "at", "id"), Index(None, "request_id"), Index(None, "at", "id"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    caller: Mapped[str | None] = mapped_column(String(40))
    key_id: Mapped[str | None] = mapped_column(String(40))
    method: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(String(LONGEST_PATH))
    query: Mapped[str | None] = mapped_column(String(LONGEST_PATH))
    status: Mapped[int] = mapped_column(Integer)
    duration_ms: Mapped[int] = mapped_column(Integer)
    request_size: Mapped[int | None] = mapped_column(Integer)
    request_sha256: Mapped[str | None] = mapped_column(String(64))
    request_body: Mapped[str | None] = mapped_column(Text)
    response_size: Mapped[int | None] = mapped_column(Integer)
    response_sha256: Mapped[str | None] = mapped_column(String(64))
    response_body: Mapped[str | None] = mapped_column(Text)


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
