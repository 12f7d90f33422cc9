"""P2, P11 and memory: two real workers, their clock and their Redis, against the document's sample loop."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.ground import Ground
from bench.measuring import Verdict, compare, peak_megabytes, seconds_of
from bench.orders import filing, fresh_numbers, whole_order
from bench.sample import sample_rate
from bench.stub import running_stub
from customs.jobs.wakeup import WorkerNotifier
from customs.ops.embedded_redis import server_binary, server_command

WORKERS = 2
# Latency in ms, threads in each worker, declarations a round, calls of the sample a round, the ratio wanted.
RUNS = ((0, 32, 2000, 40, 15.0), (50, 32, 2000, 30, 30.0))
BACKLOG = 10_000
MEGABYTES_WANTED = 150.0
COMMANDS_WANTED = 1.0
LOOK_EVERY_SECONDS = 0.02
LONGEST_SECONDS = 180.0


class Crew:
    """The processes of one machine, but for the web."""

    def __init__(self, ground: Ground, notifier: WorkerNotifier, workers: Sequence[subprocess.Popen[bytes]]) -> None:
        self._ground = ground
        self._notifier = notifier
        self._workers = workers

    def drain(self, declarations: int) -> float:
        """Store that many and let the crew declare them; declarations a second from first to last."""
        self._ground.store([whole_order(number) for number in fresh_numbers(declarations)])
        rate = declarations / seconds_of(self._wait_for_the_end)
        assert not self._ground.unfinished()
        return rate

    def redis_commands(self) -> int:
        """How many commands Redis has seen."""
        stats = self._notifier.redis.info("commandstats")
        return sum(stat["calls"] for stat in stats.values())

    def megabytes(self) -> float:
        """The largest peak of resident memory among the workers."""
        return max(peak_megabytes(worker.pid) for worker in self._workers)

    def _wait_for_the_end(self) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        self._notifier.notify()
        while not self._ground.is_drained():
            assert time.monotonic() < deadline
            time.sleep(LOOK_EVERY_SECONDS)


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """P2 for each latency; then, on the last, what 10,000 due pushes do to memory and to Redis."""
    verdicts: list[Verdict] = []
    for latency_ms, threads, declarations, samples, wanted in RUNS:
        with running_stub(latency_ms) as url, _crew(Ground(home, database(), url, threads)) as (ground, crew):
            key = ground.private_key_file.read_bytes()
            filings = [filing(whole_order(2 * number)) for number in range(samples)]
            crew.drain(2 * threads)
            goal = f"P2 two workers / sample loop, {latency_ms} ms, {ground.name}"
            verdicts.append(
                compare(
                    goal,
                    wanted,
                    lambda crew=crew, number=declarations: crew.drain(number),  # type: ignore[misc]
                    lambda url=url, key=key, filings=filings: sample_rate(url, key, filings),  # type: ignore[misc]
                    at_least=True,
                    unit="declarations/s",
                )
            )
            if latency_ms == 0:
                verdicts += _under_backlog(ground, crew)
    return verdicts


def _under_backlog(ground: Ground, crew: Crew) -> list[Verdict]:
    before = crew.redis_commands()
    crew.drain(BACKLOG)
    commands = (crew.redis_commands() - before) / BACKLOG
    return [
        Verdict(f"P11 Redis commands a declaration, {ground.name}", COMMANDS_WANTED, False, commands),
        Verdict(
            f"P7 peak MB of a worker with 10,000 due, {ground.name}", MEGABYTES_WANTED, False, crew.megabytes(), "MB"
        ),
    ]


@contextmanager
def _crew(ground: Ground) -> Iterator[tuple[Ground, Crew]]:
    environ = {**os.environ, **ground.environ}
    notifier = WorkerNotifier(ground.services.settings.redis_url)
    command = server_command(ground.services.settings.home / "redis.sock")
    with ExitStack() as stack:
        stack.callback(ground.close)
        stack.enter_context(_running(command, environ, executable=server_binary()))
        _wait(notifier.is_available)
        workers = [stack.enter_context(_running(_workers("worker"), environ)) for _ in range(WORKERS)]
        stack.enter_context(_running(_workers("clock"), environ))
        _wait(lambda: notifier.redis.scard("rq:workers") == WORKERS)
        yield ground, Crew(ground, notifier, workers)


def _workers(kind: str) -> list[str]:
    return [sys.executable, "-m", "workers", kind]


@contextmanager
def _running(
    command: list[str], environ: dict[str, str], executable: str | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, executable=executable, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _wait(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(LOOK_EVERY_SECONDS)
