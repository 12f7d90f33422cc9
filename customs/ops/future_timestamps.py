"""Correct stored times that lie too far in the future: a clock that ran ahead and was set back leaves them behind.

Nothing waits beyond its own longest interval. `all_bounds` lists every stored time that something waits for, how far
ahead of now it may lie, and what it becomes when it lies further ahead.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, case, exists, literal, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from customs.auth.models import FailedSignIn, IdempotentReply, UserSession
from customs.auth.sessions import LONGEST
from customs.config import Settings
from customs.db import database
from customs.declarations.models import Push
from customs.jobs.leases import JITTER, LONGEST_POLL_FACTOR, LONGEST_RETRY_AFTER_SECONDS
from customs.lanes.models import Lane
from customs.payments.models import Payment, Refund
from customs.webhooks.models import Attempt, Delivery, Endpoint
from customs.webhooks.retry_policy import DELAYS

# A process counts the database's clock on by itself; it is off by less than this.
TOLERANCE = timedelta(seconds=10)
ZERO = timedelta()
# Rows a transaction: workers that record wait no longer than this takes.
BATCH_SIZE = 1_000


@dataclass(frozen=True)
class Bound:
    """A stored time may be `longest` ahead in rows that meet `condition`; beyond, it becomes now plus `reset_to`."""

    column: InstrumentedAttribute[Any]
    longest: timedelta = ZERO
    reset_to: timedelta = ZERO
    condition: ColumnElement[bool] = field(default_factory=true)

    def is_too_far(self, now: datetime) -> ColumnElement[bool]:
        return and_(self.condition, self.column > now + self.longest + TOLERANCE)


@dataclass(frozen=True)
class TableBounds:
    """One table: the key of its rows, the bounds of their times, and the rows for which they matter."""

    key: InstrumentedAttribute[Any]
    bounds: Sequence[Bound]
    is_relevant: Callable[[datetime], ColumnElement[bool]] = lambda _now: true()

    def is_too_far(self, now: datetime) -> ColumnElement[bool]:
        return and_(self.is_relevant(now), or_(*(bound.is_too_far(now) for bound in self.bounds)))

    def corrected(self, now: datetime) -> dict[str, Any]:
        columns = dict.fromkeys(bound.column for bound in self.bounds)
        return {column.key: case(*self._cases(column, now), else_=column) for column in columns}

    def _cases(self, column: InstrumentedAttribute[Any], now: datetime) -> Iterator[tuple[ColumnElement[bool], Any]]:
        for bound in self.bounds:
            if bound.column is column:
                yield bound.is_too_far(now), literal(now + bound.reset_to, column.type)


def all_bounds(settings: Settings) -> Sequence[TableBounds]:
    """Return the bounds of every stored time that something waits for."""
    lease = timedelta(seconds=settings.lease_seconds)
    polled = _longest_wait(settings.poll_seconds, settings.unknown_grace_seconds)
    paid = _longest_wait(settings.payment_poll_seconds, settings.unknown_grace_seconds)
    asked_for = timedelta(seconds=LONGEST_RETRY_AFTER_SECONDS)
    probing = timedelta(seconds=settings.gateway_timeout_seconds)
    return (
        TableBounds(
            Push.id,
            (
                Bound(Push.due_at, polled),
                Bound(Push.lease_until, lease, reset_to=lease),
                Bound(Push.sent_at),
                Bound(Push.budget_from),
            ),
            lambda _now: Push.due_at.is_not(None),
        ),
        *(_task(model, paid, lease) for model in (Payment, Refund)),
        TableBounds(
            Delivery.id,
            (*_delays(), Bound(Delivery.lease_until, lease, reset_to=lease)),
            lambda _now: Delivery.due_at.is_not(None),
        ),
        TableBounds(Endpoint.id, (Bound(Endpoint.held_until), Bound(Endpoint.failing_since)), _failed_in_the_future),
        TableBounds(Lane.id, (Bound(Lane.held_until, asked_for), Bound(Lane.probed_until, probing))),
        TableBounds(FailedSignIn.who, (Bound(FailedSignIn.last_at), Bound(FailedSignIn.forgiven_at))),
        TableBounds(
            UserSession.id, (Bound(UserSession.expires_at, LONGEST, reset_to=LONGEST), Bound(UserSession.last_seen_at))
        ),
        TableBounds(
            IdempotentReply.id,
            (Bound(IdempotentReply.created_at), Bound(IdempotentReply.lease_until)),
            lambda now: IdempotentReply.created_at > now + TOLERANCE,
        ),
    )


def correct_future_timestamps(engine: Engine, settings: Settings) -> int:
    """Correct all times that lie too far in the future, in small transactions; return how many rows that were.

    Only reads while there are none: SQLite has one writer.
    """
    count = 0
    for table in all_bounds(settings):
        while (corrected := _correct(engine, table)) > 0:
            count += corrected
    return count


def _correct(engine: Engine, table: TableBounds) -> int:
    with database.reading(engine) as db:
        if db.scalar(select(table.key).where(table.is_too_far(database.now(db))).limit(1)) is None:
            return 0
    with database.transaction(engine) as db:
        return _correct_batch(db, table, database.now(db))


def _correct_batch(db: Session, table: TableBounds, now: datetime) -> int:
    broken = select(table.key).where(table.is_too_far(now)).limit(BATCH_SIZE)
    # Rows that a worker is about to write are left to the next round: neither waits for the other.
    keys = db.scalars(broken.with_for_update(skip_locked=True)).all()
    if keys:
        db.execute(update(table.key.class_).where(table.key.in_(keys)).values(table.corrected(now)))
    return len(keys)


def _longest_wait(poll_seconds: float, grace_seconds: float) -> timedelta:
    """Return the longest wait between two calls to the gateway: a polling interval, the grace, or a Retry-After."""
    polling = poll_seconds * LONGEST_POLL_FACTOR * (1 + JITTER)
    return timedelta(seconds=max(polling, grace_seconds, LONGEST_RETRY_AFTER_SECONDS))


def _task(model: type[Payment] | type[Refund], longest: timedelta, lease: timedelta) -> TableBounds:
    bounds = Bound(model.due_at, longest), Bound(model.lease_until, lease, reset_to=lease), Bound(model.sent_at)
    return TableBounds(model.id, bounds, lambda _now: model.due_at.is_not(None))


def _delays() -> Iterator[Bound]:
    """Yield the longest wait of a delivery after each number of attempts; a Retry-After is kept on the endpoint."""
    for attempt_count, delay in enumerate((0, *DELAYS)):
        yield Bound(
            Delivery.due_at, timedelta(seconds=delay * (1 + JITTER)), condition=Delivery.attempt_count == attempt_count
        )


def _failed_in_the_future(now: datetime) -> ColumnElement[bool]:
    """Whether an endpoint's failures lie in the future: the length of its Retry-After is not stored."""
    waiting = and_(Delivery.endpoint_id == Endpoint.id, Delivery.due_at.is_not(None), Delivery.attempt_count > 0)
    attempt = exists().where(waiting, Attempt.delivery_id == Delivery.id, Attempt.at > now + TOLERANCE)
    return and_(Endpoint.held_until > now + TOLERANCE, or_(Endpoint.failing_since > now + TOLERANCE, attempt))
