"""RQ's worker as this desk uses it: jobs run in the worker's own process, and a broken queue is left at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisUnreachable
from redis.exceptions import TimeoutError as RedisTimeout
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from customs.jobs.outages import Outage
from customs.jobs.wakeup import FAILURES, QUEUE, SOCKET_SECONDS
from workers.jobs import drain, stopping

WORKER_TTL = 20
MAINTENANCE_SECONDS = 60
# After so long without a job the worker checks whether there should have been one.
CHECK_SECONDS = 5.0


class QueueBroken(Exception):
    """The queue does not work: RQ would wait, this worker goes on without it."""


@dataclass(frozen=True)
class WorkerHooks:
    """Callbacks of the worker: is work overdue, enqueue a job, the queue works."""

    is_overdue: Callable[[], bool]
    notify: Callable[[], bool]
    on_success: Callable[[], None]


class DrainJob(Job):
    """The one job there is: whatever a queue names, this worker drains. Nothing that a queue names is imported."""

    success_callback = failure_callback = stopped_callback = None

    def _execute(self) -> int:
        return drain()


class QueueWorker(SimpleWorker):
    """Runs jobs without a fork: connections stay open, and a killed worker leaves no child behind.

    `broken_by`: the error for which it left the queue; None when it was told to stop.
    """

    def __init__(self, connection: Redis, name: str, hooks: WorkerHooks) -> None:
        self.broken_by: BaseException | None = None
        self._hooks = hooks
        self._check_at = time.monotonic() + CHECK_SECONDS
        self._has_notified = False
        self._failed_drains = Outage("a drain failed")
        super().__init__(
            [Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=DrainJob)],
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            job_class=DrainJob,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE_SECONDS,
            log_job_description=False,
        )

    @property
    def connection_timeout(self) -> int:
        """The longest blocking command, and the time that its answer may take."""
        return self.dequeue_timeout + round(SOCKET_SECONDS)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        # RQ writes the request to Redis, which may be away.
        with suppress(*FAILURES):
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def procline(self, message: str) -> None:
        """Keep the process's title: RQ would change it at every step."""

    def check_for_suspension(self, burst: bool) -> None:
        """Ignore RQ's suspension: it is a key in Redis, which may hold anything."""

    def subscribe(self) -> None:
        """Do not listen for commands: RQ's thread for them would outlive a broken queue."""

    def unsubscribe(self) -> None:
        """Do nothing: there is no subscription."""

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        # Told to stop before RQ handled signals: it would wait for the next signal.
        if stopping.is_set():
            raise StopRequested
        try:
            super().heartbeat(*args, **kwargs)
        except FAILURES as error:
            # RQ's own loop would retry without end.
            raise QueueBroken from error
        if time.monotonic() >= self._check_at:
            self._check_queue()

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        # RQ's own loop sleeps up to a minute between attempts; a heartbeat that fails leaves it at once.
        self.max_connection_wait_time = 0.1
        with self._keeping_error():
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def execute_job(self, job: Job, queue: Queue) -> None:
        with self._keeping_error():
            super().execute_job(job, queue)
        self._check_at, self._has_notified = time.monotonic() + CHECK_SECONDS, False
        self._hooks.on_success()

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log a failed drain briefly; the next job repeats it."""
        self._failed_drains.report_failure(error=exc_info[0].__name__)

    def teardown(self) -> None:
        # If Redis is away, its record of this worker expires by itself.
        if not isinstance(self.broken_by, RedisUnreachable | RedisTimeout):
            super().teardown()  # type: ignore[no-untyped-call]

    def _check_queue(self) -> None:
        """After a while without jobs: if work is overdue, enqueue a job; if that brings none, the queue is broken.

        So neither a queue that fails in any way nor a clock that does not run keeps this worker waiting.
        """
        self._check_at = time.monotonic() + CHECK_SECONDS
        if not self._hooks.is_overdue():
            self._hooks.on_success()
        elif not self._hooks.notify():
            raise QueueBroken("the queue takes no jobs")
        elif self._has_notified and self.queues[0].count:
            raise QueueBroken("nothing comes out of the queue")
        else:
            self._has_notified = True

    @contextmanager
    def _keeping_error(self) -> Iterator[None]:
        """Keep the error that ends RQ's work: RQ itself swallows it."""
        try:
            yield
        except BaseException as error:
            self.broken_by = error.__cause__ or error
            raise
