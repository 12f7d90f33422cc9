"""Signs of life: who runs is on record, who does not is missed, by the doctor, the light and a metric."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from customs.container import Services
from customs.db import database
from customs.jobs.process_registry import (
    BEAT_EVERY_SECONDS,
    SEEN_WITHIN,
    Heartbeat,
    Kind,
    Process,
    StaffingStatus,
    staffing_status,
)
from customs.ops import doctor
from tests.application import application
from tests.web.visiting import People


@pytest.fixture
def database_url(either_database: str) -> str:
    """Written in each one's own words."""
    return either_database


@pytest.fixture
def heartbeats(services: Services) -> dict[Kind, Heartbeat]:
    """One process of each kind, which has just said that it runs."""
    made = {kind: Heartbeat(services.engine, kind) for kind in Kind}
    for heartbeat in made.values():
        heartbeat.beat()
    return made


def verdicts(services: Services) -> dict[str, str]:
    return {one.part: one.verdict for one in doctor.run_checks(services, thoroughly=False)}


def seen(services: Services, kind: Kind, ago: timedelta) -> None:
    """Let a kind of process have its last heartbeat so long ago."""
    with services.transaction() as db:
        db.execute(update(Process).where(Process.kind == kind).values(seen_at=database.now(db) - ago))


def staffing(services: Services) -> StaffingStatus:
    with services.reading() as db:
        return staffing_status(db, database.now(db))


def test_a_desk_that_was_never_started_misses_nobody(services: Services):
    assert verdicts(services)["processes"] == "note"
    assert staffing(services) is StaffingStatus.GOOD


def test_where_all_run_all_is_well(services: Services, heartbeats):
    found = verdicts(services)

    assert (found["clock"], found["workers"]) == ("ok", "ok")
    assert staffing(services) is StaffingStatus.GOOD


@pytest.mark.parametrize(("kind", "part"), [(Kind.CLOCK, "clock"), (Kind.WORKER, "workers")])
@pytest.mark.parametrize("ago", [timedelta(minutes=1), timedelta(hours=-8)], ids=["a minute ago", "by a clock ahead"])
def test_a_kind_that_was_not_seen_for_a_minute_is_missed(
    services: Services, heartbeats, kind: Kind, part: str, ago: timedelta
):
    seen(services, kind, ago)

    scraped = application(services).test_client().get("/metrics").text
    assert verdicts(services)[part] == "wrong"
    assert staffing(services) is StaffingStatus.MISSING
    assert f'customs_processes{{kind="{kind}"}} 0.0' in scraped


def test_a_process_that_ends_properly_is_not_missing(services: Services, heartbeats):
    heartbeats[Kind.CLOCK].stop()

    assert verdicts(services)["clock"] == "wrong"


def test_a_process_says_what_it_does_without_and_when_that_is_over(services: Services, heartbeats):
    heartbeat = heartbeats[Kind.WORKER]
    heartbeat.trouble = "the queue does not work: OutOfMemoryError"
    heartbeat.beat()
    during = staffing(services), [one.finding for one in doctor.run_checks(services, thoroughly=False)]

    heartbeat.trouble = None
    heartbeat.beat()

    assert during[0] is StaffingStatus.TROUBLED
    assert any("OutOfMemoryError" in one for one in during[1])
    assert staffing(services) is StaffingStatus.GOOD


def test_the_light_says_who_is_missing(services: Services, heartbeats):
    heartbeats[Kind.CLOCK].stop()

    page = People(services).signed_in("clerk", language="en").get("/admin/queue")

    assert "No worker or no clock runs" in page.text


def test_the_dead_are_forgotten_after_a_day(services: Services, heartbeats):
    seen(services, Kind.WORKER, timedelta(days=2))

    heartbeats[Kind.CLOCK].beat()

    with services.reading() as db:
        assert {process.kind for process in db.query(Process)} == {Kind.CLOCK, Kind.WEB}


def test_who_leaves_signs_in_time_is_never_missed():
    assert timedelta(seconds=3 * BEAT_EVERY_SECONDS) < SEEN_WITHIN < timedelta(minutes=1)


def test_a_database_that_is_away_stops_nobody(services: Services, heartbeats):
    services.engine.dispose()
    away = Heartbeat(database.connect("sqlite:////nowhere/at/all.db"), Kind.WORKER)

    away.beat()
    away.stop()
