"""The one job: drain what is due. It carries no data; the database says what there is to do."""

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
# Why this process ends, where somebody has to do something about it.
refusals: list[str] = []
database_outage = Outage("the database does not work")


@cache
def services() -> Services:
    """This process's services, made at the first job."""
    crash_at = os.environ.get(Failpoints.VARIABLE, "")
    return Services(read_settings(), crash_at, pings=False, on_mismatch=refuse)


def refuse(sentence: str) -> None:
    """End this process, for the database is another program's: what it would write there would be wrong."""
    refusals.append(sentence)
    stopping.set()
    # RQ hears signals only.
    os.kill(os.getpid(), signal.SIGTERM)


def drain() -> int:
    """Work for some 30 seconds, or until nothing is due; notify a colleague when there is more than one can hold.

    While the database does not work, nothing is done: what was begun stays, and the next drain goes on with it.
    """
    ends_at = time.monotonic() + DRAIN_SECONDS
    notify = services().notifier.notify
    try:
        recorded = services().desks.drain(DRAIN_SECONDS, stopping.is_set, on_backlog=notify)
    except SQLAlchemyError as error:
        database_outage.goes_on(error=type(error).__name__)
        return 0
    database_outage.is_over()
    if time.monotonic() >= ends_at:
        notify()
    return recorded


def end() -> None:
    """Give back what this process holds, if it ever began."""
    if "desks" in vars(services()):
        services().desks.close()
