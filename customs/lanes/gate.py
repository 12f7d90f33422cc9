"""Whether calls may go out now: rules for the lane's stop, its slowing down, its single probe and the agent's rate."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from customs.due import growing
from customs.ids import new_id
from customs.lanes.models import Lane

STRIKES_TO_STOP = 3
HOLDS_TO_SLOW = 3
LONGEST_HOLD_SECONDS = 60.0
LARGEST_SKEW_SECONDS = 30.0


@dataclass(frozen=True)
class LaneReport:
    """What a group of answers says of the lane: counts, the worst Retry-After, the largest clock skew in seconds."""

    answered: int = 0
    held: int = 0
    struck: int = 0
    retry_after: float = 0.0
    skew: float | None = None
    reason: str = ""


def lane_id(db: Session, agent_no: str, base_url: str, now: datetime) -> str:
    """The lane of this credential, made when it is used for the first time."""
    insert = insert_sqlite if db.connection().dialect.name == "sqlite" else insert_postgresql
    fresh = insert(Lane).values(
        id=new_id("lane"), agent_no=agent_no, base_url=base_url, strikes=0, holds=0, tokens=0.0, tokens_at=now
    )
    db.execute(fresh.on_conflict_do_nothing(index_elements=["agent_no", "base_url"]))
    return db.scalars(select(Lane.id).where(Lane.agent_no == agent_no, Lane.base_url == base_url)).one()


def is_open(lane: str, now: datetime) -> ColumnElement[bool]:
    """The condition under which a call of this lane may leave."""
    return (
        select(Lane.id)
        .where(Lane.id == lane, Lane.stopped_at.is_(None), or_(Lane.held_until.is_(None), Lane.held_until <= now))
        .exists()
    )


def admit(db: Session, lane: str, room: int, now: datetime, *, rate: float, timeout: float) -> int:
    """How many of `room` calls may be claimed now: none while stopped or held, one as a probe, else by the rate."""
    row = db.get_one(Lane, lane, with_for_update=rate > 0)
    if row.stopped_at is not None or (row.held_until is not None and row.held_until > now):
        return 0
    if row.holds >= HOLDS_TO_SLOW:
        return _admit_probe(db, lane, now, timeout)
    if not rate:
        return room
    # Never more than a second's worth: an idle night is not saved up for one burst.
    elapsed = max((now - row.tokens_at).total_seconds(), 0.0)
    row.tokens, row.tokens_at = min(row.tokens + elapsed * rate, max(rate, 1.0)), now
    return min(room, int(row.tokens))


def _admit_probe(db: Session, lane: str, now: datetime, timeout: float) -> int:
    free = or_(Lane.probed_until.is_(None), Lane.probed_until <= now)
    taken = db.execute(update(Lane).where(Lane.id == lane, free).values(probed_until=now + timedelta(seconds=timeout)))
    return int(taken.rowcount)  # type: ignore[attr-defined]


def spend(db: Session, lane: str, calls: int) -> None:
    """Take the tokens of calls that were claimed."""
    db.execute(update(Lane).where(Lane.id == lane).values(tokens=Lane.tokens - calls))


def report(db: Session, lane: str, said: LaneReport, now: datetime) -> bool:
    """Write down what a group of answers says of the lane; True when that stopped it."""
    if said.answered:
        spoiled = or_(Lane.strikes > 0, Lane.holds > 0)
        healed = {"strikes": 0, "holds": 0, "held_until": None, "probed_until": None}
        db.execute(update(Lane).where(Lane.id == lane, spoiled).values(healed))
        return False
    if not (said.held or said.struck):
        return False
    row = db.get_one(Lane, lane, with_for_update=True, populate_existing=True)
    if said.held and not (row.held_until and row.held_until > now):
        # Calls that were in the air together count as one round once the lane is slow.
        row.holds = row.holds + 1 if row.holds >= HOLDS_TO_SLOW else min(row.holds + said.held, HOLDS_TO_SLOW)
        row.probed_until = None
        if row.holds >= HOLDS_TO_SLOW:
            wait = growing(1.0, row.holds - HOLDS_TO_SLOW, factor=2.0, most=LONGEST_HOLD_SECONDS)
            row.held_until = now + timedelta(seconds=max(wait, said.retry_after))
    row.strikes += said.struck
    skewed = said.skew is not None and abs(said.skew) > LARGEST_SKEW_SECONDS
    if row.stopped_at is not None or not (skewed or row.strikes >= STRIKES_TO_STOP):
        return False
    row.stopped_at = now
    row.reason = f"this machine's clock is {said.skew:+.0f} s off the gateway's" if skewed else said.reason
    return True


def resume(db: Session, lane: str) -> None:
    """Open a stopped lane again; what waited goes on by itself."""
    opened = {"stopped_at": None, "reason": None, "strikes": 0, "holds": 0, "held_until": None, "probed_until": None}
    db.execute(update(Lane).where(Lane.id == lane).values(opened))
