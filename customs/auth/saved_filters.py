"""Saved filters of lists: a query string under a name, for one person."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote_plus

from sqlalchemy import Index, String, Text, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.database import Base, UtcDateTime
from customs.errors import ErrorDetail, NotFound, ValidationFailed
from customs.ids import new_id
from customs.privacy.masking import refuse_personal_number

LONGEST_NAME = 40
LONGEST_QUERY = 1000
MOST_SAVED = 30


class SavedFilter(Base):
    """One named filter of one person. `page` is the list it belongs to, `query` what stands behind its "?"."""

    __tablename__ = "saved_filters"
    __table_args__ = (Index(None, "person_id", "page"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(String(40))
    page: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


def saved_filters_of(db: Session, person_id: str, page: str) -> Sequence[SavedFilter]:
    """Return a person's filters of one list, by name."""
    mine = select(SavedFilter).where(SavedFilter.person_id == person_id, SavedFilter.page == page)
    return db.scalars(mine.order_by(SavedFilter.name, SavedFilter.id)).all()


def save_filter(db: Session, person_id: str, page: str, name: str, query: str, now: datetime) -> SavedFilter:
    """Save a filter under a name; replace one of the same name.

    Raises ValidationFailed for a name or query that is empty, too long or not visible, and for one filter too many.
    """
    name, query = name.strip(), query.lstrip("?")
    is_name = 1 <= len(name) <= LONGEST_NAME and name.isprintable()
    _require(is_name, "name", f"a name has 1 to {LONGEST_NAME} characters")
    is_query = 1 <= len(query) <= LONGEST_QUERY and query.isascii() and query.isprintable()
    _require(is_query, "query", "choose a filter first")
    refuse_personal_number(name, "/name")
    refuse_personal_number(unquote_plus(query), "/query", phones=False)
    saved = saved_filters_of(db, person_id, page)
    if (known := next((one for one in saved if one.name == name), None)) is not None:
        known.query = query
        return known
    _require(len(saved) < MOST_SAVED, "name", f"there are {MOST_SAVED} already: remove one")
    made = SavedFilter(id=new_id("flt"), person_id=person_id, page=page, name=name, query=query, created_at=now)
    db.add(made)
    return made


def remove_filter(db: Session, person_id: str, filter_id: str) -> None:
    """Delete one of a person's filters. Raises NotFound for another's."""
    mine = delete(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.person_id == person_id)
    if not db.execute(mine).rowcount:  # type: ignore[attr-defined]
        raise NotFound


def _require(holds: bool, field: str, wanted: str) -> None:
    if not holds:
        raise ValidationFailed(wanted, errors=[ErrorDetail(f"/{field}", "length", wanted)])
