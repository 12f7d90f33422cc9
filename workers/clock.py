"""The clock: once a second it ends the leases of dead workers and notifies the workers when something is due.

Every 20 seconds it also corrects stored times that a clock which ran ahead left in the future, and every five minutes
it anchors the end of the audit trail.
"""

import threading
import time
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, union
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from customs.container import Services
from customs.db import database
from customs.declarations.models import Push
from customs.jobs.leases import dead_holders, free_leases, is_claimable
from customs.jobs.outages import Outage
from customs.jobs.process_registry import BEAT_EVERY_SECONDS, Heartbeat, Kind
from customs.ops.audit_check import PeriodicAnchor
from customs.ops.future_timestamps import correct_future_timestamps
from customs.ops.retention import has_expired_rows, purge_expired
from customs.payments.models import Payment, Refund
from customs.webhooks.claim import is_waiting
from customs.webhooks.fanout import is_pending
from customs.webhooks.models import Delivery

log = structlog.get_logger()

TICK_SECONDS = 1.0
CORRECT_EVERY_SECONDS = 20.0
# The clock notifies every second: work that is due for so long was missed.
OVERDUE = timedelta(seconds=5)
# Everything that workers call for.
DUE: tuple[type[Push] | type[Payment] | type[Refund], ...] = (Push, Payment, Refund)
# Everything that workers lease. Deliveries are due only if their endpoint may be called: `is_waiting` asks that.
LEASED: tuple[type[Push] | type[Payment] | type[Refund] | type[Delivery], ...] = (*DUE, Delivery)


def run(services: Services, stopping: threading.Event) -> None:
    """Tick until told to stop; while the database is away, try again at each tick.

    The heartbeat comes from the loop itself: a clock that hangs sends none.
    """
    correct_at = float("-inf")
    outage, anchor = Outage("the database does not work"), PeriodicAnchor(services)
    heartbeat, heartbeat_at = Heartbeat(services.engine, Kind.CLOCK), float("-inf")
    while not stopping.is_set():
        began = time.monotonic()
        try:
            tick(services)
            if began >= correct_at:
                correct_timestamps(services)
                correct_at = began + CORRECT_EVERY_SECONDS
            anchor.tick()
        except SQLAlchemyError as error:
            outage.report_failure(error=type(error).__name__)
        else:
            outage.report_success()
            if began >= heartbeat_at:
                heartbeat.beat()
                heartbeat_at = began + BEAT_EVERY_SECONDS
        stopping.wait(max(TICK_SECONDS - (time.monotonic() - began), 0.05))
    heartbeat.stop()


def tick(services: Services) -> bool:
    """End leases of dead processes, purge what expired, notify the workers if work is due; return whether it did."""
    with services.reading() as db:
        leased = union(*(select(model.holder).where(model.holder.is_not(None)) for model in LEASED))
        dead = dead_holders(db.scalars(leased))
    if dead:
        with services.transaction() as db:
            free_leases(db, LEASED, dead, database.now(db))
            log.warning("leases of dead workers were freed", holders=len(dead))
    with services.reading() as db:
        now = database.now(db)
        due, expired = has_due_work(db, now), has_expired_rows(db, services.settings, now)
    if expired:
        with services.transaction() as db:
            purge_expired(db, services.settings, now)
    return due and services.notifier.notify()


def correct_timestamps(services: Services) -> None:
    """Correct stored times that a clock which ran ahead left in the future."""
    if count := correct_future_timestamps(services.engine, services.settings):
        log.warning("stored times of a clock that was ahead were brought back", rows=count)


def has_overdue_work(services: Services) -> bool:
    """Whether work is due for longer than it can be while a clock runs."""
    with services.reading() as db:
        return has_due_work(db, database.now(db) - OVERDUE)


def has_due_work(db: Session, now: datetime) -> bool:
    if any(db.scalar(select(model.id).where(is_claimable(model, now)).limit(1)) for model in DUE):
        return True
    return is_pending(db.connection()) or is_waiting(db.connection(), now)
