"""The page of lanes: why one is stopped, in words, what to do, and letting it go on with a reason on the record."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from customs.audit.models import AuditEntry
from customs.container import Services
from customs.gateway.errors import ClockSkew, Credentials
from customs.lanes import breaker
from customs.lanes.breaker import lane_report
from tests.product import Desk
from tests.web.visiting import People, text_of

PAGE = "/admin/lanes"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def stop(desk: Desk):
    """Stop the lane as the gateway's answers do."""

    def stopped(*outcomes: object) -> None:
        with desk.services.engine.begin() as db:
            breaker.record_report(db, desk.lane, lane_report(outcomes * breaker.STRIKES_TO_STOP, desk.now), desk.now)

    return stopped


def test_an_open_lane_shows_what_waits(people: People, desk: Desk):
    shown = text_of(people.signed_in("clerk").get(PAGE))

    assert f"Agent {people.services.settings.agent_no}" in shown and "Calls go through" in shown
    assert "Calls that wait for their time" in shown


@pytest.mark.parametrize(
    ("outcome", "meaning", "response"),
    [
        (Credentials("the Signature is refused", exchange=None), "refused our signature", "the Signature is refused"),
        (
            ClockSkew("the Timestamp is refused", exchange=None, server_time=None),
            "clock and the gateway's",
            "Timestamp",
        ),
    ],
)
def test_a_stopped_lane_says_why_and_what_to_do(people: People, desk: Desk, stop, outcome, meaning: str, response: str):
    stop(outcome)

    shown = text_of(people.signed_in("clerk").get(PAGE))

    assert "Stopped" in shown and meaning in shown and response in shown and "then resume" in shown
    assert "A reviewer or an administrator resumes it." in shown


def test_a_clock_that_is_off_is_named_as_the_cause(people: People, desk: Desk, stop):
    stop(ClockSkew("refused", exchange=None, server_time=desk.now + timedelta(minutes=5)))

    shown = text_of(people.signed_in("admin", language="zh_CN").get(PAGE))

    assert "本机时钟与网关时钟不一致" in shown and "-300 s" in shown


def test_a_reviewer_lets_it_go_on_with_a_reason(people: People, desk: Desk, stop, services: Services):
    stop(Credentials("refused", exchange=None))
    reviewer = people.signed_in("reviewer")

    silent = reviewer.follow(reviewer.post(f"{PAGE}/{desk.lane}/resume", reason=""))
    resumed = reviewer.follow(reviewer.post(f"{PAGE}/{desk.lane}/resume", reason="the key was renewed"))

    assert "Reason is missing" in text_of(silent) and "Stopped" in text_of(silent)
    assert "The lane is open again" in text_of(resumed) and "Calls go through" in text_of(resumed)
    with services.reading() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "lane.resume")).one()
    assert (entry.subject_id, entry.reason) == (desk.lane, "the key was renewed")


def test_a_slowed_lane_needs_nobody(people: People, desk: Desk, services: Services):
    with services.engine.begin() as db:
        slow = breaker.LaneReport(throttled=breaker.HOLDS_TO_SLOW, retry_after=60.0)
        breaker.record_report(db, desk.lane, slow, desk.now)

    shown = text_of(people.signed_in("clerk").get(PAGE))

    assert "Slowed down until" in shown and "Nothing has to be done" in shown


@pytest.mark.parametrize(("role", "code"), [("clerk", 403), ("developer", 403), ("reviewer", 404), ("admin", 404)])
def test_who_may_resume(people: People, role: str, code: int):
    assert people.signed_in(role).post(f"{PAGE}/lane_0/resume", reason="x").status_code == code


def test_a_desk_without_lanes_says_so_in_both_languages(people: People):
    assert "No lane was used yet" in text_of(people.signed_in("clerk").get(PAGE))
    assert "还没有使用过通道" in text_of(people.signed_in("clerk", language="zh_CN").get(PAGE))


def test_whoever_has_some_merchants_does_not_resume_what_carries_the_calls_of_all(people: People, desk: Desk):
    desk.stop_lane("401")
    some = people.signed_in("reviewer", ["M100"])

    shown = some.get(PAGE)
    refused = some.post(f"{PAGE}/{desk.lane}/resume", reason="mine is urgent")

    assert f"{desk.lane}/resume" not in shown.text
    assert refused.status_code == 403
    assert "Stopped" in text_of(some.get(PAGE))
