"""Rate limit of keys: a token bucket for each in Redis, in this process's memory while Redis is away."""

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from customs.errors import RateLimited
from customs.jobs.outages import Outage
from customs.jobs.wakeup import FAILURES, reason_of

# What may come at once, as seconds of the rate.
BURST_SECONDS = 2
# A request waits for Redis no longer than this, and then nobody does for a while.
SOCKET_SECONDS = 0.1
AWAY_SECONDS = 5.0
MOST_REMEMBERED = 10_000

# One number a bucket: the moment at which it will be full again (the "virtual scheduling" of ATM's cell rate). By
# Redis' own clock, which all hosts share.
SCRIPT = """
local moment = redis.call('TIME')
local now = moment[1] + moment[2] / 1000000
local each, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
-- No bucket needs longer than a burst: a later moment was written by a clock that was ahead.
local full = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + burst * each)
local after = full + each
local room = now + burst * each
if after > room + 0.000001 then return {0, tostring(full - now)} end
redis.call('SET', KEYS[1], string.format('%.6f', after), 'PX', math.ceil((after - now) * 1000) + 1000)
return {1, tostring(after - now)}
"""


@dataclass(frozen=True)
class RateLimitStatus:
    """State of a key's bucket: `remaining` requests now, `reset` seconds until all of `limit` are there again."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int

    def headers(self) -> dict[str, str]:
        """Return the headers of draft-ietf-httpapi-ratelimit-headers, version 3, that clients know."""
        named = {"RateLimit-Limit": self.limit, "RateLimit-Remaining": self.remaining, "RateLimit-Reset": self.reset}
        return {name: str(value) for name, value in named.items()}


class TokenBuckets:
    """Token buckets in this process's memory; the least used are dropped, and so are full again."""

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, each: float, burst: int, now: float) -> tuple[bool, float]:
        """Take one of `burst`, of which one comes back every `each` seconds; and the seconds until all are back."""
        with self._lock:
            full_at = max(self._full_at.pop(name, now), now)
            allowed = full_at + each <= now + burst * each + 1e-6
            self._full_at[name] = full_at = full_at + each if allowed else full_at
            if len(self._full_at) > MOST_REMEMBERED:
                self._full_at.popitem(last=False)
        return allowed, full_at - now


class Limiter:
    """Counts the requests of each key; one per process. `rate`: requests a second, 0 for no limit."""

    def __init__(self, redis_url: str, rate: float) -> None:
        self.rate = rate
        self.burst = max(math.ceil(rate * BURST_SECONDS), 1)
        self._redis = Redis.from_url(
            redis_url,
            socket_connect_timeout=SOCKET_SECONDS,
            socket_timeout=SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._redis.register_script(SCRIPT)
        self._buckets = TokenBuckets()
        self._away_until = float("-inf")
        self._outage = Outage("redis does not work: each process counts requests for itself")

    def take(self, name: str) -> RateLimitStatus | None:
        """Take one request of this name's; None without a limit. Never raises, never waits for a Redis that is away."""
        if not self.rate:
            return None
        each = 1 / self.rate
        allowed, missing = self._in_redis(name, each) or self._buckets.take(name, each, self.burst, time.monotonic())
        return RateLimitStatus(
            allowed,
            self.burst,
            max(math.floor(self.burst - missing * self.rate + 1e-6), 0),
            math.ceil(missing),
            # Until one is back, and a whole second at least: no client sleeps for less.
            max(math.ceil(missing - (self.burst - 1) * each), 1),
        )

    def _in_redis(self, name: str, each: float) -> tuple[bool, float] | None:
        if time.monotonic() < self._away_until:
            return None
        try:
            allowed, missing = self._script(keys=[f"customs:rate:{name}"], args=[repr(each), self.burst])
        except FAILURES as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            self._outage.report_failure(error=reason_of(error))
            return None
        self._outage.report_success()
        return bool(allowed), float(missing)


def refusal(status: RateLimitStatus) -> RateLimited:
    """Return the error for a caller who asked too often."""
    return RateLimited(
        f"at most {status.limit} requests at once: wait {status.retry_after} s", retry_after=status.retry_after
    )
