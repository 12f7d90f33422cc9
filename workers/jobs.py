"""The one job, `drain`: do what is due. It carries no data; the database knows what is due."""

import os
import signal
import threading
import time
from functools import cache

from sqlalchemy.exc import SQLAlchemyError

from customs.config import read_settings
from customs.container import Services
from customs.jobs.failpoints import Failpoints
from customs.jobs.outages import Outage

DRAIN_SECONDS = 30.0

stopping = threading.Event()
# Why this process stops, where an operator has to act.
refusals: list[str] = []
database_outage = Outage("the database does not work")


@cache
def services() -> Services:
    """Return this process's services, made at the first call."""
    crash_at = os.environ.get(Failpoints.VARIABLE) or os.environ.get(Failpoints.EARLIER_VARIABLE, "")
    return Services(read_settings(), crash_at, pings=False, on_mismatch=refuse)


def refuse(sentence: str) -> None:
    """Stop this process: the database is at another version, and writes would be wrong."""
    refusals.append(sentence)
    stopping.set()
    # RQ stops only by a signal.
    os.kill(os.getpid(), signal.SIGTERM)


def drain() -> int:
    """Do what is due for some 30 seconds; notify another worker when there is more than this one can take.

    While the database is away nothing is done; the next drain goes on with what was begun.
    """
    ends_at = time.monotonic() + DRAIN_SECONDS
    notify = services().notifier.notify
    try:
        recorded = services().job_handlers.drain(DRAIN_SECONDS, stopping.is_set, on_backlog=notify)
    except SQLAlchemyError as error:
        database_outage.report_failure(error=type(error).__name__)
        return 0
    database_outage.report_success()
    if time.monotonic() >= ends_at:
        notify()
    return recorded


def end() -> None:
    """Release what this process has reserved."""
    if "job_handlers" in vars(services()):
        services().job_handlers.close()
