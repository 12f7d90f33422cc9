"""`python -m workers worker|clock`: the processes `customs worker` and `customs clock`."""

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
from customs.config import keep_files_private, read_settings
from customs.container import Services
from customs.errors import CustomsError
from customs.ids import new_id
from customs.jobs.outages import Outage
from customs.jobs.process_registry import Heartbeat, Kind
from customs.jobs.wakeup import connect, reason_of
from customs.ops.audit_check import anchor_audit_trail
from workers import clock, jobs
from workers.queues import QueueWorker, WorkerHooks

log = structlog.get_logger()

DRAIN_EVERY_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 15.0
# After so long without trouble the next failure pauses shortly again.
STEADY_SECONDS = 30.0


def main() -> None:
    kind = sys.argv[1]
    keep_files_private()
    logging_setup.steady_streams()
    setproctitle(f"customs {kind}")
    settings = read_settings()
    logging_setup.configure(settings.log_level)
    _stop_on_signals()
    # A database that is away may come back; one at another version is refused here.
    with suppress(SQLAlchemyError), jobs.services().reading() as db:
        db.connection()
    {"worker": run_worker, "clock": run_clock}[kind]()
    if jobs.refusals:
        sys.exit(jobs.refusals[0])


def run_clock() -> None:
    clock.run(jobs.services(), jobs.stopping)


def run_worker() -> None:
    """Run RQ's worker; while the queue does not work, drain every second without it."""
    services = jobs.services()
    heartbeat = Heartbeat(services.engine, Kind.WORKER)
    heartbeat.start()
    anchor_audit_trail(services)
    session = QueueSession(services, heartbeat)
    try:
        while not jobs.stopping.is_set():
            if session.can_start():
                session.run()
                _stop_on_signals()
            else:
                _drain_without_queue()
    finally:
        jobs.end()
        heartbeat.stop()


class QueueSession:
    """Runs an RQ worker until the queue fails, and says when to try again: later after each failure.

    The log and this process's heartbeat report a failure once. Whether the queue works is tried, not asked: a job
    was enqueued, and one was taken.
    """

    def __init__(self, services: Services, heartbeat: Heartbeat) -> None:
        self._notifier = services.notifier
        self._services = services
        self._heartbeat = heartbeat
        self._outage = Outage("the queue does not work: this worker looks for work by itself every second")
        self._pause = 0.0
        self._started_at = 0.0
        self._retry_at = float("-inf")

    def can_start(self) -> bool:
        """Whether it is time to try again, and a job could be enqueued."""
        if time.monotonic() < self._retry_at:
            return False
        if self._notifier.notify():
            return True
        self._back_off(self._notifier.trouble() or "the queue takes no jobs")
        return False

    def run(self) -> None:
        """Run RQ's worker for as long as the queue works."""
        name = f"{socket.gethostname()}-{os.getpid()}-{new_id('w')[-6:]}"
        self._started_at = time.monotonic()
        hooks = WorkerHooks(self._is_overdue, self._notifier.notify, self._on_success)
        worker = None
        try:
            with connect(self._notifier.redis_url) as line:
                worker = QueueWorker(line, name, hooks)
                worker.work(logging_level="CRITICAL")
        except Exception as error:  # noqa: BLE001 - the outermost loop: whatever RQ raises, the work goes on without it
            self._back_off(reason_of((worker and worker.broken_by) or error))
        else:
            if not jobs.stopping.is_set():
                self._back_off(reason_of(worker.broken_by) if worker.broken_by else "RQ ended its work")

    def _back_off(self, trouble: str) -> None:
        self._outage.report_failure(error=trouble)
        self._heartbeat.trouble = f"the queue does not work: {trouble}"
        self._pause = min(max(2 * self._pause, DRAIN_EVERY_SECONDS), LONGEST_PAUSE_SECONDS)
        self._retry_at = time.monotonic() + self._pause

    def _on_success(self) -> None:
        self._heartbeat.trouble = None
        if time.monotonic() - self._started_at >= STEADY_SECONDS:
            self._pause = 0.0
            self._outage.report_success()

    def _is_overdue(self) -> bool:
        try:
            return clock.has_overdue_work(self._services)
        except SQLAlchemyError:
            # While the database is away there is nothing to do.
            return False


def _drain_without_queue() -> None:
    began = time.monotonic()
    jobs.drain()
    jobs.stopping.wait(max(DRAIN_EVERY_SECONDS - (time.monotonic() - began), 0.05))


def _stop_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: jobs.stopping.set())


if __name__ == "__main__":
    try:
        main()
    except CustomsError as error:
        sys.exit(f"{error.title}: {error.detail}")
