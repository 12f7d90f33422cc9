"""Wake workers through RQ when something is due. A job carries no data, and a lost one does no harm."""

import time

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from customs.ids import new_id
from customs.jobs.outages import Outage

QUEUE = "customs"
# A name, not an import: customs never imports workers.
DRAIN = "workers.jobs.drain"
RECORD_SECONDS = 30
SOCKET_SECONDS = 2.0
# A Redis that took this long without an answer is left alone this long: requests must not wait for it in turn.
QUIET_SECONDS = 5.0
# Every way in which a Redis fails: it is away, refuses, hangs, is something else, or its name leads nowhere.
FAILURES = (RedisError, OSError, ValueError)
LONGEST_REASON = 150


def connect(redis_url: str) -> Redis:
    """Return a client that answers or fails within a moment; nothing is tried twice, for the clock notifies again."""
    return Redis.from_url(
        redis_url,
        socket_connect_timeout=SOCKET_SECONDS,
        socket_timeout=SOCKET_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def reason_of(error: BaseException) -> str:
    """Return in one line why Redis failed: the kind of error and Redis' own text."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST_REASON]


class WorkerNotifier:
    """Puts a job into the workers' queue; one per process."""

    def __init__(self, redis_url: str) -> None:
        self.redis_url = redis_url
        self.redis = connect(redis_url)
        self._queue = Queue(QUEUE, connection=self.redis, serializer=JSONSerializer)
        self._outage = Outage("workers cannot be notified: they look for work by themselves")
        self._quiet_until = float("-inf")

    def notify(self) -> bool:
        """Ask for one drain, unless as many wait already as there are workers. Never raises: False when RQ fails.

        To be called after COMMIT: the clock notifies again every second for what this misses.
        """
        if time.monotonic() < self._quiet_until:
            return False
        try:
            if self._queue.count < max(Worker.count(queue=self._queue), 1):
                self._queue.enqueue(DRAIN, result_ttl=0, failure_ttl=RECORD_SECONDS, job_timeout=-1)
        except FAILURES as error:
            if isinstance(error, RedisTimeout):
                self._quiet_until = time.monotonic() + QUIET_SECONDS
            self._outage.report_failure(error=reason_of(error))
            return False
        self._outage.report_success()
        return True

    def trouble(self) -> str | None:
        """Return why no job could be enqueued and taken now, None when one could. PING would not show that."""
        # Beside the real queue, so that no worker takes it; all in one transaction, so that nothing stays behind.
        beside = f"{self._queue.key}:{new_id('probe')}"
        try:
            with self.redis.pipeline() as line:
                line.llen(self._queue.key)
                line.scard(f"rq:workers:{QUEUE}")
                line.hset(f"{beside}:job", "created_at", "now")
                line.rpush(beside, "job")
                line.lpop(beside)
                line.delete(f"{beside}:job")
                line.execute()
        except FAILURES as error:
            return reason_of(error)
        return None

    def is_available(self) -> bool:
        """Whether a job could be enqueued and taken now."""
        return self.trouble() is None

    def workers(self) -> int | None:
        """Count the workers that wait for jobs; None while Redis does not work, and each looks for work by itself."""
        try:
            return Worker.count(connection=self.redis) if self.is_available() else None
        except FAILURES:
            return None
