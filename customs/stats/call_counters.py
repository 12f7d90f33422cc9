"""Counters of calls by channel, action and outcome, with latency, in the database for all processes."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Connection, Float, Integer, String, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.database import Base
from customs.timestamps import MACHINE, Clock

# Upper bounds in seconds, as Prometheus names them.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
SLOTS = 16
WRITTEN_EVERY_SECONDS = 1.0


class CallCount(Base):
    """Number of calls with one outcome in one latency bucket. `slot` spreads processes over rows; readers sum."""

    __tablename__ = "call_counts"

    slot: Mapped[int] = mapped_column(Integer, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    action: Mapped[str] = mapped_column(String(16), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(32), primary_key=True)
    bucket: Mapped[str] = mapped_column(String(8), primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float)


CALL_COUNTS = Base.metadata.tables[CallCount.__tablename__]
KEY = ("channel", "action", "outcome", "bucket")
ADD = (
    update(CALL_COUNTS)
    .where(*(CALL_COUNTS.c[name] == bindparam(f"new_{name}") for name in ("slot", *KEY)))
    .values({name: CALL_COUNTS.c[name] + bindparam(f"new_{name}") for name in ("calls", "seconds")})
)


@dataclass
class Counts:
    """Calls and seconds by channel, action, outcome and bucket. `borrowed`: counts taken over from before."""

    calls: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    seconds: dict[tuple[str, str, str, str], float] = field(default_factory=dict)
    borrowed: "Counts | None" = None

    def add(self, channel: str, action: str, outcome: str, duration_ms: int) -> None:
        seconds = duration_ms / 1000
        key = (channel, action, outcome, bucket_of(seconds))
        self.calls[key] += 1
        self.seconds[key] = self.seconds.get(key, 0.0) + seconds

    def merge(self, other: "Counts") -> None:
        self.calls.update(other.calls)
        for key, seconds in other.seconds.items():
            self.seconds[key] = self.seconds.get(key, 0.0) + seconds

    def write(self, db: Connection, slot: int) -> None:
        """Add the counts to the database, in a fixed order so that two writers cannot deadlock."""
        for key in sorted(self.calls):
            row = dict(zip(KEY, key, strict=True), slot=slot % SLOTS, calls=self.calls[key], seconds=self.seconds[key])
            added = {f"new_{name}": value for name, value in row.items()}
            if db.execute(ADD, added).rowcount:
                continue
            try:
                with db.begin_nested():
                    db.execute(insert(CALL_COUNTS).values(row))
            except IntegrityError:
                db.execute(ADD, added)


class CallCounter:
    """Counts of one process that are not written yet: it writes every second, and a rollback loses nothing."""

    def __init__(self, slot: int, clock: Clock = MACHINE) -> None:
        self._slot = slot
        self._clock = clock
        self._write_at = 0.0
        self._waiting = Counts()
        self._lock = threading.Lock()

    @contextmanager
    def counting(self) -> Iterator[Counts]:
        """Yield the counts of the transaction inside: a rollback drops them, a commit clears what was written."""
        counts = Counts()
        try:
            yield counts
        except BaseException:
            self._keep(counts.borrowed)
            raise
        if counts.borrowed is None:
            self._keep(counts)

    def write(self, db: Connection, counts: Counts) -> None:
        """Write these counts and those that wait, unless a write was made a moment ago."""
        if self._clock.monotonic() < self._write_at:
            return
        self._write_at = self._clock.monotonic() + WRITTEN_EVERY_SECONDS
        with self._lock:
            counts.borrowed, self._waiting = self._waiting, Counts()
        together = Counts()
        together.merge(counts)
        together.merge(counts.borrowed)
        together.write(db, self._slot)

    def _keep(self, counts: Counts | None) -> None:
        if counts is not None:
            with self._lock:
                self._waiting.merge(counts)


@dataclass(frozen=True)
class Outcome:
    """Calls of one kind with one outcome, and the sum of their seconds."""

    channel: str
    action: str
    outcome: str
    calls: int
    seconds: float


def calls_by_outcome(db: Session) -> list[Outcome]:
    """Return the calls by kind and outcome, the most frequent first."""
    named = (CallCount.channel, CallCount.action, CallCount.outcome)
    calls = func.sum(CallCount.calls)
    counted = select(*named, calls, func.sum(CallCount.seconds)).group_by(*named).order_by(calls.desc(), *named)
    return [Outcome(*row[:3], int(row[3]), row[4]) for row in db.execute(counted)]


def bucket_of(seconds: float) -> str:
    return next((str(bound) for bound in BUCKETS if seconds <= bound), "+Inf")


def cumulative(counts: Iterable[tuple[str, int]]) -> list[tuple[str, float]]:
    """Return cumulative counts by bucket, as Prometheus wants them."""
    counted = dict(counts)
    total, rows = 0.0, []
    for bound in (*map(str, BUCKETS), "+Inf"):
        total += counted.get(bound, 0)
        rows.append((bound, total))
    return rows
