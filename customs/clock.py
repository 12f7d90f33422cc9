"""How time passes for one process, handed in wherever it is measured or waited for: a simulation brings its own."""

import threading
import time


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
