"""Table of lanes: one row for each agent credential, open, slowed down, or stopped with a reason."""

from datetime import datetime, timedelta

from sqlalchemy import Float, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from customs.db.database import Base, UtcDateTime

# One lost call means little; no answer for so long is a failure.
FAILING_AFTER = timedelta(seconds=20)
# Without calls for so long the failure is not known to last.
FAILED_LATELY = timedelta(minutes=30)


class Lane(Base):
    """All signed calls of one agent at one gateway.

    `strikes`: 401, 403 or 411 in a row. `held_until`: no call before this; after `holds` in a row one call probes.
    `failing_since`, `failed_at`: when the first and the last call ended without a usable answer, and `failure` why;
    None after an answer. `tokens`: of the agent's rate, as of `tokens_at`.
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
        """Whether every recent call ended without an answer, though the lane is not stopped."""
        if self.stopped_at is not None or self.failing_since is None or self.failed_at is None:
            return False
        # Absolute: times of a clock that ran ahead must not hide a failure.
        return abs(now - self.failing_since) >= FAILING_AFTER and abs(now - self.failed_at) <= FAILED_LATELY
