"""The lane: one row per agent credential, which may be open, slowed down, or stopped with the reason."""

from datetime import datetime, timedelta

from sqlalchemy import Float, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import Base, UtcDateTime

# One call that was lost says little; that none was answered for so long says it.
FAILING_AFTER = timedelta(seconds=20)
# Where nothing was called since, nobody knows any more.
FAILED_LATELY = timedelta(minutes=30)


class Lane(Base):
    """All signed calls of one agent at one gateway.

    `strikes`: 401, 403 or 411 in a row. `held_until`: no call before this; after `holds` in a row one call probes.
    `failing_since`: when the first of the calls ended that brought no answer to be understood, `failed_at` when the
    last did, and `failure` what it was; None after an answer. `tokens` of the agent's rate, as counted at `tokens_at`.
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
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(Text)
    tokens: Mapped[float] = mapped_column(Float, default=0.0)
    tokens_at: Mapped[datetime] = mapped_column(UtcDateTime)

    def fails(self, now: datetime) -> bool:
        """Whether every call of late ended without an answer, though it was not stopped."""
        if self.stopped_at is not None or self.failing_since is None or self.failed_at is None:
            return False
        # Clamped: a clock that was ahead must not hide it.
        return abs(now - self.failing_since) >= FAILING_AFTER and abs(now - self.failed_at) <= FAILED_LATELY
