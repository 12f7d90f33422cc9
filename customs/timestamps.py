"""How a time is written for others: RFC 3339 in UTC with milliseconds."""

import threading
import time
from datetime import UTC, datetime


def instant(moment: datetime | None) -> str | None:
    """Such as 2026-11-23T08:00:00.000Z; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Clock:
    """This machine's time. The database's clock is another one, and only that decides what is due (`database.now`)."""

    def monotonic(self) -> float:
        """Seconds that only grow; they may stand still while the machine sleeps."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix time as this machine shows it: it goes on in the machine's sleep, and somebody may set it."""
        return time.time()

    def event(self) -> threading.Event:
        """Something to wait for until it is set."""
        return threading.Event()


MACHINE = Clock()
