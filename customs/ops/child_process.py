"""One supervised child process: started under the orphan guard, restarted when it exits, killed with its group."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from customs.errors import CustomsError
from customs.ops import process_guard

KILLED_BY_SIGNAL = (-signal.SIGKILL, -signal.SIGTERM)
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
STEADY_SECONDS = 10.0
FAILED_STARTS = 5
TAIL_BYTES = 8192

log = structlog.get_logger(__name__)


class ChildFailed(CustomsError):
    """A part of the desk could not be started."""


@dataclass(frozen=True)
class Child:
    """A process to keep alive.

    `env` is its whole environment. `executable`, where given, is the program that runs under the name `command[0]`.
    `ready` returns quickly and never raises; without it a child counts as ready once started.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    executable: str | None = None
    ready: Callable[[], bool] | None = None


class ChildRunner:
    """Starts one child, restarts it with growing delays, and kills it. Only the supervising thread calls it."""

    def __init__(self, child: Child, log_file: Path) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self._log_file = log_file
        self._log_start = log_file.stat().st_size if log_file.exists() else 0
        self._start_at = 0.0
        self._started_at = 0.0
        self._delay = 0.0
        self._has_run = False
        self._failed_starts = 0

    def is_ready(self) -> bool:
        if self.child.ready is None:
            return True
        self._has_run = self._has_run or (self.process is not None and self.child.ready())
        return self._has_run

    def tick(self, guard: "OrphanGuard") -> None:
        if self.process is None:
            if time.monotonic() >= self._start_at:
                self._start(guard)
        elif self.process.poll() is not None:
            self._on_exit(self.process, guard)

    def terminate(self) -> None:
        if self.process:
            self.process.terminate()

    def wait_or_kill(self, deadline: float, guard: "OrphanGuard") -> None:
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        self._kill_group(self.process, guard)

    def log_tail(self) -> str:
        if not self._log_file.exists():
            return ""
        with self._log_file.open("rb") as stream:
            stream.seek(max(self._log_start, self._log_file.stat().st_size - TAIL_BYTES))
            return stream.read().decode(errors="replace").strip()

    def log_quote(self) -> str:
        return f" The end of {self._log_file}:\n{self.log_tail()}"

    def _start(self, guard: "OrphanGuard") -> None:
        with self._log_file.open("ab") as output:
            self.process = subprocess.Popen(
                guard.wrap(self.child),
                env=self.child.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches the supervisor alone, and the whole group can be ended.
                start_new_session=True,
                pass_fds=[guard.descriptor],
            )
        self._started_at = time.monotonic()

    def _on_exit(self, process: subprocess.Popen[bytes], guard: "OrphanGuard") -> None:
        self._kill_group(process, guard)
        now = time.monotonic()
        was_steady = now - self._started_at >= STEADY_SECONDS
        self._has_run = self._has_run or was_steady
        log.warning("child ended", child=self.child.name, pid=process.pid, code=process.returncode)
        # An exit by a signal or with 0 does not mean that the child cannot start.
        if process.returncode > 0 and not self._has_run:
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise ChildFailed(
                    f"{self.child.name} ended {FAILED_STARTS} times with code {process.returncode} "
                    f"before it was ready.{self.log_quote()}"
                )
        if was_steady or process.returncode in KILLED_BY_SIGNAL:
            self._delay = 0.0
        self._delay = min(max(FIRST_DELAY_SECONDS, self._delay * 2), LONGEST_DELAY_SECONDS)
        self._start_at = now + self._delay

    def _kill_group(self, process: subprocess.Popen[bytes], guard: "OrphanGuard") -> None:
        # macOS answers "not permitted" for a group in which only the dead are left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        guard.forget(process.pid)
        self.process = None


class OrphanGuard:
    """A process that kills the children's process groups when the supervisor no longer can; see process_guard.py."""

    def __enter__(self) -> Self:
        reading, self.descriptor = os.pipe()
        self._process = subprocess.Popen(
            [*_guard_command(), "guard"],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            # Not in the terminal's group: Ctrl-C is for the supervisor.
            start_new_session=True,
        )
        os.close(reading)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)
        self._process.wait()

    def wrap(self, child: Child) -> list[str]:
        """Return the command line that registers the child with this guard and then becomes the child."""
        executable = child.executable or child.command[0]
        return [*_guard_command(), "child", str(self.descriptor), str(os.getpid()), executable, *child.command]

    def forget(self, group: int) -> None:
        """Report to the guard that this process group has ended."""
        with suppress(BrokenPipeError):
            os.write(self.descriptor, b"-%d\n" % group)


def _guard_command() -> list[str]:
    return [sys.executable, "-I", "-S", process_guard.__file__]
