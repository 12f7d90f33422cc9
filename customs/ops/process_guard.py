"""Orphan guard: when the supervisor ends, by kill -9 too, its children end with it.

Run by its path with the standard library alone, so that a start costs only milliseconds more. Two mechanisms, since
either may fail: Linux's parent-death signal kills the child at once; the guard kills its whole group, on macOS too.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def guard() -> None:
    """Read from stdin which process groups began (`+PID`) and ended (`-PID`); kill the rest when stdin closes."""
    groups: set[int] = set()
    for line in sys.stdin:
        keep = {"+": groups.add, "-": groups.discard}[line[0]]
        keep(int(line[1:]))
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


def child(guard_end: int, supervisor: int, executable: str, command: list[str]) -> None:
    """Register this process, the leader of a new group, with the guard, and become `command`."""
    # Reported before the pipe closes at exec: until then this process itself keeps the guard reading.
    with suppress(BrokenPipeError):
        os.write(guard_end, b"+%d\n" % os.getpid())
    os.set_inheritable(guard_end, False)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # A supervisor that died before the line above sends no signal any more.
        if os.getppid() != supervisor:
            sys.exit("the supervisor was gone before its child began")
    try:
        os.execvp(executable, command)  # noqa: S606 - becoming the command is the purpose
    except OSError as error:
        sys.exit(f"{executable}: {error.strerror}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["guard"]:
            guard()
        case ["child", guard_end, supervisor, executable, *command]:
            child(int(guard_end), int(supervisor), executable, command)
