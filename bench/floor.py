"""The floor: signed calls through our own client and as many threads, and nothing else; no pipeline can be faster."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.ground import Ground
from bench.measuring import seconds_of
from customs.gateway import Channel, Filing, channels


def floor_rate(ground: Ground, filings: Sequence[tuple[Channel, Filing]]) -> float:
    """Calls a second."""
    channel_of = channels(ground.services.gateway)
    with ThreadPoolExecutor(ground.threads) as pool:

        def call_all() -> None:
            for answer in [pool.submit(channel_of[channel].declare, filing) for channel, filing in filings]:
                answer.result()

        return len(filings) / seconds_of(call_all)
