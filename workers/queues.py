"""The RQ side: a worker that runs jobs in its own process, and leaves the queue as soon as that stops working."""

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
from workers.jobs import stopping

WORKER_TTL = 20
MAINTENANCE_SECONDS = 60
# Whoever was not called for so long looks whether there was something to be called for.
LOOK_SECONDS = 5.0


class QueueBroken(Exception):
    """The queue does not do its part: RQ would wait for that, this worker looks for work by itself meanwhile."""


@dataclass(frozen=True)
class Surroundings:
    """What a worker knows beside its queue: is something overdue, how to notify, whom to tell that all works."""

    is_overdue: Callable[[], bool]
    notify: Callable[[], bool]
    tell_it_works: Callable[[], None]


class DeskWorker(SimpleWorker):
    """No fork: the connections stay warm, and a killed worker leaves no orphan behind.

    `broken_by`: why it left the queue; None when it was told to stop.
    """

    def __init__(self, connection: Redis, name: str, surroundings: Surroundings) -> None:
        self.broken_by: BaseException | None = None
        self._surroundings = surroundings
        self._look_at = time.monotonic() + LOOK_SECONDS
        self._has_rung = False
        self._failed_drains = Outage("a drain failed")
        super().__init__(
            [Queue(QUEUE, connection=connection, serializer=JSONSerializer)],
            name=name,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL,
            maintenance_interval=MAINTENANCE_SECONDS,
            log_job_description=False,
        )

    @property
    def connection_timeout(self) -> int:
        """Longer than the longest command by as much as an answer may take."""
        return self.dequeue_timeout + round(SOCKET_SECONDS)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        # RQ notes the wish down in Redis, which may be just what does not work.
        with suppress(*FAILURES):
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def procline(self, message: str) -> None:
        """RQ would rename the process at every step; `ps` is to show what it is."""

    def check_for_suspension(self, burst: bool) -> None:
        """RQ would stand still for a key in Redis; whether this desk works is not said there."""

    def subscribe(self) -> None:
        """RQ would listen for orders in a thread that outlives a broken queue; this desk gives none."""

    def unsubscribe(self) -> None:
        """There is nothing to unsubscribe from."""

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        # Told before RQ listened for signals: it would wait for the next one.
        if stopping.is_set():
            raise StopRequested
        try:
            super().heartbeat(*args, **kwargs)
        except FAILURES as error:
            # RQ's own loop would try again for ever.
            raise QueueBroken from error
        if time.monotonic() >= self._look_at:
            self._look()

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        # RQ's own loop sleeps up to a minute between attempts; a heartbeat that fails leaves it at once.
        self.max_connection_wait_time = 0.1
        with self._noting_what_breaks():
            return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)

    def execute_job(self, job: Job, queue: Queue) -> None:
        with self._noting_what_breaks():
            super().execute_job(job, queue)
        self._look_at, self._has_rung = time.monotonic() + LOOK_SECONDS, False
        self._surroundings.tell_it_works()

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """A drain that failed is due again at the next notification; RQ would say why at length each time."""
        self._failed_drains.goes_on(error=exc_info[0].__name__)

    def teardown(self) -> None:
        # Who cannot be reached is not told either: its record of this worker runs out by itself.
        if not isinstance(self.broken_by, RedisUnreachable | RedisTimeout):
            super().teardown()  # type: ignore[no-untyped-call]

    def _look(self) -> None:
        """Nobody called for a while. If somebody should have, notify; if that does not help, the queue is broken.

        So no way in which a queue may fail keeps this worker waiting, nor a clock that does not run.
        """
        self._look_at = time.monotonic() + LOOK_SECONDS
        if not self._surroundings.is_overdue():
            self._surroundings.tell_it_works()
        elif not self._surroundings.notify():
            raise QueueBroken("the queue takes no jobs")
        elif self._has_rung and self.queues[0].count:
            raise QueueBroken("nothing comes out of the queue")
        else:
            self._has_rung = True

    @contextmanager
    def _noting_what_breaks(self) -> Iterator[None]:
        """RQ keeps what ends its work to itself."""
        try:
            yield
        except BaseException as error:
            self.broken_by = error.__cause__ or error
            raise
