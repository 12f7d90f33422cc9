"""Send deadlines: until when a call that was marked may still leave, so that its answer comes within its lease."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from customs.db import database
from customs.timestamps import MACHINE, Clock

# A call ends this long before its lease may: the answer still has to be recorded.
LEASE_MARGIN_SECONDS = 2.0
# After a wait longer than this the database is asked what time it is: a machine that slept does not know.
WAITED_SECONDS = 1.0

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Start:
    """A moment of this machine, on the clock that only grows and on the one that people see."""

    monotonic: float
    wall: float


class SendDeadlines(Generic[Key]):
    """One desk's deadlines by task. `call_seconds`: the longest that a call may take."""

    def __init__(self, engine: Engine, lease_seconds: float, call_seconds: float, clock: Clock = MACHINE) -> None:
        self._engine = engine
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._within = lease_seconds - LEASE_MARGIN_SECONDS - min(call_seconds, lease_seconds / 2)
        self._marked: dict[Key, tuple[Start, datetime]] = {}

    def start(self) -> Start:
        """The moment that leases count from: taken before the database's time is read, for a COMMIT may take long."""
        return Start(self._clock.monotonic(), self._clock.wall())

    def set(self, keys: Iterable[Key], start: Start, now: datetime) -> None:
        """Let these leave from `start`, which was `now` on the database's clock."""
        self._marked.update(dict.fromkeys(keys, (start, now)))

    def forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._marked.pop(key, None)

    def is_stale(self, key: Key) -> bool:
        """Whether an answer was asked for a whole lease ago: what it says of the grace is long past."""
        if key not in self._marked:
            return False
        start, _ = self._marked[key]
        return max(self._clock.monotonic() - start.monotonic, self._clock.wall() - start.wall) > self._lease_seconds

    def is_over(self, key: Key) -> bool:
        """Whether it is too late to send: somebody else may hold the lease by the time an answer comes."""
        if key not in self._marked:
            return True
        start, marked_at = self._marked[key]
        waited = self._clock.monotonic() - start.monotonic
        if waited > self._within:
            return True
        if max(waited, abs(self._clock.wall() - start.wall)) <= WAITED_SECONDS:
            return False
        return self._is_over_at_the_database(marked_at) or self._clock.monotonic() - start.monotonic > self._within

    def _is_over_at_the_database(self, marked_at: datetime) -> bool:
        try:
            with self._engine.connect() as db:
                return database.now(db) - marked_at > timedelta(seconds=self._within)
        except SQLAlchemyError:
            # Nobody can say: what is not sent can be sent later.
            return True
