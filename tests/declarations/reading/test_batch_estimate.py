"""How long a batch still takes, on plain values; and how many of its declarations still go on."""

from datetime import timedelta

import pytest

from customs.declarations.reading.dashboard import batch_progress, count_running
from tests import make
from tests.make import NOON
from tests.product import Desk

# The total; how many still run; the seconds since it began; the seconds left.
TABLE = {
    "half of it in a minute: another minute": (100, 50, 60, 60),
    "nine of ten": (100, 10, 90, 10),
    "nothing has ended yet": (100, 100, 60, None),
    "too few have ended to say": (1000, 997, 60, None),
    "a small share of many says nothing": (1000, 960, 60, None),
    "all of it has ended": (100, 0, 60, None),
    "a batch that somebody goes on with a day later": (100, 1, 86_400, None),
    "just begun": (10, 5, 0, None),
}


@pytest.mark.parametrize(("total", "running", "passed", "left"), TABLE.values(), ids=TABLE)
def test_the_rest_takes_as_long_as_the_pace_so_far_says(total: int, running: int, passed: int, left: int | None):
    estimated = batch_progress(total, running, NOON, NOON + timedelta(seconds=passed)).left

    assert estimated == (None if left is None else timedelta(seconds=left))


@pytest.mark.parametrize(("total", "running", "share"), [(4, 1, 0.75), (4, 4, 0.0), (0, 0, 1.0)])
def test_the_share_that_has_ended(total: int, running: int, share: float):
    assert batch_progress(total, running, NOON, NOON).share == share


def test_a_batch_with_open_rows_has_not_ended():
    nearly = batch_progress(2999, 0, NOON, NOON, open_rows=1)

    assert (nearly.total, nearly.ended, nearly.share) == (3000, 2999, 0.99)


def test_what_ended_or_needs_somebody_does_not_run_any_more(desk: Desk):
    batch = desk.take_in(make.declaration_row(), make.declaration_row("alipay"), make.declaration_row(parts=2))
    states = iter(["SUCCESS", "FAIL", "PROCESSING", "PROCESSING"])
    desk.work(lambda _: make.reply(next(states), desk.now))

    with desk.services.reading() as db:
        assert 0 < count_running(db, batch.id) < 3
