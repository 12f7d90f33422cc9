"""The clock: once a second it frees the leases of dead workers and rings when something is due.

Now and then it brings back what waits for a time that never comes, because some clock was ahead.
"""

import threading
import time
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, union, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from customs.container import Services
from customs.db import database
from customs.declarations.models import Push
from customs.imports.drafts import forget_untouched, something_is_untouched
from customs.jobs.leases import dead_holders, waits_for_a_worker
from customs.jobs.outages import Outage
from customs.jobs.process_registry import EVERY_SECONDS, Kind, SignOfLife
from customs.ops.future_timestamps import correct_future_timestamps
from customs.ops.retention import has_expired_rows, purge_expired
from customs.payments.models import Payment, Refund
from customs.webhooks.claim import is_waiting
from customs.webhooks.fanout import is_pending
from customs.webhooks.models import Delivery

log = structlog.get_logger()

TICK_SECONDS = 1.0
REPAIR_EVERY_SECONDS = 20.0
# The clock rings every second: what was due for so long was not rung for.
OVERDUE = timedelta(seconds=5)
# Everything that a worker may be asked to call for.
DUE: tuple[type[Push] | type[Payment] | type[Refund], ...] = (Push, Payment, Refund)
# Everything that a process may hold. A delivery is due only when its endpoint may be told, which is asked apart.
HELD: tuple[type[Push] | type[Payment] | type[Refund] | type[Delivery], ...] = (*DUE, Delivery)


def run(services: Services, stopping: threading.Event) -> None:
    """Tick until told to stop; a database that is away is asked again at the next tick.

    The sign of life comes from the loop itself: a clock that hangs leaves none.
    """
    repair_at = float("-inf")
    outage = Outage("the database does not work")
    sign, sign_at = SignOfLife(services.engine, Kind.CLOCK), float("-inf")
    while not stopping.is_set():
        began = time.monotonic()
        try:
            tick(services)
            if began >= repair_at:
                repair(services)
                repair_at = began + REPAIR_EVERY_SECONDS
        except SQLAlchemyError as error:
            outage.goes_on(error=type(error).__name__)
        else:
            outage.is_over()
            if began >= sign_at:
                sign.leave()
                sign_at = began + EVERY_SECONDS
        stopping.wait(max(TICK_SECONDS - (time.monotonic() - began), 0.05))
    sign.end()


def tick(services: Services) -> bool:
    """One look; True when it rang."""
    with services.reading() as db:
        held = union(*(select(model.holder).where(model.holder.is_not(None)) for model in HELD))
        gone = dead_holders(db.scalars(held))
    if gone:
        with services.transaction() as db:
            free_leases(db, gone, database.now(db))
    with services.reading() as db:
        now = database.now(db)
        due, old = something_is_due(db, now), has_expired_rows(db, now) or something_is_untouched(db, now)
    if old:
        with services.transaction() as db:
            purge_expired(db, now)
            forget_untouched(db, now)
    return due and services.notifier.notify()


def repair(services: Services) -> None:
    """Bring back what waits for a time that only a clock that was ahead could have meant."""
    if count := correct_future_timestamps(services.engine, services.settings):
        log.warning("stored times of a clock that was ahead were brought back", rows=count)


def free_leases(db: Session, holders: list[str], now: datetime) -> None:
    """End the leases of processes of this machine that died; what was in doubt will ask the gateway first."""
    for model in HELD:
        db.execute(update(model).where(model.holder.in_(holders)).values(holder=None, lease_until=now))
    log.warning("leases of dead workers were freed", holders=len(holders))


def something_is_overdue(services: Services) -> bool:
    """Whether something waits for longer than a clock that rings lets it wait."""
    with services.reading() as db:
        return something_is_due(db, database.now(db) - OVERDUE)


def something_is_due(db: Session, now: datetime) -> bool:
    if any(db.scalar(select(model.id).where(waits_for_a_worker(model, now)).limit(1)) for model in DUE):
        return True
    return is_pending(db.connection()) or is_waiting(db.connection(), now)
