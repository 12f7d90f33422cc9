"""What an attempt means for its delivery and its endpoint: rules on plain values, no database."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from customs.jobs.leases import JITTER, growing
from customs.webhooks.http_sender import Answer
from customs.webhooks.models import DeliveryState

# Seconds after the first, second, ... attempt: three days in all.
DELAYS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
LONGEST_PATIENCE = timedelta(days=1)
# An endpoint that fails is left alone for this long before anything else goes there, growing from failure to failure.
FIRST_HOLD_SECONDS = 1.0
LONGEST_HOLD_SECONDS = 60.0
PAUSED_AFTER = timedelta(days=5)
GONE = 410
LATER = (429, 503)
IS_GONE = "it answered 410 Gone"
ONLY_FAILED = f"nothing reached it for {PAUSED_AFTER.days} days"


@dataclass(frozen=True)
class Verdict:
    """Where a delivery stands after an attempt."""

    state: DeliveryState
    due_at: datetime | None


def is_success(answer: Answer) -> bool:
    return answer.status is not None and 200 <= answer.status < 300


def handle_outcome(answer: Answer, attempt_count: int, now: datetime) -> Verdict:
    """`attempt_count`: how many attempts there were, this one included."""
    if is_success(answer):
        return Verdict(DeliveryState.DELIVERED, None)
    if answer.status == GONE or attempt_count > len(DELAYS):
        return Verdict(DeliveryState.FAILED, None)
    wait = timedelta(seconds=DELAYS[attempt_count - 1] * (1 + random.uniform(0, JITTER)))  # noqa: S311 - spreading load
    return Verdict(DeliveryState.WAITING, now + max(wait, patience(answer, now)))


def patience(answer: Answer, now: datetime) -> timedelta:
    """How long an endpoint asks us to wait; a day at most."""
    if answer.status not in LATER or answer.retry_after is None:
        return timedelta()
    return min(max(_asked(answer.retry_after, now), timedelta()), LONGEST_PATIENCE)


def _asked(text: str, now: datetime) -> timedelta:
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    return moment.replace(tzinfo=moment.tzinfo or UTC) - now


def throttled_until(answer: Answer, failures: int, now: datetime) -> datetime:
    """Until when an endpoint is left alone after so many failures in a row."""
    hold = growing(FIRST_HOLD_SECONDS, failures - 1, factor=2.0, most=LONGEST_HOLD_SECONDS)
    return now + max(timedelta(seconds=hold), patience(answer, now))


def why_paused(answer: Answer, failing_since: datetime, now: datetime) -> str | None:
    """Why nothing more is sent to an endpoint after this failure; None when more is."""
    if answer.status == GONE:
        return IS_GONE
    return ONLY_FAILED if now - failing_since >= PAUSED_AFTER else None
