"""Counters of rows by kind, changed in the transaction of the change, so that no page has to count."""

import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, Date, Integer, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.bulk import upsert_many
from customs.db.database import Base
from customs.stats.call_counters import SLOTS

# The day under which all days together are kept: what was ever counted is read without going through the years.
ALL_TIME = date.min
# A fixed offset needs no time zone files on a bare machine.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")


class Tally(Base):
    """Number of one `word` for a merchant, a day (Asia/Shanghai) and a subject; readers sum the slots.

    `slot` spreads writers over rows, so that none waits for another. Half of each page is left empty: rows that
    change all the time are then changed in place.
    """

    __tablename__ = "tallies"
    __table_args__ = {"postgresql_with": {"fillfactor": 50}}  # noqa: RUF012

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    merchant_no: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(48), primary_key=True)
    word: Mapped[str] = mapped_column(String(16), primary_key=True)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


TALLIES = Base.metadata.tables[Tally.__tablename__]


class TallyKey(NamedTuple):
    """Key of one counter over all slots."""

    kind: str
    day: date
    merchant_no: str
    channel: str
    subject: str
    word: str


class _Slot(threading.local):
    """Return the slot of this thread: threads of one process write at the same time, as processes do."""

    def __init__(self) -> None:
        self.number = secrets.randbelow(SLOTS)


_slot = _Slot()


def apply_deltas(db: Session | Connection, deltas: Mapping[TallyKey, int]) -> None:
    """Add to the counters in one statement, in a fixed order so that two writers cannot deadlock."""
    rows = [key._asdict() | {"slot": _slot.number, "count": deltas[key]} for key in sorted(deltas) if deltas[key]]
    connection = db.connection() if isinstance(db, Session) else db
    upsert_many(connection, TALLIES, rows, {"count": "existing.count + excluded.count"})


def day_of(moment: datetime) -> date:
    """Return the day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def begins(day: date) -> datetime:
    """Return when a day begins in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
