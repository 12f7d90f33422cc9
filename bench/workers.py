"""P2, P7 and P11: two real workers with clock and Redis, compared with the document's sample loop."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.comparison import Verdict, compare, peak_megabytes, seconds_of
from bench.deployment import Deployment
from bench.orders import filing, fresh_numbers, unsplit_order
from bench.sample_client import sample_rate
from bench.stub import running_stub
from customs.jobs.wakeup import WorkerNotifier
from customs.ops.standalone import redis_binary, redis_command

WORKERS = 2
# Latency in ms, threads in each worker, declarations a round, calls of the sample a round, the ratio wanted.
RUNS = ((0, 32, 2000, 40, 15.0), (50, 32, 2000, 30, 30.0))
BACKLOG = 10_000
MEGABYTES_WANTED = 150.0
COMMANDS_WANTED = 1.0
POLL_SECONDS = 0.02
LONGEST_SECONDS = 180.0


class WorkerProcesses:
    """Workers, clock and Redis of one machine, without the web process."""

    def __init__(
        self, deployment: Deployment, notifier: WorkerNotifier, workers: Sequence[subprocess.Popen[bytes]]
    ) -> None:
        self._deployment = deployment
        self._notifier = notifier
        self._workers = workers

    def drain(self, declarations: int) -> float:
        """Store that many declarations and let the workers declare them; return declarations a second."""
        self._deployment.store([unsplit_order(number) for number in fresh_numbers(declarations)])
        rate = declarations / seconds_of(self._wait_for_the_end)
        assert not self._deployment.unfinished()
        return rate

    def redis_commands(self) -> int:
        """Return how many commands Redis has run."""
        stats = self._notifier.redis.info("commandstats")
        return sum(stat["calls"] for stat in stats.values())

    def megabytes(self) -> float:
        """Return the largest peak of resident memory among the workers."""
        return max(peak_megabytes(worker.pid) for worker in self._workers)

    def _wait_for_the_end(self) -> None:
        deadline = time.monotonic() + LONGEST_SECONDS
        self._notifier.notify()
        while not self._deployment.is_drained():
            assert time.monotonic() < deadline
            time.sleep(POLL_SECONDS)


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """P2 for each latency; without latency also P7 and P11 with 10,000 due pushes."""
    verdicts: list[Verdict] = []
    for latency_ms, threads, declarations, samples, wanted in RUNS:
        with (
            running_stub(latency_ms) as url,
            _running_processes(Deployment(home, database(), url, threads)) as (deployment, processes),
        ):
            key = deployment.private_key_file.read_bytes()
            filings = [filing(unsplit_order(2 * number)) for number in range(samples)]
            processes.drain(2 * threads)
            goal = f"P2 two workers / sample loop, {latency_ms} ms, {deployment.name}"
            verdicts.append(
                compare(
                    goal,
                    wanted,
                    lambda processes=processes, number=declarations: processes.drain(number),  # type: ignore[misc]
                    lambda url=url, key=key, filings=filings: sample_rate(url, key, filings),  # type: ignore[misc]
                    at_least=True,
                    unit="declarations/s",
                )
            )
            if latency_ms == 0:
                verdicts += _under_backlog(deployment, processes)
    return verdicts


def _under_backlog(deployment: Deployment, processes: WorkerProcesses) -> list[Verdict]:
    before = processes.redis_commands()
    processes.drain(BACKLOG)
    commands = (processes.redis_commands() - before) / BACKLOG
    return [
        Verdict(f"P11 Redis commands a declaration, {deployment.name}", COMMANDS_WANTED, False, commands),
        Verdict(
            f"P7 peak MB of a worker with 10,000 due, {deployment.name}",
            MEGABYTES_WANTED,
            False,
            processes.megabytes(),
            "MB",
        ),
    ]


@contextmanager
def _running_processes(deployment: Deployment) -> Iterator[tuple[Deployment, WorkerProcesses]]:
    environ = {**os.environ, **deployment.environ}
    notifier = WorkerNotifier(deployment.services.settings.redis_url)
    command = redis_command(deployment.services.settings.home / "redis.sock")
    with ExitStack() as stack:
        stack.callback(deployment.close)
        stack.enter_context(_running(command, environ, executable=redis_binary()))
        _wait(notifier.is_available)
        workers = [stack.enter_context(_running(_workers("worker"), environ)) for _ in range(WORKERS)]
        stack.enter_context(_running(_workers("clock"), environ))
        _wait(lambda: notifier.redis.scard("rq:workers") == WORKERS)
        yield deployment, WorkerProcesses(deployment, notifier, workers)


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
        time.sleep(POLL_SECONDS)
