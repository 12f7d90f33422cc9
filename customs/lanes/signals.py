"""What outcomes of calls say of the lane rather than of what was asked: one table, and a group's report."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from customs.gateway.errors import (
    Busy,
    ClockSkew,
    Credentials,
    GatewayError,
    NotSent,
    OtherRecord,
    Refused,
    TooLate,
    Unknown,
)
from customs.lanes.gate import LaneReport


class Signal(StrEnum):
    """What one outcome says about the lane."""

    ANSWERED = "answered"
    HELD = "held"
    STRUCK = "struck"
    SKEWED = "skewed"
    UNKNOWN = "unknown"
    SILENT = "silent"


# The first row that fits counts; what is no error is an answer.
SIGNALS: tuple[tuple[type[GatewayError], Signal], ...] = (
    (TooLate, Signal.SILENT),
    (NotSent, Signal.HELD),
    (Busy, Signal.HELD),
    (Credentials, Signal.STRUCK),
    (ClockSkew, Signal.SKEWED),
    (Refused, Signal.ANSWERED),
    (OtherRecord, Signal.ANSWERED),
    (Unknown, Signal.UNKNOWN),
    (GatewayError, Signal.SILENT),
)


# Why a lane is stopped.
REASONS = {
    Signal.STRUCK: "the gateway refused our signature or our right to call",
    Signal.SKEWED: "the gateway refused our timestamp: the clocks differ",
}
# Why a lane on which no call was answered fails, beside those; 503 and 429 say in their own words what they want.
FAILURES = REASONS | {
    Signal.HELD: "no call gets through",
    Signal.UNKNOWN: "no answer came that could be understood",
}


def signal_of(outcome: object) -> Signal:
    return next((signal for kind, signal in SIGNALS if isinstance(outcome, kind)), Signal.ANSWERED)


def is_answer(outcome: object) -> bool:
    """Whether the gateway understood what was asked, and was understood."""
    return signal_of(outcome) is Signal.ANSWERED


def lane_report(outcomes: Iterable[object], now: datetime) -> LaneReport:
    """What a group of outcomes says of the lane."""
    counts = dict.fromkeys(Signal, 0)
    retry_after, skew, reason, failure = 0.0, None, "", ""
    for outcome in outcomes:
        signal = signal_of(outcome)
        counts[signal] += 1
        if isinstance(outcome, Busy):
            retry_after = max(retry_after, outcome.retry_after or 0.0)
        if isinstance(outcome, ClockSkew) and outcome.server_time is not None:
            # Whose clock it was matters: the database's may be right while this machine's is wrong.
            skew = ((outcome.our_time or now) - outcome.server_time).total_seconds()
        if signal in REASONS and isinstance(outcome, GatewayError):
            reason = f"{REASONS[signal]}: {outcome.message}"
        if signal in FAILURES and isinstance(outcome, GatewayError):
            failure = f"{FAILURES[signal]}: {outcome.message}"
    return LaneReport(
        answered=counts[Signal.ANSWERED],
        held=counts[Signal.HELD],
        struck=counts[Signal.STRUCK] + counts[Signal.SKEWED],
        unknown=counts[Signal.UNKNOWN],
        retry_after=retry_after,
        skew=skew,
        reason=reason,
        failure=failure,
    )
