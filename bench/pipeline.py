"""P1: one process of the product draining stored declarations, against the floor on the same client."""

from collections.abc import Callable
from pathlib import Path

from bench.floor import floor_rate
from bench.ground import Ground
from bench.measuring import Verdict, compare, seconds_of
from bench.orders import filing, fresh_numbers, whole_order
from bench.stub import running_stub
from customs.gateway import Channel

WANTED = 0.9
# Latency of the gateway in ms, threads, calls in a round: some four seconds each.
RUNS = ((50, 32, 1600), (200, 64, 1280))
LONGEST_SECONDS = 120.0


def measure(home: Path, database: Callable[[], str]) -> list[Verdict]:
    """One verdict per latency; `database` makes an empty one."""
    return [_measure(home, database(), *run) for run in RUNS]


def _measure(home: Path, database_url: str, latency_ms: int, threads: int, calls: int) -> Verdict:
    with running_stub(latency_ms) as gateway_url:
        ground = Ground(home, database_url, gateway_url, threads)
        desks = ground.services.desks

        def drained() -> float:
            ground.store([whole_order(number) for number in fresh_numbers(calls)])
            rate = calls / seconds_of(lambda: desks.drain(LONGEST_SECONDS))
            assert not ground.unfinished()
            return rate

        def floor() -> float:
            orders = [whole_order(number) for number in fresh_numbers(calls)]
            return floor_rate(ground, [(Channel(order["channel"]), filing(order)) for order in orders])

        goal = f"P1 pipeline / floor, {latency_ms} ms, {ground.name}"
        try:
            # The first calls open the connections that all later ones use.
            floor_rate(ground, [(Channel.WECHATPAY, filing(whole_order(2 * n))) for n in range(2 * threads)])
            return compare(goal, WANTED, drained, floor, at_least=True, unit="calls/s")
        finally:
            desks.close()
            ground.close()
