"""What an attempt means: the times of repeats, whose patience counts, when an endpoint is paused."""

from datetime import timedelta
from email.utils import format_datetime

import pytest

from customs.webhooks.http_sender import Answer
from customs.webhooks.models import DeliveryState
from customs.webhooks.retry_policy import DELAYS, handle_outcome, patience, throttled_until, why_paused
from tests.make import NOON

DAY = timedelta(days=1)


def test_repeats_grow_over_three_days():
    assert DELAYS == (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert timedelta(days=3) < timedelta(seconds=sum(DELAYS)) < timedelta(days=3.5)


@pytest.mark.parametrize("attempt_count", range(1, len(DELAYS) + 1))
def test_the_next_attempt_comes_when_the_table_says_and_a_little_later(attempt_count: int):
    due_at = handle_outcome(Answer(status=500), attempt_count, NOON).due_at

    assert due_at is not None
    assert DELAYS[attempt_count - 1] <= (due_at - NOON).total_seconds() <= DELAYS[attempt_count - 1] * 1.1


@pytest.mark.parametrize(
    ("answer", "attempt_count", "state"),
    [
        (Answer(status=200), 1, DeliveryState.DELIVERED),
        (Answer(status=204), 10, DeliveryState.DELIVERED),
        (Answer(status=299), 1, DeliveryState.DELIVERED),
        (Answer(status=199), 1, DeliveryState.WAITING),
        (Answer(status=301), 1, DeliveryState.WAITING),
        (Answer(status=404), 1, DeliveryState.WAITING),
        (Answer(status=410), 1, DeliveryState.FAILED),
        (Answer(error="not connected"), 9, DeliveryState.WAITING),
        (Answer(error="not connected"), 10, DeliveryState.FAILED),
    ],
)
def test_only_2xx_is_success(answer: Answer, attempt_count: int, state: DeliveryState):
    assert handle_outcome(answer, attempt_count, NOON).state is state


@pytest.mark.parametrize(
    ("status", "shown", "seconds"),
    [
        (429, "120", 120),
        (503, format_datetime(NOON + timedelta(minutes=2), usegmt=True), 120),
        (503, "Mon, 23 Nov 2026 12:02:00", 120),
        (503, "99999999999999999999", DAY.total_seconds()),
        (503, "Mon, 23 Nov 2020 12:02:00 GMT", 0),
        (503, "tomorrow", 0),
        (503, "-5", 0),
        (503, "", 0),
        (500, "120", 0),
    ],
)
def test_whose_patience_is_asked_for(status: int, shown: str, seconds: float):
    assert patience(Answer(status=status, retry_after=shown), NOON) == timedelta(seconds=seconds)


def test_an_endpoint_that_goes_on_failing_is_left_alone_for_a_minute_at_most():
    holds = [
        (throttled_until(Answer(status=500), failures, NOON) - NOON).total_seconds() for failures in (1, 2, 3, 100)
    ]

    assert holds[0] <= 1.1
    assert 1.8 <= holds[1] <= 2.2
    assert 54 <= holds[3] <= 66


@pytest.mark.parametrize(("days", "paused"), [(4.99, False), (5, True)])
def test_days_of_failures_pause_an_endpoint(days: float, paused: bool):
    why = why_paused(Answer(status=500), NOON - timedelta(days=days), NOON)

    assert (why is not None) is paused
