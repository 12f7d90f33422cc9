"""The doorbell: tells the workers through RQ that something is due. It carries no data, and may fail without harm."""

import structlog
from redis import Redis, RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

log = structlog.get_logger()

QUEUE = "customs"
# A name, not an import: what rings must not load what works.
DRAIN = "workers.jobs.drain"
RECORD_SECONDS = 30
SOCKET_SECONDS = 2.0


class Doorbell:
    """Rings the workers' queue; one per process."""

    def __init__(self, redis_url: str) -> None:
        self.redis = Redis.from_url(redis_url, socket_connect_timeout=SOCKET_SECONDS, socket_timeout=SOCKET_SECONDS)
        self._queue = Queue(QUEUE, connection=self.redis, serializer=JSONSerializer)

    def ring(self) -> bool:
        """Ask for one drain, unless as many wait already as there are workers. Never raises: False when Redis is away.

        To be called after COMMIT: the clock rings again every second for what this misses.
        """
        try:
            if self._queue.count < max(Worker.count(queue=self._queue), 1):
                self._queue.enqueue(DRAIN, result_ttl=0, failure_ttl=RECORD_SECONDS, job_timeout=-1)
        except RedisError as error:
            log.info("redis is away", error=type(error).__name__)
            return False
        return True

    def answers(self) -> bool:
        """Whether Redis can be reached now."""
        try:
            self.redis.ping()
        except RedisError:
            return False
        return True
