"""Real processes for journeys: each in a group of its own, so that a test ends what it started and nothing else."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.patience import PATIENCE_SECONDS

LOOK_SECONDS = 0.05
ENDING_SECONDS = 10.0


class Process:
    """One process and its log file."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path, executable: str | None) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                executable=executable,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, whatever it has started meanwhile."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """End it as kill -9 does."""
        self.signal(signal.SIGKILL)
        self._process.wait()

    def exit_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        """How it ended by itself; negative for a signal. Raises TimeoutExpired when it goes on."""
        return self._process.wait(seconds)

    def end(self) -> None:
        """Ask it to end, then see that it and its group are gone."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_SECONDS)
        self.kill()


@contextmanager
def started(
    command: Sequence[str], environ: Mapping[str, str], log: Path, executable: str | None = None
) -> Iterator[Process]:
    """A process that is gone afterwards."""
    process = Process(command, environ, log, executable)
    try:
        yield process
    finally:
        process.end()


def wait_until(claim: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until it is so; AssertionError names what never came."""
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline, f"after {seconds:g} s still not: {what}"
        time.sleep(LOOK_SECONDS)
