"""The lane: one row per agent credential, which may be open, slowed down, or stopped with the reason."""

from datetime import datetime

from sqlalchemy import Float, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from customs.database import Base, UtcDateTime


class Lane(Base):
    """All signed calls of one agent at one gateway.

    `strikes`: 401, 403 or 411 in a row. `held_until`: no call before this; after `holds` in a row one call probes.
    `tokens` of the agent's rate, as counted at `tokens_at`.
    """

    __tablename__ = "lanes"
    __table_args__ = (UniqueConstraint("agent_no", "base_url"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    agent_no: Mapped[str] = mapped_column(String(64))
    base_url: Mapped[str] = mapped_column(String(300))
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
    strikes: Mapped[int] = mapped_column(Integer, default=0)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    holds: Mapped[int] = mapped_column(Integer, default=0)
    probed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tokens: Mapped[float] = mapped_column(Float, default=0.0)
    tokens_at: Mapped[datetime] = mapped_column(UtcDateTime)
