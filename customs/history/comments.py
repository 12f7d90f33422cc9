"""What people write for one another beside a declaration or a cause of failures."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base, UtcDateTime


class Comment(Base):
    """One remark. `subject_id` is the declaration's or the cause's id; a cause is seen by several merchants' people.

    `merchant_no`: who may see it has that merchant; None for everybody who sees the subject.
    """

    __tablename__ = "comments"
    __table_args__ = (Index(None, "subject_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(40))
    merchant_no: Mapped[str | None] = mapped_column(String(64))
    author_id: Mapped[str] = mapped_column(String(40))
    author: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(Text)
