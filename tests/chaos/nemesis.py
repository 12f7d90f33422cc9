"""The nemesis: by a seed it kills, freezes and empties what a deployment runs on, and starts it again.

It touches only processes that this deployment started, and the backends of the database it was given.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.journeys.deployment import Deployment

WORKERS = 3
BREATH_SECONDS = (0.3, 2.0)
# How long a worker stays frozen beyond its lease.
BEYOND_THE_LEASE_SECONDS = 1.5


class Nemesis:
    """Three workers, a clock, the web and a Redis, and what is done to them."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self._deployment = deployment
        self._dice = random.Random(seed)
        self._redis = deployment.start_redis()
        self._clock = deployment.start("clock")
        self._workers = [deployment.start("worker") for _ in range(WORKERS)]
        self._web, self.url = deployment.start_web()
        actions = [
            self.kill_a_worker,
            self.kill_every_worker,
            self.freeze_a_worker,
            self.kill_the_clock,
            self.kill_the_web,
            self.empty_redis,
            self.kill_redis,
        ]
        crash = [] if deployment.services.settings.is_sqlite else [self.crash_the_database]
        self._actions: list[Callable[[], None]] = actions + crash

    def rage(self, seconds: float) -> list[str]:
        """Do one deed after the other for this long; returns what was done, in order."""
        done: list[str] = []
        ends_at = time.monotonic() + seconds
        # Each deed once in a random order, then any: a short run still sees them all.
        waiting = self._dice.sample(self._actions, len(self._actions))
        while time.monotonic() < ends_at:
            time.sleep(self._dice.uniform(*BREATH_SECONDS))
            action = waiting.pop() if waiting else self._dice.choice(self._actions)
            action()
            done.append(action.__name__)
        return done

    def kill_a_worker(self) -> None:
        number = self._dice.randrange(WORKERS)
        self._workers[number].kill()
        self._workers[number] = self._deployment.start("worker")

    def kill_every_worker(self) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers = [self._deployment.start("worker") for _ in range(WORKERS)]

    def freeze_a_worker(self) -> None:
        """Beyond its lease: what it holds is somebody else's when it wakes."""
        worker = self._dice.choice(self._workers)
        worker.signal(signal.SIGSTOP)
        time.sleep(self._deployment.services.settings.lease_seconds + BEYOND_THE_LEASE_SECONDS)
        worker.signal(signal.SIGCONT)

    def kill_the_clock(self) -> None:
        self._clock.kill()
        self._clock = self._deployment.start("clock")

    def kill_the_web(self) -> None:
        self._web.kill()
        self._web, _ = self._deployment.start_web(int(self.url.rpartition(":")[2]))

    def empty_redis(self) -> None:
        self._deployment.empty_redis()

    def kill_redis(self) -> None:
        self._redis.kill()
        time.sleep(self._dice.uniform(*BREATH_SECONDS))
        self._redis = self._deployment.start_redis()

    def crash_the_database(self) -> None:
        """A backend killed with -9: PostgreSQL ends all others and recovers from its log, as after a power cut."""
        with suppress(SQLAlchemyError), self._deployment.services.reading() as db:
            os.kill(db.execute(text("SELECT pg_backend_pid()")).scalar_one(), signal.SIGKILL)
