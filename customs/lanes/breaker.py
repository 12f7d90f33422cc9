"""Circuit breaker and rate limit of a lane: it stops, slows down, lets one probe through, or limits calls a second."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import BindParameter, ColumnElement, Connection, Engine, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from customs.config import Settings
from customs.db.database import Base, DatabaseClock
from customs.events.outbox import EventType, NewEvent, publish
from customs.gateway.errors import (
    Busy,
    ClockSkew,
    Credentials,
    GatewayError,
    NotSent,
    OtherRecord,
    Refused,
    TooLate,
    Unknown,
)
from customs.ids import new_id
from customs.jobs.leases import LONGEST_RETRY_AFTER_SECONDS, growing
from customs.lanes.models import Lane

log = structlog.get_logger()

STRIKES_TO_STOP = 3
HOLDS_TO_SLOW = 3
LONGEST_HOLD_SECONDS = 60.0
LARGEST_SKEW_SECONDS = 30.0


@dataclass(frozen=True)
class LaneReport:
    """Summary of a group of outcomes: counts, the longest Retry-After, the clock skew in seconds.

    `reason`: why the lane has to stop, if it has to; `failure`: why a call brought no answer.
    """

    answered: int = 0
    throttled: int = 0
    rejected: int = 0
    unknown: int = 0
    retry_after: float = 0.0
    skew: float | None = None
    reason: str = ""
    failure: str = ""

    @property
    def is_good(self) -> bool:
        return not (self.throttled or self.rejected or self.unknown)


LANES = Base.metadata.tables[Lane.__tablename__]
lane = LANES.c
HEALTHY = {
    "strikes": 0,
    "holds": 0,
    "held_until": None,
    "probed_until": None,
    "failing_since": None,
    "failed_at": None,
    "failure": None,
}
LONGEST_FAILURE = 300

READ = select(LANES).where(lane.id == bindparam("lane"))
READ_LOCKED = READ.with_for_update()
UNHEALTHY = or_(lane.strikes > 0, lane.holds > 0, lane.failing_since.is_not(None))
RESET = update(LANES).where(lane.id == bindparam("lane"), UNHEALTHY).values(HEALTHY)


@dataclass(frozen=True)
class Admission:
    """How many calls may be claimed, and whether the lane shows no failure at all."""

    room: int
    is_healthy: bool


def lane_id(db: Connection, agent_no: str, base_url: str, now: datetime) -> str:
    """Return the id of the credential's lane; make the lane at its first use."""
    insert = insert_sqlite if db.dialect.name == "sqlite" else insert_postgresql
    fresh = insert(LANES).values(
        id=new_id("lane"), agent_no=agent_no, base_url=base_url, strikes=0, holds=0, tokens=0.0, tokens_at=now
    )
    db.execute(fresh.on_conflict_do_nothing(index_elements=["agent_no", "base_url"]))
    return str(db.scalar(select(lane.id).where(lane.agent_no == agent_no, lane.base_url == base_url)))


def is_open(lane_key: BindParameter[str], now: BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition that a call of this lane may leave."""
    unthrottled = or_(lane.held_until.is_(None), lane.held_until <= now)
    return select(lane.id).where(lane.id == lane_key, lane.stopped_at.is_(None), unthrottled).exists()


def admit(db: Connection, lane_key: str, room: int, now: datetime, *, rate: float, timeout: float) -> Admission:
    """Return how many of `room` calls may be claimed now: none while stopped or throttled, one probe, or by rate."""
    row = db.execute(READ_LOCKED if rate else READ, {"lane": lane_key}).one()
    is_healthy = not (row.strikes or row.holds or row.failing_since)
    if row.stopped_at is not None or (row.held_until is not None and row.held_until > now):
        return Admission(0, is_healthy)
    if row.holds >= HOLDS_TO_SLOW:
        return Admission(_admit_probe(db, lane_key, now, timeout), is_healthy)
    if not rate:
        return Admission(room, is_healthy)
    # At most one second's worth: idle time does not add up to a burst.
    elapsed = max((now - row.tokens_at).total_seconds(), 0.0)
    tokens = min(row.tokens + elapsed * rate, max(rate, 1.0))
    _write(db, lane_key, {"tokens": tokens, "tokens_at": now})
    return Admission(min(room, int(tokens)), is_healthy)


def _admit_probe(db: Connection, lane_key: str, now: datetime, timeout: float) -> int:
    free = or_(lane.probed_until.is_(None), lane.probed_until <= now)
    until = now + timedelta(seconds=timeout)
    return db.execute(update(LANES).where(lane.id == lane_key, free).values(probed_until=until)).rowcount


def release_probe(db: Connection, lane_key: str) -> None:
    """Let the next call that is due be the probe: nothing was due for this one."""
    db.execute(update(LANES).where(lane.id == lane_key, lane.probed_until.is_not(None)).values(probed_until=None))


def spend_tokens(db: Connection, lane_key: str, calls: int) -> None:
    """Take the tokens of claimed calls."""
    _write(db, lane_key, {"tokens": lane.tokens - calls})


def record_report(db: Connection, lane_key: str, report: LaneReport, now: datetime) -> bool:
    """Record a report on the lane; return whether that stopped it."""
    if report.answered:
        db.execute(RESET, {"lane": lane_key})
        return False
    if report.is_good:
        return False
    row = db.execute(READ_LOCKED, {"lane": lane_key}).one()
    skewed = report.skew is not None and abs(report.skew) > LARGEST_SKEW_SECONDS
    strikes = row.strikes + report.rejected
    stops = row.stopped_at is None and (skewed or strikes >= STRIKES_TO_STOP)
    clock = f"this machine's clock is {report.skew:+.0f} s off the gateway's" if skewed else ""
    stop = {"stopped_at": now, "reason": clock or report.reason} if stops else {}
    failing = {
        "failing_since": row.failing_since or now,
        "failed_at": now,
        "failure": report.failure[:LONGEST_FAILURE] or row.failure,
    }
    _write(db, lane_key, {"strikes": strikes, **failing, **_hold(row.holds, row.held_until, report, now), **stop})
    return stops


def _hold(holds: int, held_until: datetime | None, report: LaneReport, now: datetime) -> dict[str, Any]:
    """Return how the lane slows down; once it is slow, calls that were in flight together count once."""
    if not report.throttled or (held_until is not None and held_until > now):
        return {}
    holds = holds + 1 if holds >= HOLDS_TO_SLOW else min(holds + report.throttled, HOLDS_TO_SLOW)
    if holds < HOLDS_TO_SLOW:
        return {"holds": holds, "probed_until": None}
    wait = max(
        growing(1.0, holds - HOLDS_TO_SLOW, factor=2.0, most=LONGEST_HOLD_SECONDS),
        min(report.retry_after, LONGEST_RETRY_AFTER_SECONDS),
    )
    return {"holds": holds, "probed_until": None, "held_until": now + timedelta(seconds=wait)}


def resume(db: Connection, lane_key: str) -> None:
    """Let a stopped lane go on; waiting work is due by itself."""
    _write(db, lane_key, HEALTHY | {"stopped_at": None, "reason": None})


def _write(db: Connection, lane_key: str, values: Mapping[str, Any]) -> None:
    db.execute(update(LANES).where(lane.id == lane_key).values(values))


class Signal(StrEnum):
    """What one outcome means for the lane."""

    ANSWERED = "answered"
    THROTTLED = "throttled"
    REJECTED = "rejected"
    SKEWED = "skewed"
    UNKNOWN = "unknown"
    SILENT = "silent"


# The first row that fits counts; an outcome without an error is an answer.
SIGNALS: tuple[tuple[type[GatewayError], Signal], ...] = (
    (TooLate, Signal.SILENT),
    (NotSent, Signal.THROTTLED),
    (Busy, Signal.THROTTLED),
    (Credentials, Signal.REJECTED),
    (ClockSkew, Signal.SKEWED),
    (Refused, Signal.ANSWERED),
    (OtherRecord, Signal.ANSWERED),
    (Unknown, Signal.UNKNOWN),
    (GatewayError, Signal.SILENT),
)


# Why a lane is stopped.
REASONS = {
    Signal.REJECTED: "the gateway refused our signature or our right to call",
    Signal.SKEWED: "the gateway refused our timestamp: the clocks differ",
}
# Why a lane fails on which no call is answered; 503 and 429 add the gateway's own words.
FAILURES = REASONS | {
    Signal.THROTTLED: "no call gets through",
    Signal.UNKNOWN: "no answer came that could be understood",
}


def signal_of(outcome: object) -> Signal:
    return next((signal for kind, signal in SIGNALS if isinstance(outcome, kind)), Signal.ANSWERED)


def is_answer(outcome: object) -> bool:
    """Return whether the gateway answered, and the answer was understood."""
    return signal_of(outcome) is Signal.ANSWERED


def lane_report(outcomes: Iterable[object], now: datetime) -> LaneReport:
    """Summarise a group of outcomes for the lane."""
    counts = dict.fromkeys(Signal, 0)
    retry_after, skew, reason, failure = 0.0, None, "", ""
    for outcome in outcomes:
        signal = signal_of(outcome)
        counts[signal] += 1
        if isinstance(outcome, Busy):
            retry_after = max(retry_after, outcome.retry_after or 0.0)
        if isinstance(outcome, ClockSkew) and outcome.server_time is not None:
            # This machine's clock may be wrong while the database's is right.
            skew = ((outcome.our_time or now) - outcome.server_time).total_seconds()
        if signal in REASONS and isinstance(outcome, GatewayError):
            reason = f"{REASONS[signal]}: {outcome.message}"
        if signal in FAILURES and isinstance(outcome, GatewayError):
            failure = f"{FAILURES[signal]}: {outcome.message}"
    return LaneReport(
        answered=counts[Signal.ANSWERED],
        throttled=counts[Signal.THROTTLED],
        rejected=counts[Signal.REJECTED] + counts[Signal.SKEWED],
        unknown=counts[Signal.UNKNOWN],
        retry_after=retry_after,
        skew=skew,
        reason=reason,
        failure=failure,
    )


class LaneAdmission:
    """Admits the calls of one kind of work to the lane of this deployment's credential, which all kinds share."""

    def __init__(self, engine: Engine, settings: Settings, now: DatabaseClock) -> None:
        self._rate = settings.gateway_rate
        self._timeout = settings.gateway_timeout_seconds
        self._was_healthy = False
        with engine.begin() as db:
            self.lane = lane_id(db, settings.agent_no, settings.base_url, now(db))

    def admit(self, db: Connection, room: int, now: datetime) -> Admission:
        """Return how many of `room` calls may be claimed now; `claimed` is to be told how many were."""
        admission = admit(db, self.lane, room, now, rate=self._rate, timeout=self._timeout)
        self._was_healthy = admission.is_healthy
        return admission

    def claimed(self, db: Connection, admission: Admission, calls: int) -> None:
        """Release the probe or spend tokens, by how many of the admitted calls were claimed."""
        if calls and self._rate:
            spend_tokens(db, self.lane, calls)
        elif not (calls or admission.is_healthy):
            # Only a throttled lane admits probes.
            release_probe(db, self.lane)

    def report(self, db: Connection, outcomes: Iterable[object], now: datetime) -> None:
        """Record a report of outcomes on the lane, unless it brings nothing new."""
        report = lane_report(outcomes, now)
        if report.is_good and self._was_healthy:
            return
        self._was_healthy = False
        if record_report(db, self.lane, report, now):
            publish(db, [NewEvent(EventType.LANE_STOPPED, None, {"lane_id": self.lane})], now)
            log.error("the lane was stopped", lane=self.lane)
