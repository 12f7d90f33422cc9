"""What goes on failing, as the log tells it: a line when it begins, a few while it lasts, a line when it is over."""

import threading
import time
from typing import Any

import structlog

log = structlog.get_logger()

# A line again after a minute, two, four, at last once an hour.
FIRST_REPEAT_SECONDS = 60.0
LONGEST_REPEAT_SECONDS = 3600.0


class Outage:
    """One kind of trouble that one process may have again and again; `event` names it in the log."""

    def __init__(self, event: str) -> None:
        self.event = event
        self._lock = threading.Lock()
        self._began_at: float | None = None
        self._say_at = 0.0
        self._pause = 0.0
        self._times = 0

    @property
    def lasts(self) -> bool:
        return self._began_at is not None

    def goes_on(self, **facts: Any) -> None:
        """To be called each time it fails; few of these calls become a line."""
        now = time.monotonic()
        with self._lock:
            if self._began_at is None:
                self._began_at, self._say_at, self._pause, self._times = now, now, FIRST_REPEAT_SECONDS / 2, 0
            self._times += 1
            if now < self._say_at:
                return
            self._pause = min(2 * self._pause, LONGEST_REPEAT_SECONDS)
            self._say_at = now + self._pause
            times, seconds = self._times, round(now - self._began_at)
        log.warning(self.event, **facts, times=times, seconds=seconds)

    def is_over(self) -> None:
        """To be called each time it works."""
        if self._began_at is None:
            return
        with self._lock:
            began_at, times, self._began_at = self._began_at, self._times, None
        if began_at is not None:
            log.info(f"over: {self.event}", times=times, seconds=round(time.monotonic() - began_at))
