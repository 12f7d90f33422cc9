"""Supervisor of one machine's processes: starts them together, restarts those that exit, stops them together."""

import signal
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from customs.ops.child_process import Child, ChildFailed, ChildRunner, OrphanGuard

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK_SECONDS = 0.1


class Supervisor:
    """Context manager that keeps children alive; to be entered in the main thread.

    Entering returns when every child is ready. SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the main
    thread. Leaving stops the children: SIGTERM, and after `grace_seconds` SIGKILL to their groups. The output of a
    child is appended to `logs`/NAME.log.
    Raises ChildFailed, with the end of that log, when a child cannot be started or is not ready in time.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        logs: Path,
        ready_seconds: float = 60.0,
        grace_seconds: float = 5.0,
    ) -> None:
        self._runners = {child.name: ChildRunner(child, logs / f"{child.name}.log") for child in children}
        self._logs = logs
        self._ready_seconds = ready_seconds
        self._grace_seconds = grace_seconds
        self._failure: ChildFailed | None = None
        self._interruptible = True
        self._leaving = threading.Event()
        # Waited for instead of the thread: after an interrupted `join`, a thread that runs looks like one that ended.
        self._over = threading.Event()
        # This thread starts all children and outlives them, for Linux sends the parent-death signal when the
        # starting thread ends. The main thread stays free for its own work.
        self._thread = threading.Thread(target=self._keep_alive, name="supervision", daemon=True)
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            for number in ENDING_SIGNALS:
                # `nohup` ignores SIGHUP on purpose.
                if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                    continue
                stack.callback(signal.signal, number, signal.signal(number, self._interrupt))
            self._guard = stack.enter_context(OrphanGuard())
            self._thread.start()
            stack.callback(self._end)
            self._wait_until_ready()
            self._cleanup = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cleanup.__exit__(kind, error, trace)

    def wait(self) -> None:
        """Block until a signal asks to stop, or a child could not be restarted."""
        with suppress(KeyboardInterrupt):
            self._over.wait()

    def pid(self, name: str) -> int | None:
        """Return the process id of a child, None while it is down."""
        process = self._runners[name].process
        return process.pid if process else None

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._ready_seconds
        waiting = list(self._runners.values())
        while waiting := [runner for runner in waiting if not runner.is_ready()]:
            if time.monotonic() > deadline:
                late = waiting[0]
                raise ChildFailed(f"{late.child.name} was not ready in {self._ready_seconds:g} s.{late.log_quote()}")
            time.sleep(TICK_SECONDS)

    def _keep_alive(self) -> None:
        try:
            while not self._leaving.is_set():
                for runner in self._runners.values():
                    runner.tick(self._guard)
                self._leaving.wait(TICK_SECONDS)
        except ChildFailed as failure:
            self._fail(failure)
        except OSError as error:
            self._fail(ChildFailed(f"No process could be started: {error}"))
        finally:
            with ExitStack() as stack:
                stack.callback(self._over.set)
                self._end_children()

    def _fail(self, failure: ChildFailed) -> None:
        self._failure = failure
        # The main thread may be anywhere: this brings it to the end of its `with`, which raises the failure.
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        signal.pthread_kill(main_thread, signal.SIGINT)

    def _end_children(self) -> None:
        for runner in self._runners.values():
            runner.terminate()
        deadline = time.monotonic() + self._grace_seconds
        for runner in self._runners.values():
            runner.wait_or_kill(deadline, self._guard)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        # A second Ctrl-C must not interrupt the cleanup.
        if self._interruptible:
            self._interruptible = False
            raise KeyboardInterrupt

    def _end(self) -> None:
        self._interruptible = False
        self._leaving.set()
        self._over.wait()
        if self._failure:
            raise self._failure


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """Return `preferred` if it can be listened on at `host`, else a port that is free now; 0 prefers none."""
    try:
        return _listenable(host, preferred)
    except OSError:
        return _listenable(host, 0)


def _listenable(host: str, port: int) -> int:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family) as probe:
        # As servers do: a port whose last connections are in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        bound: int = probe.getsockname()[1]
        return bound
