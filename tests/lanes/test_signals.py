"""What outcomes say of the lane, whatever was asked: the table walked, and a group's report."""

from datetime import timedelta

import pytest

from customs.gateway import (
    Busy,
    ClockSkew,
    Credentials,
    GatewayError,
    Misuse,
    NotFound,
    NotSent,
    OtherRecord,
    Refused,
    TooLate,
    Unknown,
)
from customs.lanes.breaker import SIGNALS, LaneReport, Signal, lane_report, signal_of
from tests import make
from tests.payments.till import order_reply, refund_reply, sale_reply

NOW = make.NOON


def busy(retry_after: float | None = None) -> Busy:
    return Busy("later", exchange=make.exchange(), retry_after=retry_after)


def skewed(seconds: float) -> ClockSkew:
    return ClockSkew("when?", exchange=make.exchange(), server_time=NOW - timedelta(seconds=seconds))


OUTCOMES = [
    (make.reply(), Signal.ANSWERED),
    (sale_reply(), Signal.ANSWERED),
    (order_reply(), Signal.ANSWERED),
    (refund_reply(), Signal.ANSWERED),
    (Refused("no", exchange=None, status=400), Signal.ANSWERED),
    (NotFound("nothing", exchange=None, status=404), Signal.ANSWERED),
    (NotSent("refused"), Signal.THROTTLED),
    (TooLate("the lease was about to end"), Signal.SILENT),
    (busy(), Signal.THROTTLED),
    (Credentials("who?"), Signal.REJECTED),
    (skewed(1), Signal.SKEWED),
    (OtherRecord("another's"), Signal.ANSWERED),
    (Unknown("lost"), Signal.UNKNOWN),
    (Misuse("ours"), Signal.SILENT),
]


@pytest.mark.parametrize(("outcome", "signal"), OUTCOMES, ids=lambda value: type(value).__name__)
def test_what_one_outcome_says(outcome: object, signal: Signal):
    assert signal_of(outcome) is signal


def test_every_kind_of_error_was_tried():
    def children(kind: type) -> set[type]:
        return {kind}.union(*(children(child) for child in kind.__subclasses__()))

    assert {type(outcome) for outcome, _ in OUTCOMES} >= children(GatewayError) - {GatewayError}
    assert {signal for _, signal in OUTCOMES} == set(Signal)


def test_no_row_hides_behind_its_parent():
    kinds = [kind for kind, _ in SIGNALS]

    hidden = [kind for place, kind in enumerate(kinds) if any(issubclass(kind, other) for other in kinds[:place])]

    assert hidden == []


def test_a_group_is_counted():
    report = lane_report([make.reply(), Unknown("lost"), busy(3.0), busy(9.0), NotSent("refused")], NOW)

    counts = LaneReport(answered=1, throttled=3, unknown=1, retry_after=9.0, failure="no call gets through: refused")
    assert report == counts


def test_a_group_of_nothing_says_nothing():
    assert lane_report([], NOW).is_good


def test_a_mistake_of_ours_says_nothing():
    assert lane_report([Misuse("ours")], NOW) == LaneReport()


def test_an_answer_that_was_not_understood_says_what_came():
    report = lane_report([Unknown("<html>")], NOW)

    assert (report.is_good, report.unknown, "<html>" in report.failure) == (False, 1, True)


def test_a_strike_says_why():
    report = lane_report([Credentials("unknown agent")], NOW)

    assert (report.rejected, "unknown agent" in report.reason) == (1, True)


@pytest.mark.parametrize("seconds", [-40, 40])
def test_a_clock_that_is_off_says_by_how_much(seconds: int):
    report = lane_report([skewed(seconds)], NOW)

    assert (report.rejected, report.skew) == (1, seconds)


def test_a_skew_is_that_of_the_machine_that_signed_and_not_the_databases():
    error = skewed(0)
    error.our_time = NOW + timedelta(seconds=90)

    assert lane_report([error], NOW).skew == 90
