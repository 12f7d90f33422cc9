"""The RQ side: a worker that runs jobs in its own process, stops when told, and steps aside when Redis is away."""

from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from customs.doorbell import QUEUE, Doorbell
from workers.jobs import stopping

WORKER_TTL = 20
MAINTENANCE_SECONDS = 60


class RedisAway(Exception):
    """Redis does not answer: RQ would wait for it, this worker drains by itself meanwhile."""


class DeskWorker(SimpleWorker):
    """No fork: the connections stay warm, and a killed worker leaves no orphan behind."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def procline(self, message: str) -> None:
        """RQ would rename the process at every step; `ps` is to show what it is."""

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().heartbeat(*args, **kwargs)
        except RedisError as error:
            raise RedisAway from error

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        # RQ's own loop sleeps up to a minute between attempts; a heartbeat that fails leaves it at once.
        self.max_connection_wait_time = 0.1
        return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)


def make_worker(doorbell: Doorbell, name: str) -> DeskWorker:
    """A worker on the one queue."""
    queue = Queue(QUEUE, connection=doorbell.redis, serializer=JSONSerializer)
    return DeskWorker(
        [queue],
        name=name,
        connection=doorbell.redis,
        serializer=JSONSerializer,
        worker_ttl=WORKER_TTL,
        maintenance_interval=MAINTENANCE_SECONDS,
        log_job_description=False,
    )
