"""Outages in the log: a line when failures begin, a few while they last, a line when they are over."""

import threading
import time
from typing import Any

import structlog

log = structlog.get_logger()

# A line again after a minute, two, four, at last once an hour.
FIRST_REPEAT_SECONDS = 60.0
LONGEST_REPEAT_SECONDS = 3600.0


class Outage:
    """One kind of repeated failure in one process; `event` names it in the log."""

    def __init__(self, event: str) -> None:
        self.event = event
        self._lock = threading.Lock()
        self._began_at: float | None = None
        self._log_at = 0.0
        self._pause = 0.0
        self._times = 0

    def report_failure(self, **facts: Any) -> None:
        """Call this at each failure; few calls become a line."""
        now = time.monotonic()
        with self._lock:
            if self._began_at is None:
                self._began_at, self._log_at, self._pause, self._times = now, now, FIRST_REPEAT_SECONDS / 2, 0
            self._times += 1
            if now < self._log_at:
                return
            self._pause = min(2 * self._pause, LONGEST_REPEAT_SECONDS)
            self._log_at = now + self._pause
            times, seconds = self._times, round(now - self._began_at)
        log.warning(self.event, **facts, times=times, seconds=seconds)

    def report_success(self) -> None:
        """Call this at each success."""
        if self._began_at is None:
            return
        with self._lock:
            began_at, times, self._began_at = self._began_at, self._times, None
        if began_at is not None:
            log.info(f"over: {self.event}", times=times, seconds=round(time.monotonic() - began_at))
