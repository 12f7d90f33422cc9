"""Filters that a person gave a name: the query string of a list's page."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base, UtcDateTime


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
