"""The lane: what stops it, what slows it, how one call probes, and how a rate is kept."""

from datetime import timedelta

import pytest

from customs.lanes import breaker
from customs.lanes.breaker import LaneReport
from customs.lanes.models import Lane
from tests.product import Desk

REJECTED = LaneReport(rejected=1, reason="the gateway refused our signature")
THROTTLED = LaneReport(throttled=1)
ANSWERED = LaneReport(answered=1)


@pytest.fixture
def lane(desk: Desk):
    return Watched(desk)


class Watched:
    """One lane, and what may leave through it now."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def hear(self, *reports: LaneReport) -> list[bool]:
        heard = []
        for report in reports:
            with self.desk.services.engine.begin() as db:
                heard.append(breaker.record_report(db, self.desk.lane, report, self.desk.now))
        return heard

    def room(self, *, rate: float = 0.0, spent: int = 0) -> int:
        with self.desk.services.engine.begin() as db:
            admitted = breaker.admit(db, self.desk.lane, 100, self.desk.now, rate=rate, timeout=15.0).room
            breaker.spend_tokens(db, self.desk.lane, min(spent, admitted))
            return admitted

    @property
    def row(self) -> Lane:
        with self.desk.services.reading() as db:
            return db.get_one(Lane, self.desk.lane)


def test_an_open_lane_lets_everything_through(lane: Watched):
    assert lane.room() == 100


def test_one_credential_has_one_lane(desk: Desk):
    used = desk.services.settings
    with desk.services.engine.begin() as db:
        assert breaker.lane_id(db, used.agent_no, used.base_url, desk.now) == desk.lane
        assert breaker.lane_id(db, "OTHER", used.base_url, desk.now) != desk.lane


def test_three_refused_credentials_in_a_row_stop_the_lane_with_one_alert(lane: Watched):
    alerts = lane.hear(REJECTED, REJECTED, REJECTED, REJECTED)

    assert alerts == [False, False, True, False]
    assert lane.room() == 0
    assert lane.row.reason == "the gateway refused our signature"


def test_an_answer_between_them_begins_the_count_anew(lane: Watched):
    assert lane.hear(REJECTED, REJECTED, ANSWERED, REJECTED, REJECTED) == [False] * 5
    assert lane.room() == 100


def test_a_stopped_lane_stays_so_until_a_person_resumes_it(lane: Watched):
    lane.hear(REJECTED, REJECTED, REJECTED)
    lane.desk.wait(days=3)
    assert lane.room() == 0

    with lane.desk.services.engine.begin() as db:
        breaker.resume(db, lane.desk.lane)

    assert (lane.room(), lane.row.reason, lane.row.strikes) == (100, None, 0)


def test_an_answer_that_was_still_in_the_air_does_not_open_a_stopped_lane(lane: Watched):
    lane.hear(REJECTED, REJECTED, REJECTED, ANSWERED)

    assert lane.room() == 0


@pytest.mark.parametrize("skew", [31.0, -31.0])
def test_a_clock_more_than_half_a_minute_off_stops_the_lane_at_once(lane: Watched, skew: float):
    assert lane.hear(LaneReport(rejected=1, skew=skew)) == [True]
    assert "31 s" in lane.row.reason


def test_a_clock_that_is_nearly_right_counts_like_a_refused_credential(lane: Watched):
    assert lane.hear(*[LaneReport(rejected=1, skew=5.0)] * 3) == [False, False, True]


def test_a_busy_gateway_slows_the_lane_down_after_the_third_time(lane: Watched):
    lane.hear(THROTTLED, THROTTLED)
    assert lane.room() == 100

    lane.hear(THROTTLED)

    assert lane.room() == 0


def test_after_the_pause_one_call_probes_and_nobody_else(lane: Watched):
    lane.hear(THROTTLED, THROTTLED, THROTTLED)
    lane.desk.wait(seconds=2)

    assert (lane.room(), lane.room()) == (1, 0)


def test_a_probe_that_never_reports_is_followed_by_another(lane: Watched):
    lane.hear(THROTTLED, THROTTLED, THROTTLED)
    lane.desk.wait(seconds=2)
    lane.room()

    lane.desk.wait(seconds=16)

    assert lane.room() == 1


def test_a_probe_that_is_answered_opens_the_lane(lane: Watched):
    lane.hear(THROTTLED, THROTTLED, THROTTLED)
    lane.desk.wait(seconds=2)
    lane.room()

    lane.hear(ANSWERED)

    assert lane.room() == 100


def test_pauses_grow_to_a_minute_and_no_longer(lane: Watched):
    pauses = []
    lane.hear(THROTTLED, THROTTLED)
    for _ in range(10):
        lane.hear(THROTTLED)
        pauses.append((lane.row.held_until - lane.desk.now).total_seconds())
        lane.desk.wait(seconds=120)
        lane.room()

    assert pauses[0] < 2
    assert all(50 < pause <= 66 for pause in pauses[-3:])


def test_calls_that_were_in_the_air_together_count_as_one_round(lane: Watched):
    lane.hear(LaneReport(throttled=32))
    first = lane.row.held_until

    lane.hear(LaneReport(throttled=32))

    assert lane.row.held_until == first


def test_a_retry_after_is_honoured_by_the_whole_lane(lane: Watched):
    lane.hear(LaneReport(throttled=3, retry_after=300.0))
    lane.desk.wait(seconds=290)
    assert lane.room() == 0

    lane.desk.wait(seconds=20)

    assert lane.room() == 1


def test_no_more_calls_leave_in_a_second_than_the_rate_allows(lane: Watched):
    lane.room(rate=10, spent=100)
    lane.desk.wait(seconds=1)

    assert lane.room(rate=10, spent=100) == 10
    assert lane.room(rate=10) == 0
    lane.desk.wait(seconds=0.5)
    assert lane.room(rate=10) == 5


def test_an_idle_night_is_not_saved_up_for_one_burst(lane: Watched):
    lane.room(rate=10, spent=100)
    lane.desk.wait(hours=8)

    assert lane.room(rate=10) == 10


def test_a_rate_below_one_a_second_still_lets_calls_through(lane: Watched):
    lane.room(rate=0.2, spent=100)
    lane.desk.wait(seconds=5.1)

    assert lane.room(rate=0.2) == 1


def test_two_lanes_do_not_hold_each_other_up(lane: Watched):
    lane.hear(REJECTED, REJECTED, REJECTED)
    with lane.desk.services.engine.begin() as db:
        other = breaker.lane_id(db, "OTHER", "http://gateway.test", lane.desk.now)

        assert breaker.admit(db, other, 100, lane.desk.now + timedelta(seconds=1), rate=0, timeout=15).room == 100


def fails(lane: Watched) -> bool:
    return lane.row.fails(lane.desk.now)


@pytest.mark.parametrize(
    "report", [THROTTLED, LaneReport(unknown=1, failure="no JSON")], ids=["not sent", "not understood"]
)
def test_a_lane_fails_once_no_call_was_answered_for_a_while_and_one_answer_heals_it(lane: Watched, report: LaneReport):
    lane.hear(report)
    at_once = fails(lane)
    lane.desk.wait(seconds=25)
    lane.hear(report)

    after_a_while = fails(lane)
    lane.hear(ANSWERED)

    assert (at_once, after_a_while, fails(lane)) == (False, True, False)
    assert lane.row.failure is None


def test_a_group_with_one_answer_is_no_failure(lane: Watched):
    lane.hear(LaneReport(unknown=1))
    lane.desk.wait(seconds=25)

    lane.hear(LaneReport(answered=1, unknown=5, throttled=2))

    assert not fails(lane)


def test_where_nothing_was_called_for_long_nobody_knows_any_more(lane: Watched):
    lane.hear(LaneReport(unknown=1))

    lane.desk.wait(hours=1)

    assert not fails(lane)


def test_a_failure_that_a_clock_wrote_ahead_of_us_hides_nothing(lane: Watched):
    lane.desk.wait(minutes=10)
    lane.hear(LaneReport(unknown=1))
    lane.desk.wait(minutes=-10)

    assert fails(lane)
