"""Repair of stored times that lie too far in the future: a clock that was ahead and was set right leaves them behind.

Nothing is waited for beyond its own longest interval. One table names every stored time that something waits for, how
far ahead of now it may lie, and what it becomes when it lies further ahead.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, exists, literal, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from customs.auth.models import FailedSignIn, IdempotentReply, SignedIn
from customs.auth.sessions import LONGEST
from customs.config import Settings
from customs.db import database
from customs.declarations.models import Push
from customs.jobs.leases import JITTER, LONGEST_POLL_FACTOR, LONGEST_RETRY_AFTER_SECONDS
from customs.lanes.models import Lane
from customs.payments.models import Payment, Refund
from customs.webhooks.models import Attempt, Delivery, Endpoint
from customs.webhooks.retry_policy import DELAYS

# The database's clock, as a process counts it on, may be off by less than this.
SLACK = timedelta(seconds=10)
NONE = timedelta()
# Rows of one transaction: no recording waits for more.
BITE = 1_000


@dataclass(frozen=True)
class Bound:
    """A stored time that is at most `longest` ahead, of rows like `these`; further ahead it becomes now plus `then`."""

    column: InstrumentedAttribute[Any]
    longest: timedelta = NONE
    then: timedelta = NONE
    these: ColumnElement[bool] = field(default_factory=true)

    def is_broken(self, now: datetime) -> ColumnElement[bool]:
        return and_(self.these, self.column > now + self.longest + SLACK)


@dataclass(frozen=True)
class Repair:
    """One table: the key of its rows, the times in them, and for which rows they count."""

    key: InstrumentedAttribute[Any]
    bounds: Sequence[Bound]
    counts: Callable[[datetime], ColumnElement[bool]] = lambda _now: true()

    def is_broken(self, now: datetime) -> ColumnElement[bool]:
        return and_(self.counts(now), or_(*(bound.is_broken(now) for bound in self.bounds)))

    def mended(self, now: datetime) -> dict[str, Any]:
        columns = dict.fromkeys(bound.column for bound in self.bounds)
        return {column.key: case(*self._becomes(column, now), else_=column) for column in columns}

    def _becomes(self, column: InstrumentedAttribute[Any], now: datetime) -> Iterator[tuple[ColumnElement[bool], Any]]:
        for bound in self.bounds:
            if bound.column is column:
                yield bound.is_broken(now), literal(now + bound.then, column.type)


def repairs(settings: Settings) -> Sequence[Repair]:
    """Every stored time that something waits for."""
    lease = timedelta(seconds=settings.lease_seconds)
    polled = _longest_wait(settings.poll_seconds, settings.unknown_grace_seconds)
    paid = _longest_wait(settings.payment_poll_seconds, settings.unknown_grace_seconds)
    asked_for = timedelta(seconds=LONGEST_RETRY_AFTER_SECONDS)
    probing = timedelta(seconds=settings.gateway_timeout_seconds)
    return (
        Repair(
            Push.id,
            (
                Bound(Push.due_at, polled),
                Bound(Push.lease_until, lease, then=lease),
                Bound(Push.sent_at),
                Bound(Push.budget_from),
            ),
            lambda _now: Push.due_at.is_not(None),
        ),
        *(_errand(model, paid, lease) for model in (Payment, Refund)),
        Repair(
            Delivery.id,
            (*_delays(), Bound(Delivery.lease_until, lease, then=lease)),
            lambda _now: Delivery.due_at.is_not(None),
        ),
        Repair(Endpoint.id, (Bound(Endpoint.held_until), Bound(Endpoint.failing_since)), _failed_in_the_future),
        Repair(Lane.id, (Bound(Lane.held_until, asked_for), Bound(Lane.probed_until, probing))),
        Repair(FailedSignIn.who, (Bound(FailedSignIn.last_at),)),
        Repair(SignedIn.id, (Bound(SignedIn.expires_at, LONGEST, then=LONGEST), Bound(SignedIn.last_seen_at))),
        Repair(
            IdempotentReply.id,
            (Bound(IdempotentReply.created_at), Bound(IdempotentReply.lease_until)),
            lambda now: IdempotentReply.created_at > now + SLACK,
        ),
    )


def repair_future_times(engine: Engine, settings: Settings) -> int:
    """Bring back what lies too far in the future, a bite a transaction; returns how many rows that were.

    While nothing does, it only reads: SQLite has one writer.
    """
    count = 0
    for repair in repairs(settings):
        while (mended := _repair(engine, repair)) > 0:
            count += mended
    return count


def _repair(engine: Engine, repair: Repair) -> int:
    with database.reading(engine) as db:
        if db.scalar(select(repair.key).where(repair.is_broken(database.now(db))).limit(1)) is None:
            return 0
    with database.transaction(engine) as db:
        return _mend(db, repair, database.now(db))


def _mend(db: Session, repair: Repair, now: datetime) -> int:
    broken = select(repair.key).where(repair.is_broken(now)).limit(BITE)
    # What a worker is about to write is left to the next round: neither waits for the other.
    keys = db.scalars(broken.with_for_update(skip_locked=True)).all()
    if keys:
        db.execute(update(repair.key.class_).where(repair.key.in_(keys)).values(repair.mended(now)))
    return len(keys)


def _longest_wait(poll_seconds: float, grace_seconds: float) -> timedelta:
    """The longest that anything asked of the gateway ever waits: between two questions, or as long as it asks for."""
    polling = poll_seconds * LONGEST_POLL_FACTOR * (1 + JITTER)
    return timedelta(seconds=max(polling, grace_seconds, LONGEST_RETRY_AFTER_SECONDS))


def _errand(model: type[Payment] | type[Refund], longest: timedelta, lease: timedelta) -> Repair:
    bounds = Bound(model.due_at, longest), Bound(model.lease_until, lease, then=lease), Bound(model.sent_at)
    return Repair(model.id, bounds, lambda _now: model.due_at.is_not(None))


def _delays() -> Iterator[Bound]:
    """How long a delivery waits after so many attempts; what its receiver asks for beyond that, the endpoint keeps."""
    for tries, delay in enumerate((0, *DELAYS)):
        yield Bound(Delivery.due_at, timedelta(seconds=delay * (1 + JITTER)), these=Delivery.tries == tries)


def _failed_in_the_future(now: datetime) -> ColumnElement[bool]:
    """Whether an endpoint's failures are of a time to come: how long it asked to be left alone is not stored."""
    waiting = and_(Delivery.endpoint_id == Endpoint.id, Delivery.due_at.is_not(None), Delivery.tries > 0)
    attempt = exists().where(waiting, Attempt.delivery_id == Delivery.id, Attempt.at > now + SLACK)
    return and_(Endpoint.held_until > now + SLACK, or_(Endpoint.failing_since > now + SLACK, attempt))
