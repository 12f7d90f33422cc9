"""Small real processes are killed, abandoned and asked to end, and so is their supervisor."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from customs.ops.child_process import Child, ChildFailed
from customs.ops.standalone import redis_binary, redis_command
from customs.ops.supervisor import Supervisor, free_port
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent
SLEEPER = "import time; time.sleep(60)"
# Says that the signal is ignored before it counts as ready: only then may the test ask it to end.
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
PARENT = """
import os, pathlib, signal, sys, time
if os.fork():
    def part(number, frame):
        time.sleep(0.3)
        pathlib.Path(sys.argv[1] + ".farewell").touch()
        sys.exit()
    signal.signal(signal.SIGTERM, part)
    pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
else:
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.01)
    pathlib.Path(sys.argv[1] + ".draft").write_text(str(os.getpid()))
    pathlib.Path(sys.argv[1] + ".draft").rename(sys.argv[1] + ".child")
time.sleep(60)
"""
SUPERVISING = """
import signal, sys
from contextlib import suppress
from pathlib import Path
from customs.ops.child_process import Child
from customs.ops.supervisor import Supervisor
# Whoever runs the tests may have started them by `nohup`.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
folder, script = Path(sys.argv[1]), sys.argv[2]
ready = folder / "family"
family = Child("family", [sys.executable, "-c", script, str(ready)], {}, ready=Path(f"{ready}.child").exists)
with suppress(KeyboardInterrupt), Supervisor([family], logs=folder) as supervisor:
    print("ready", flush=True)
    supervisor.wait()
print("ended", flush=True)
"""


def python(name: str, script: str, *words: str, ready: Callable[[], bool] | None = None) -> Child:
    return Child(name, [sys.executable, "-c", script, *words], {}, ready=ready)


def is_alive(pid: int) -> bool:
    """Whether it runs: the dead that nobody has collected yet do not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def eventually(claim: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def seen_pid(supervisor: Supervisor, name: str, *, other_than: int | None = None) -> int:
    assert eventually(lambda: supervisor.pid(name) not in (None, other_than))
    pid = supervisor.pid(name)
    assert pid is not None
    return pid


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own, and the pids of its child and of what that child forked."""
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(tmp_path), PARENT],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    pids = [int((tmp_path / name).read_text()) for name in ("family", "family.child")]
    yield process, pids
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_killed_child_is_started_again_and_leaves_no_zombie(tmp_path: Path) -> None:
    with Supervisor([python("sleeper", SLEEPER)], logs=tmp_path) as supervisor:
        first = seen_pid(supervisor, "sleeper")

        os.kill(first, signal.SIGKILL)
        second = seen_pid(supervisor, "sleeper", other_than=first)

        with pytest.raises(ProcessLookupError):
            os.kill(first, 0)
        assert is_alive(second)
    assert not is_alive(second)


def test_a_child_killed_again_and_again_is_always_started_again(tmp_path: Path) -> None:
    with Supervisor([python("sleeper", SLEEPER)], logs=tmp_path) as supervisor:
        pid = None
        for _ in range(7):
            pid = seen_pid(supervisor, "sleeper", other_than=pid)
            os.kill(pid, signal.SIGKILL)

        assert is_alive(seen_pid(supervisor, "sleeper", other_than=pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_the_supervisor_ends_all_in_good_order(
    family: tuple[subprocess.Popen[str], list[int]], number: signal.Signals, tmp_path: Path
) -> None:
    supervisor, pids = family

    # Twice, as an impatient person does: the ending goes on.
    supervisor.send_signal(number)
    time.sleep(0.1)
    supervisor.send_signal(number)

    assert supervisor.wait(timeout=PATIENCE_SECONDS) == 0
    assert supervisor.stdout is not None
    assert supervisor.stdout.read() == "ended\n"
    assert (tmp_path / "family.farewell").exists()
    assert not any(is_alive(pid) for pid in pids)


def test_children_and_what_they_forked_are_gone_when_the_supervisor_is_killed(
    family: tuple[subprocess.Popen[str], list[int]],
) -> None:
    supervisor, pids = family

    supervisor.kill()

    assert eventually(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sends a parent-death signal")
def test_children_are_gone_even_when_the_guard_was_killed_before_the_supervisor(
    family: tuple[subprocess.Popen[str], list[int]],
) -> None:
    supervisor, (child, forked) = family
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(supervisor.pid)], capture_output=True, text=True, check=True
    )
    guards = {int(pid) for pid in listing.stdout.split()} - {child}

    for pid in [*guards, supervisor.pid]:
        os.kill(pid, signal.SIGKILL)

    assert len(guards) == 1
    assert eventually(lambda: not is_alive(child))
    os.kill(forked, signal.SIGKILL)


def test_a_child_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    stubborn = python("stubborn", STUBBORN, str(ready), ready=ready.exists)

    with Supervisor([stubborn], logs=tmp_path, grace_seconds=0.3) as supervisor:
        pid = seen_pid(supervisor, "stubborn")

    assert not is_alive(pid)


def test_what_a_dead_child_had_forked_goes_with_it(tmp_path: Path) -> None:
    note = tmp_path / "family"
    forked = tmp_path / "family.child"
    with Supervisor([python("family", PARENT, str(note), ready=forked.exists)], logs=tmp_path) as supervisor:
        orphan = int(forked.read_text())

        os.kill(seen_pid(supervisor, "family"), signal.SIGKILL)

        assert eventually(lambda: not is_alive(orphan))


def test_a_child_that_cannot_start_ends_all_and_its_last_words_are_shown(tmp_path: Path) -> None:
    hopeless = python("hopeless", "raise SystemExit('no such setting')", ready=lambda: False)
    (tmp_path / "hopeless.log").write_text("words of an earlier run\n")

    with pytest.raises(ChildFailed) as failure, Supervisor([hopeless], logs=tmp_path):
        pass

    assert "hopeless ended 5 times with code 1" in failure.value.detail
    assert "no such setting" in failure.value.detail
    assert "an earlier run" not in failure.value.detail


def test_a_child_that_fails_later_interrupts_the_work_inside(tmp_path: Path) -> None:
    hopeless = python("hopeless", "raise SystemExit('no such setting')")

    with pytest.raises(ChildFailed), Supervisor([hopeless], logs=tmp_path):
        time.sleep(30)


def test_a_child_that_is_not_ready_in_time_is_named(tmp_path: Path) -> None:
    slow = python("slow", SLEEPER, ready=lambda: False)

    with pytest.raises(ChildFailed, match=r"slow was not ready in 0\.3 s"):
        Supervisor([slow], logs=tmp_path, ready_seconds=0.3).__enter__()


def test_a_command_that_does_not_exist_is_shown_in_its_log(tmp_path: Path) -> None:
    missing = Child("missing", ["/no/such/command"], {}, ready=lambda: False)

    with pytest.raises(ChildFailed) as failure:
        Supervisor([missing], logs=tmp_path, ready_seconds=0.5).__enter__()

    assert "/no/such/command: No such file or directory" in failure.value.detail


def test_handlers_of_signals_are_as_before_when_all_has_ended(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)

    with Supervisor([python("sleeper", SLEEPER)], logs=tmp_path):
        pass

    assert signal.getsignal(signal.SIGTERM) is before


def test_a_taken_port_is_avoided_and_a_free_one_kept() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        chosen = free_port(port)

    assert chosen != port
    assert free_port(chosen) == chosen


def test_the_embedded_redis_answers_on_its_socket_and_shows_as_redis_server(tmp_path: Path) -> None:
    path = tmp_path / "home" / "redis.sock"
    path.parent.mkdir()
    path.touch()

    child = Child("redis", redis_command(path), {}, executable=redis_binary(), ready=path.is_socket)
    with Supervisor([child], logs=tmp_path) as supervisor, Redis(unix_socket_path=str(path)) as redis:
        pong = redis.ping()
        settings = redis.config_get("maxmemory-policy", "save", "appendonly", "port")
        pid = seen_pid(supervisor, "redis")
        shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=True)

    assert pong is True
    assert settings == {"maxmemory-policy": "noeviction", "save": "", "appendonly": "no", "port": "0"}
    assert shown.stdout.startswith("redis-server")
    assert not is_alive(pid)
