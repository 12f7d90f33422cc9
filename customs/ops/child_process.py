"""One supervised process: how it starts under its tether, when it starts again, how it is cleared away."""

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

KILLED_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
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

    `env` is its whole environment; `executable`, where given, is what runs under the name `command[0]`.
    `ready` answers quickly and never raises; without it a child counts as ready from its start.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    executable: str | None = None
    ready: Callable[[], bool] | None = None


class Life:
    """One child through its starts and deaths. Only the supervising thread changes it."""

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

    def look_after(self, guard: "Guard") -> None:
        if self.process is None:
            if time.monotonic() >= self._start_at:
                self._start(guard)
        elif self.process.poll() is not None:
            self._bury(self.process, guard)

    def ask_to_end(self) -> None:
        if self.process:
            self.process.terminate()

    def end_by(self, deadline: float, guard: "Guard") -> None:
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        self._clear_group(self.process, guard)

    def tail(self) -> str:
        if not self._log_file.exists():
            return ""
        with self._log_file.open("rb") as stream:
            stream.seek(max(self._log_start, self._log_file.stat().st_size - TAIL_BYTES))
            return stream.read().decode(errors="replace").strip()

    def quoted_log(self) -> str:
        return f" The end of {self._log_file}:\n{self.tail()}"

    def _start(self, guard: "Guard") -> None:
        with self._log_file.open("ab") as output:
            self.process = subprocess.Popen(
                guard.tied(self.child),
                env=self.child.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C reaches the supervisor alone, and the whole group can be ended.
                start_new_session=True,
                pass_fds=[guard.descriptor],
            )
        self._started_at = time.monotonic()

    def _bury(self, process: subprocess.Popen[bytes], guard: "Guard") -> None:
        self._clear_group(process, guard)
        now = time.monotonic()
        was_steady = now - self._started_at >= STEADY_SECONDS
        self._has_run = self._has_run or was_steady
        log.warning("child ended", child=self.child.name, pid=process.pid, code=process.returncode)
        # An end by a signal or with 0 says nothing about whether the child is able to start.
        if process.returncode > 0 and not self._has_run:
            self._failed_starts += 1
            if self._failed_starts >= FAILED_STARTS:
                raise ChildFailed(
                    f"{self.child.name} ended {FAILED_STARTS} times with code {process.returncode} "
                    f"before it was ready.{self.quoted_log()}"
                )
        if was_steady or process.returncode in KILLED_FROM_OUTSIDE:
            self._delay = 0.0
        self._delay = min(max(FIRST_DELAY_SECONDS, self._delay * 2), LONGEST_DELAY_SECONDS)
        self._start_at = now + self._delay

    def _clear_group(self, process: subprocess.Popen[bytes], guard: "Guard") -> None:
        # macOS answers "not permitted" for a group in which only the dead are left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        guard.forget(process.pid)
        self.process = None


class Guard:
    """The process that kills the children's groups when the supervisor can not; see tether.py."""

    def __enter__(self) -> Self:
        reading, self.descriptor = os.pipe()
        self._process = subprocess.Popen(
            [*_tether(), "guard"],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            # Away from the terminal: Ctrl-C is the supervisor's to hear.
            start_new_session=True,
        )
        os.close(reading)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)
        self._process.wait()

    def tied(self, child: Child) -> list[str]:
        executable = child.executable or child.command[0]
        return [*_tether(), "child", str(self.descriptor), str(os.getpid()), executable, *child.command]

    def forget(self, group: int) -> None:
        with suppress(BrokenPipeError):
            os.write(self.descriptor, b"-%d\n" % group)


def _tether() -> list[str]:
    return [sys.executable, "-I", "-S", process_guard.__file__]
