"""Figures of the dashboard, its charts and of batches, read from tallies: no page counts declarations one by one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from customs.auth.principal import Caller
from customs.db import database
from customs.db.bulk import in_list
from customs.db.pagination import newest_first
from customs.declarations.cases import Cause
from customs.declarations.models import Batch, Declaration, Push
from customs.declarations.reading.failure_groups import open_cases
from customs.declarations.reading.queries import BATCHES_BY, in_batch, sees_batch
from customs.declarations.states import State
from customs.declarations.statistics import CAUSE, CLEAR, IDLE, OPENED, STATE, Durations, durations
from customs.jobs.leases import is_claimable
from customs.stats.tallies import ALL_TIME, Tally

# A backlog is counted so far and no further: beyond it, the exact number says nothing more.
MOST_COUNTED = 10_000


@dataclass(frozen=True)
class Today:
    """The four numbers of a day: what came on it and stands there; and what needs somebody, of all days.

    `undeclared` are those of the ones under way of which the gateway has reported no state yet.
    """

    undeclared: int
    under_way: int
    success: int
    needs_review: int


@dataclass(frozen=True)
class Backlog:
    """Pushes that are due and not leased. Where `is_more`, there are more than `count`."""

    count: int
    is_more: bool
    oldest: datetime | None


def today(db: Session, caller: Caller, day: date) -> Today:
    """Return the numbers of one day in Shanghai."""
    counts = counts_of(db, caller, since=day, until=day)
    going_on = under_way(counts)
    return Today(
        undeclared=going_on[State.UNDECLARED],
        under_way=sum(going_on.values()),
        success=counts.get(State.SUCCESS, 0),
        needs_review=open_cases(db, caller),
    )


def counts_of(
    db: Session,
    caller: Caller,
    *,
    channel: str | None = None,
    office: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Mapping[str, int]:
    """Count declarations by state, cancelled ones apart, and needs_review beside them.

    `since` and `until` are days in Shanghai, both included.
    """
    conditions = [] if channel is None else [Tally.channel == channel]
    conditions += [] if office is None else [Tally.subject == office]
    return {word: count for (word,), count in _sums(db, caller, STATE, [Tally.word], since, until, conditions)}


def under_way(counts: Mapping[str, int]) -> Mapping[State, int]:
    """Return the declarations that go on by themselves, by state, from what `counts_of` returned."""
    return {state: counts.get(state, 0) - counts.get(idle, 0) for state, idle in IDLE.items()}


def outcomes_by_office(db: Session, caller: Caller, since: date, until: date) -> Mapping[str, Mapping[str, int]]:
    """Return counts as `counts_of` does by office, for declarations created on these days, both included."""
    return _nested(_sums(db, caller, STATE, [Tally.subject, Tally.word], since, until))


def outcomes_by_day(db: Session, caller: Caller, since: date, until: date) -> Mapping[date, Mapping[str, int]]:
    """Return counts as `counts_of` does by the day of creation, both days included."""
    return _nested(_sums(db, caller, STATE, [Tally.day, Tally.word], since, until))


def time_to_acceptance(db: Session, caller: Caller, since: date, until: date) -> Mapping[date, Durations]:
    """Return how long declarations took that became SUCCESS on each of these days; days without one are left out."""
    by_day = _nested(_sums(db, caller, CLEAR, [Tally.day, Tally.word], since, until))
    return {day: durations(counts) for day, counts in by_day.items()}


def failures_by_cause(
    db: Session, caller: Caller, since: date, until: date, *, limit: int
) -> Sequence[tuple[Cause, int]]:
    """Return the causes for which most cases were opened on these days."""
    opened = _summed(caller, CAUSE, [Tally.subject], since, until, [Tally.word == OPENED]).subquery()
    rows = db.execute(
        select(Cause, opened.c.total)
        .join(opened, opened.c.subject == Cause.id)
        .order_by(opened.c.total.desc(), Cause.id)
        .limit(limit)
    )
    return [(cause, int(count)) for cause, count in rows]


def my_batches(db: Session, caller: Caller, *, limit: int) -> Sequence[Batch]:
    """Return the caller's own batches, newest first."""
    mine = select(Batch).where(Batch.sender_id == caller.id, sees_batch(caller))
    return db.scalars(mine.order_by(*newest_first(BATCHES_BY)).limit(limit)).all()


def backlog(db: Session, *, most: int = MOST_COUNTED) -> Backlog:
    """Return what waits for a worker. The oldest takes one look into the index for each merchant and kind of work."""
    now = database.now(db)
    waiting = is_claimable(Push, now)
    counted = select(Push.id).where(waiting).limit(most + 1).subquery()
    count = db.scalar(select(func.count()).select_from(counted)) or 0
    oldest = [_oldest(db, fresh, waiting) for fresh in (True, False)] if count else []
    return Backlog(min(count, most), count > most, min(filter(None, oldest), default=None))


def _oldest(db: Session, fresh: bool, waiting: ColumnElement[bool]) -> datetime | None:
    queued = (Push.fresh == fresh, Push.due_at.is_not(None))
    merchants = select(func.min(Push.merchant_no).label("merchant_no")).where(*queued).cte("merchants", recursive=True)
    following = select(func.min(Push.merchant_no)).where(*queued, Push.merchant_no > merchants.c.merchant_no)
    merchants = merchants.union_all(select(following.scalar_subquery()).where(merchants.c.merchant_no.is_not(None)))
    # Of what was tried in vain: since when it was.
    first_due = func.coalesce(Push.overdue_since, Push.due_at, type_=Push.due_at.type)
    first = select(first_due).where(Push.fresh == fresh, Push.merchant_no == merchants.c.merchant_no, waiting)
    each = select(first.order_by(Push.due_at).limit(1).scalar_subquery().label("due_at")).select_from(merchants)
    oldest: datetime | None = db.scalar(select(func.min(each.subquery().c.due_at)))
    return oldest


def _sums(
    db: Session,
    caller: Caller,
    kind: str,
    keys: Sequence[Any],
    since: date | None,
    until: date | None,
    narrowed: Sequence[ColumnElement[bool]] = (),
) -> list[tuple[tuple[Any, ...], int]]:
    """Return the sums of tallies of a kind, by these columns."""
    rows = db.execute(_summed(caller, kind, keys, since, until, narrowed)).all()
    return [(tuple(key), int(total)) for *key, total in rows]


def _summed(
    caller: Caller,
    kind: str,
    keys: Sequence[Any],
    since: date | None,
    until: date | None,
    narrowed: Sequence[ColumnElement[bool]],
) -> Select[Any]:
    days = Tally.day == ALL_TIME
    if since is not None or until is not None:
        days = and_(Tally.day > ALL_TIME, Tally.day.between(since or ALL_TIME, until or date.max))
    return (
        select(*keys, func.sum(Tally.count).label("total"))
        .where(Tally.kind == kind, days, caller.sees(Tally.merchant_no), *narrowed)
        .group_by(*keys)
        .having(func.sum(Tally.count) != 0)
    )


def _nested(sums: Sequence[tuple[tuple[Any, ...], int]]) -> dict[Any, dict[str, int]]:
    nested: dict[Any, dict[str, int]] = {}
    for (key, word), count in sums:
        nested.setdefault(key, {})[word] = count
    return nested


# Fewer ends than these, or a smaller share of the batch, say nothing about the rest.
FEWEST_ENDS = 3
SMALLEST_SHARE = 0.05
# Whoever goes on with a batch after hours does something else than what was measured.
LONGEST_RUN = timedelta(hours=6)


@dataclass(frozen=True)
class BatchProgress:
    """Progress of a batch: `running` of its declarations still go on by themselves, `open_rows` became none.

    `total` counts both. `left` is None where unknown.
    """

    total: int
    running: int
    open_rows: int
    left: timedelta | None

    @property
    def ended(self) -> int:
        return self.total - self.running - self.open_rows

    @property
    def share(self) -> float:
        """The share that has ended in whole hundredths, 0 to 1; it is 1 when all has."""
        return self.ended * 100 // self.total / 100 if self.total else 1.0


def count_running(db: Session, batch_id: str) -> int:
    """Count the declarations of a batch that go on by themselves or wait for payment, without an open case."""
    waiting = select(func.count()).where(in_batch(batch_id), Declaration.waiting_for.is_not(None))
    going_on = (
        select(func.count(Push.declaration_id.distinct()))
        .join(Declaration, Declaration.id == Push.declaration_id)
        .where(in_batch(batch_id), Push.due_at.is_not(None), Push.case_kind.is_(None))
    )
    return (db.scalar(going_on) or 0) + (db.scalar(waiting) or 0)


def batch_progress(total: int, running: int, began: datetime, now: datetime, open_rows: int = 0) -> BatchProgress:
    """Return how far a batch of so many declarations is, and how long the rest takes at the pace so far."""
    ended, passed = total - running, now - began
    is_known = ended >= FEWEST_ENDS and ended >= total * SMALLEST_SHARE and timedelta() < passed <= LONGEST_RUN
    left = passed * (running / ended) if running and is_known else None
    return BatchProgress(total + open_rows, running, open_rows, left)


@dataclass(frozen=True)
class EarlierSubmission:
    """Declarations that one batch brought; `batch` is None for one that the caller does not see."""

    count: int
    at: datetime
    batch: Batch | None


def earlier_submissions(db: Session, declaration_ids: Collection[str], caller: Caller) -> Sequence[EarlierSubmission]:
    """Return the batches that brought these declarations of the caller's, that of most of them first."""
    if not declaration_ids:
        return []
    batch_id, at = Declaration.batch_id, func.min(Declaration.created_at, type_=Declaration.created_at.type)
    counted = select(batch_id, func.count(), at).where(in_list(db, Declaration.id, declaration_ids)).group_by(batch_id)
    found = {brought: (count, since) for brought, count, since in db.execute(counted)}
    seen = select(Batch).where(in_list(db, Batch.id, found), sees_batch(caller))
    batches = {batch.id: batch for batch in db.scalars(seen)}
    earlier = [EarlierSubmission(count, since, batches.get(brought)) for brought, (count, since) in found.items()]
    return sorted(earlier, key=lambda one: (-one.count, one.at))
