"""Limits: a bucket for each key in Redis, in memory while Redis is away, and never a wait for a dead one."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from customs.jobs.wakeup import WorkerNotifier
from customs.ops.standalone import redis_binary, redis_command
from customs.web import rate_limit
from customs.web.rate_limit import Limiter, TokenBuckets

# Requests a second, so few that none comes back while a test runs.
SLOW = 1e-4


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis."""
    url = f"unix://{tmp_path}/r.sock"
    command = redis_command(tmp_path / "r.sock")
    with subprocess.Popen(command, executable=redis_binary(), stdout=subprocess.DEVNULL) as server:
        for _ in range(200):
            if WorkerNotifier(url).is_available():
                break
            time.sleep(0.02)
        yield url
        server.terminate()


@pytest.fixture(params=["in redis", "in memory"])
def limiter(request: pytest.FixtureRequest, tmp_path: Path):
    """Limiters of 5 a second, of which each counts in the same place or for itself."""
    is_away = request.param == "in memory"
    url = f"unix://{tmp_path}/nobody.sock" if is_away else request.getfixturevalue("redis_url")
    return lambda rate=5.0: Limiter(url, rate)


def test_a_burst_is_let_through_and_nothing_after_it(limiter):
    buckets = limiter(SLOW)
    buckets.burst = 10

    allowed = [buckets.take("k").allowed for _ in range(12)]

    assert allowed == [True] * 10 + [False] * 2


def test_one_comes_back_after_each_interval(redis_url: str):
    limiter, redis, memory = Limiter(redis_url, SLOW), WorkerNotifier(redis_url).redis, TokenBuckets()
    limiter.take("k")
    full_at = float(redis.get("customs:rate:k") or 0)
    allowed = []
    for passed in (0.5 / SLOW, 1 / SLOW):
        redis.set("customs:rate:k", full_at - passed)
        allowed.append(limiter.take("k").allowed)

    assert allowed == [False, True]
    assert [memory.take("k", 1 / SLOW, 1, now)[0] for now in (0.0, 0.5 / SLOW, 1 / SLOW)] == [True, False, True]


def test_what_is_left_counts_down_and_comes_back(limiter):
    buckets = limiter()

    shown = [(one.limit, one.remaining, one.reset) for one in (buckets.take("k") for _ in range(10))]

    assert [remaining for _, remaining, _ in shown] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert {limit for limit, _, _ in shown} == {10}
    assert shown[-1][2] == 2


def test_who_is_refused_learns_when_to_come_back(limiter):
    buckets = limiter(0.5)
    buckets.take("k")

    refused = buckets.take("k")

    assert (refused.allowed, refused.remaining, refused.retry_after) == (False, 0, 2)


def test_each_key_has_a_bucket_of_its_own(limiter):
    buckets = limiter(0.1)

    assert [buckets.take(name).allowed for name in ("a", "b", "a")] == [True, True, False]


def test_at_once_no_more_than_the_burst_is_let_through(limiter):
    buckets = limiter()

    with ThreadPoolExecutor(16) as pool:
        allowed = list(pool.map(lambda _: buckets.take("k").allowed, range(200)))

    # What comes back meanwhile is let through too.
    assert 10 <= allowed.count(True) <= 12


def test_two_processes_share_the_bucket_in_redis(redis_url: str):
    one, other = Limiter(redis_url, 5.0), Limiter(redis_url, 5.0)

    allowed = [limiter.take("k").allowed for limiter in (one, other) * 10]

    assert 10 <= allowed.count(True) <= 11


def test_no_rate_is_no_limit(redis_url: str):
    assert Limiter(redis_url, 0).take("k") is None


def test_nothing_of_a_bucket_stays_in_redis_for_long(redis_url: str):
    limiter = Limiter(redis_url, 5.0)
    limiter.take("k")

    (name,) = WorkerNotifier(redis_url).redis.keys("*")

    assert 0 < WorkerNotifier(redis_url).redis.pttl(name) <= 2000


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """A Redis that takes connections and never answers, as one that was stopped."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        yield listening


def test_a_redis_that_hangs_is_waited_for_once_and_then_left_alone(mute: socket.socket):
    limiter = Limiter(f"redis://127.0.0.1:{mute.getsockname()[1]}", 1000.0)

    allowed = [limiter.take("k").allowed for _ in range(1000)]

    assert all(allowed)
    assert visitors(mute) < 20


def visitors(listening: socket.socket) -> int:
    """How many connected and were not heard."""
    listening.setblocking(False)
    count = 0
    with suppress(BlockingIOError):
        while True:
            listening.accept()[0].close()
            count += 1
    return count


def test_a_bucket_of_a_clock_that_was_ahead_is_full_after_a_burst(redis_url: str):
    """Redis counts by its host's clock, which may be put back."""
    limiter = Limiter(redis_url, 5.0)
    WorkerNotifier(redis_url).redis.set("customs:rate:k", str(time.time() + 8 * 3600))

    refused = limiter.take("k")

    assert (refused.allowed, refused.reset, refused.retry_after) == (False, rate_limit.BURST_SECONDS, 1)


def test_it_goes_back_to_redis_when_it_answers_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rate_limit, "AWAY_SECONDS", 0.1)
    url = f"unix://{tmp_path}/r.sock"
    limiter = Limiter(url, 5.0)
    limiter.take("k")
    command = redis_command(tmp_path / "r.sock")
    with subprocess.Popen(command, executable=redis_binary(), stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 10
        while not WorkerNotifier(url).is_available() and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        time.sleep(0.2)
        limiter.take("k")
        names = WorkerNotifier(url).redis.keys("*")
        server.terminate()

    assert names == [b"customs:rate:k"]


def test_memory_holds_no_more_buckets_than_it_may(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rate_limit, "MOST_REMEMBERED", 10)
    buckets = TokenBuckets()

    allowed = [buckets.take(str(number), 1000.0, 1, 0.0)[0] for number in [*range(20), 19, 0]]

    assert allowed == [True] * 20 + [False, True]
