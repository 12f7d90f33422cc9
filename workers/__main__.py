"""`python -m workers worker|clock`: what `customs worker` and `customs clock` become."""

import os
import signal
import socket
import sys
import time
from contextlib import suppress

import structlog
from setproctitle import setproctitle
from sqlalchemy.exc import SQLAlchemyError

from customs import logging_setup
from customs.config import read_settings
from customs.container import Services
from customs.errors import CustomsError
from customs.ids import new_id
from customs.jobs.outages import Outage
from customs.jobs.process_registry import Kind, SignOfLife
from customs.jobs.wakeup import connect, reason_of
from workers import clock, jobs
from workers.queues import DeskWorker, Surroundings

log = structlog.get_logger()

ALONE_SECONDS = 1.0
LONGEST_ABSENCE_SECONDS = 15.0
# Who was behind the queue for so long without trouble did not come in vain.
STEADY_SECONDS = 30.0


def main() -> None:
    kind = sys.argv[1]
    logging_setup.steady_streams()
    setproctitle(f"customs {kind}")
    settings = read_settings()
    logging_setup.configure(settings.log_level)
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
    """Work behind RQ's queue; while that does not work, drain alone every second, and go back when it does."""
    services = jobs.services()
    sign = SignOfLife(services.engine, Kind.WORKER)
    sign.begin()
    post = Post(services, sign)
    try:
        while not jobs.stopping.is_set():
            if post.may_be_taken():
                post.take()
                _stop_on_signals()
            else:
                _drain_alone()
    finally:
        jobs.end()
        sign.end()


class Post:
    """This worker's post behind the queue: taken again at once after a steady while, and ever later after failures.

    Whatever ends it, the log and this process's sign of life say so once. Whether the queue works is not asked of
    Redis but tried: a job was enqueued, and one was taken.
    """

    def __init__(self, services: Services, sign: SignOfLife) -> None:
        self._notifier = services.notifier
        self._services = services
        self._sign = sign
        self._outage = Outage("the queue does not work: this worker looks for work by itself every second")
        self._pause = 0.0
        self._taken_at = 0.0
        self._take_at = float("-inf")

    def may_be_taken(self) -> bool:
        """Whether it is time to try, and a job could be enqueued."""
        if time.monotonic() < self._take_at:
            return False
        if self._notifier.notify():
            return True
        self._leave(self._notifier.trouble() or "the queue takes no jobs")
        return False

    def take(self) -> None:
        """Work behind the queue for as long as it works."""
        name = f"{socket.gethostname()}-{os.getpid()}-{new_id('w')[-6:]}"
        self._taken_at = time.monotonic()
        surroundings = Surroundings(self._is_overdue, self._notifier.notify, self._works)
        worker = None
        try:
            with connect(self._notifier.redis_url) as line:
                worker = DeskWorker(line, name, surroundings)
                worker.work(logging_level="CRITICAL")
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever RQ raises, the work goes on without it
            self._leave(reason_of((worker and worker.broken_by) or error))
        else:
            if not jobs.stopping.is_set():
                self._leave(reason_of(worker.broken_by) if worker.broken_by else "RQ ended its work")

    def _leave(self, trouble: str) -> None:
        self._outage.goes_on(error=trouble)
        self._sign.trouble = f"the queue does not work: {trouble}"
        self._pause = min(max(2 * self._pause, ALONE_SECONDS), LONGEST_ABSENCE_SECONDS)
        self._take_at = time.monotonic() + self._pause

    def _works(self) -> None:
        self._sign.trouble = None
        if time.monotonic() - self._taken_at >= STEADY_SECONDS:
            self._pause = 0.0
            self._outage.is_over()

    def _is_overdue(self) -> bool:
        try:
            return clock.something_is_overdue(self._services)
        except SQLAlchemyError:
            # Nothing can be done about what nobody can read.
            return False


def _drain_alone() -> None:
    began = time.monotonic()
    jobs.drain()
    jobs.stopping.wait(max(ALONE_SECONDS - (time.monotonic() - began), 0.05))


def _stop_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: jobs.stopping.set())


if __name__ == "__main__":
    try:
        main()
    except CustomsError as error:
        sys.exit(f"{error.title}: {error.detail}")
