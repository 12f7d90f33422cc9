"""Why pushes fail, as one cause for all that fail alike: channel, customs code, error, and what was explained."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base, UtcDateTime


class Cause(Base):
    """One cause. Its id is made of the other four, so whoever meets it first stores it.

    `explanation` is normalised: numbers and what is masked do not tell two failures apart.
    """

    __tablename__ = "causes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    customs: Mapped[str] = mapped_column(String(32))
    error: Mapped[str] = mapped_column(String(32))
    explanation: Mapped[str] = mapped_column(Text)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assignee_id: Mapped[str | None] = mapped_column(String(40))
