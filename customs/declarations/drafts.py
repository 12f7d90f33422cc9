"""Drafts: a file on its way in, kept sealed while a person mends it; nothing of it is sent before it is submitted."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base, UtcDateTime


class Draft(Base):
    """One upload or paste of one person. `sealed` holds its grid of cells: names and ID numbers are in it.

    `batch_id`: the batch that its rows have joined, or will complete; None before the first submission.
    `revision` grows with each change, so that two windows cannot undo one another.
    """

    __tablename__ = "drafts"
    __table_args__ = (Index(None, "owner_id", "id"), Index(None, "updated_at"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    form: Mapped[str] = mapped_column(String(16))
    encoding: Mapped[str] = mapped_column(String(16))
    batch_id: Mapped[str | None] = mapped_column(String(40))
    revision: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
