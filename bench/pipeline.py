"""P1: one process draining stored declarations, compared with the same client without a pipeline."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.comparison import Verdict, compare, seconds_of
from bench.deployment import Deployment
from bench.orders import filing, fresh_numbers, unsplit_order
from bench.stub import running_stub
from customs.gateway import Channel, Filing, channels

WANTED = 0.9
# Latency of the gateway in ms, threads, calls in a round: some four seconds each.
RUNS = ((50, 32, 1600), (200, 64, 1280))
LONGEST_SECONDS = 120.0


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """Return one verdict for each latency; `database` makes an empty one."""
    return [_measure(home, database(), *run) for run in RUNS]


def _measure(home: Path, database_url: str, latency_ms: int, threads: int, calls: int) -> Verdict:
    with running_stub(latency_ms) as gateway_url:
        deployment = Deployment(home, database_url, gateway_url, threads)
        job_handlers = deployment.services.job_handlers

        def drained() -> float:
            deployment.store([unsplit_order(number) for number in fresh_numbers(calls)])
            rate = calls / seconds_of(lambda: job_handlers.drain(LONGEST_SECONDS))
            assert not deployment.unfinished()
            return rate

        def floor() -> float:
            orders = [unsplit_order(number) for number in fresh_numbers(calls)]
            return floor_rate(deployment, [(Channel(order["channel"]), filing(order)) for order in orders])

        goal = f"P1 pipeline / floor, {latency_ms} ms, {deployment.name}"
        try:
            # The first calls open the connections that all later ones use.
            floor_rate(deployment, [(Channel.WECHATPAY, filing(unsplit_order(2 * n))) for n in range(2 * threads)])
            return compare(goal, WANTED, drained, floor, at_least=True, unit="calls/s")
        finally:
            job_handlers.close()
            deployment.close()


def floor_rate(deployment: Deployment, filings: Sequence[tuple[Channel, Filing]]) -> float:
    """Return calls a second of the signed client with threads alone: no pipeline can be faster."""
    channel_of = channels(deployment.services.gateway)
    with ThreadPoolExecutor(deployment.threads) as pool:

        def call_all() -> None:
            for answer in [pool.submit(channel_of[channel].declare, filing) for channel, filing in filings]:
                answer.result()

        return len(filings) / seconds_of(call_all)
