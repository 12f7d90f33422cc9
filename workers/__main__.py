"""`python -m workers worker|clock`: what `customs worker` and `customs clock` become."""

import os
import signal
import socket
import sys
import time
from contextlib import suppress

import structlog
from redis.exceptions import RedisError
from setproctitle import setproctitle
from sqlalchemy.exc import SQLAlchemyError

from customs import logs
from customs.errors import CustomsError
from customs.ids import new_id
from customs.settings import read_settings
from workers import clock, jobs
from workers.queues import RedisAway, make_worker

log = structlog.get_logger()

ALONE_SECONDS = 1.0


def main() -> None:
    kind = sys.argv[1]
    logs.steady_streams()
    setproctitle(f"customs {kind}")
    settings = read_settings()
    logs.configure(settings.log_level)
    _stop_on_signals()
    # A database that is away at the start may come; one of another version is found out by looking.
    with suppress(SQLAlchemyError), jobs.services().reading() as db:
        db.connection()
    {"worker": run_worker, "clock": run_clock}[kind]()
    if jobs.refusals:
        sys.exit(jobs.refusals[0])


def run_clock() -> None:
    clock.run(jobs.services(), jobs.stopping)


def run_worker() -> None:
    """Work behind RQ's queue; while Redis is away, drain alone every second, and go back when it answers."""
    name = f"{socket.gethostname()}-{os.getpid()}-{new_id('w')[-6:]}"
    while not jobs.stopping.is_set():
        if jobs.services().doorbell.answers():
            _work_behind_queue(name)
            _stop_on_signals()
        else:
            _drain_alone()


def _work_behind_queue(name: str) -> None:
    try:
        # RQ takes a Redis that went away for a crash, with a traceback; we say it in one line.
        make_worker(jobs.services().doorbell, name).work(logging_level="CRITICAL")
    except (RedisError, RedisAway, ValueError) as error:
        # ValueError: a worker of this name is still registered with a Redis that was away for a moment.
        log.info("left the queue", error=type(error).__name__)


def _drain_alone() -> None:
    began = time.monotonic()
    try:
        jobs.drain()
    except SQLAlchemyError as error:
        log.warning("the database is away", error=type(error).__name__)
    jobs.stopping.wait(max(ALONE_SECONDS - (time.monotonic() - began), 0.05))


def _stop_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: jobs.stopping.set())


if __name__ == "__main__":
    try:
        main()
    except CustomsError as error:
        sys.exit(f"{error.title}: {error.detail}")
