"""Counters of calls: what a rollback takes with it is counted again by whoever repeats it, and nothing else is lost."""

from contextlib import suppress

import pytest

from customs.container import Services
from customs.stats.call_counters import CallCounter, calls_by_outcome
from tests.jobs.test_leases import TestClock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


class RolledBack(Exception):
    """What a COMMIT that fails raises."""


def test_a_rollback_loses_no_count_and_counts_nothing_twice(services: Services):
    clock = TestClock()
    counter = CallCounter(0, clock)

    def answered(*, kept: bool = True) -> None:
        with counter.counting() as counts, services.engine.begin() as db:
            counts.add("alipay", "SUBMIT", "answered", 10)
            counter.write(db, counts)
            if not kept:
                raise RolledBack

    answered()
    answered()
    clock.work(1.0)
    with suppress(RolledBack):
        answered(kept=False)
    answered()
    clock.work(1.0)
    answered()

    with services.reading() as db:
        assert [(one.calls, one.seconds) for one in calls_by_outcome(db)] == [(4, pytest.approx(0.04))]
