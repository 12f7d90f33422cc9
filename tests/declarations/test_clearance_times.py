"""How long it takes to be SUCCESS: counts by length tell the median and the 90th within some percent."""

import random
import statistics
from collections import Counter
from datetime import timedelta

import pytest

from customs.declarations.statistics import bucket_of, durations

SPREADS = {
    "minutes": lambda chance: chance.uniform(60, 600),
    "hours, some of them days": lambda chance: chance.lognormvariate(8, 1.5),
    "seconds": lambda chance: chance.expovariate(1 / 20) + 1,
}


@pytest.mark.parametrize("spread", SPREADS.values(), ids=SPREADS)
def test_the_median_and_the_90th_are_within_ten_percent(spread):
    chance = random.Random(7)
    lengths = [spread(chance) for _ in range(2_000)]

    found = durations(Counter(bucket_of(timedelta(seconds=length)) for length in lengths))

    assert found.count == len(lengths)
    assert found.median.total_seconds() == pytest.approx(statistics.median(lengths), rel=0.1)
    assert found.ninetieth.total_seconds() == pytest.approx(statistics.quantiles(lengths, n=10)[-1], rel=0.1)


def test_equal_durations_are_within_one_step():
    found = durations({bucket_of(timedelta(seconds=3_000)): 10})

    assert 3_000 / 1.13 < found.median.total_seconds() < found.ninetieth.total_seconds() < 3_000 * 1.13


@pytest.mark.parametrize(
    ("length", "word"),
    [
        (timedelta(seconds=-1), "1"),
        (timedelta(0), "1"),
        (timedelta(seconds=1), "1"),
        (timedelta(seconds=1.1), "1.122"),
        (timedelta(seconds=2), "2"),
        (timedelta(hours=1), "3649"),
        (timedelta(days=12), "1.049e+06"),
        (timedelta(days=400), "1.049e+06"),
    ],
)
def test_a_length_counts_under_its_upper_bound(length: timedelta, word: str):
    assert bucket_of(length) == word
