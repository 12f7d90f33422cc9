"""The page of the queue's health, and the way into administration."""

import re
from datetime import timedelta

import pytest
from flask_babel import lazy_gettext
from sqlalchemy import update

from customs.container import Services
from customs.declarations.models import Push
from customs.ops.backlog import backlogs
from customs.ops.health_checks import CheckResult
from customs.stats.call_counters import Counts
from customs.web.template_filters import code_marks
from tests.product import Desk
from tests.web.visiting import People, text_of

PAGE = "/admin/queue"


@pytest.fixture
def database_url(either_database: str) -> str:
    """Both count alike."""
    return either_database


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


def test_what_waits_is_in_flight_or_has_its_time_later_is_counted_once(desk: Desk, services: Services):
    waiting, leased, later = (desk.push(desk.declare()).id for _ in range(3))
    changes = {
        waiting: {"due_at": desk.now - timedelta(seconds=90)},
        leased: {"due_at": desk.now - timedelta(seconds=200), "lease_until": desk.now + timedelta(seconds=30)},
        later: {"due_at": desk.now + timedelta(hours=1)},
    }
    with services.transaction() as db:
        for push_id, values in changes.items():
            db.execute(update(Push).where(Push.id == push_id).values(values))

    with services.reading() as db:
        counted = backlogs(db, desk.now)

    pushes = counted["pushes"]
    assert (pushes.waiting, pushes.in_flight, pushes.later) == (1, 1, 1)
    assert 89 < pushes.age(desk.now) < 95
    assert [one.waiting for name, one in counted.items() if name != "pushes"] == [0, 0, 0]


def test_the_numbers_renew_themselves_and_redis_may_be_away(people: People, desk: Desk, services: Services):
    desk.declare()
    counter = Counts()
    counter.add("alipay", "SUBMIT", "answered", 40)
    counter.add("alipay", "SUBMIT", "answered", 20)
    with services.engine.begin() as db:
        counter.write(db, 0)
    clerk = people.signed_in("clerk")

    page, numbers = clerk.get(PAGE), clerk.get(f"{PAGE}/numbers")

    for answer in (page, numbers):
        assert 'hx-trigger="every 5s"' in answer.text
        assert "Nothing is lost" in text_of(answer)
        assert "the gateway answered 2 30 ms" in text_of(answer)
    assert "1 wait for a worker" in text_of(numbers)


def test_the_doctor_is_read_in_the_language_of_the_page(people: People):
    english, chinese = (people.signed_in("clerk", language=one).get(f"{PAGE}/findings") for one in ("en", "zh_CN"))

    assert "at the newest version" in text_of(english) and "start it, or customs up" in text_of(english)
    assert "已是最新版本" in text_of(chinese) and "不会丢失任何数据" in text_of(chinese)
    assert "<code>customs up</code>" in english.text


def test_what_is_found_reads_at_a_terminal_too():
    result = CheckResult("backlog", "ok", lazy_gettext("%(count)d due", count=3))

    assert (str(result.finding), result.remedy) == ("3 due", "")


def test_nothing_that_was_found_is_taken_for_markup(people: People):
    with people.app.test_request_context(headers={"Accept-Language": "en"}):
        text = code_marks(lazy_gettext("%(error)s: `run <it>`", error="<b>"))

    assert text == "&lt;b&gt;: <code>run &lt;it&gt;</code>"


@pytest.mark.parametrize("role", ["clerk", "reviewer", "developer"])
def test_administration_opens_at_the_first_page_one_may_see(people: People, role: str):
    visitor = people.signed_in(role)

    opened = visitor.get("/admin")

    assert (opened.status_code, opened.location) == (302, "/admin/registrations")
    assert "/admin/people" not in visitor.get("/admin/registrations").text


def test_administration_opens_at_people_for_an_admin(people: People):
    admin = people.signed_in("admin")

    assert admin.get("/admin").location == "/admin/people"
    assert all(f"/admin/{tab}" in admin.get("/admin/people").text for tab in ("registrations", "offices", "lanes"))


def test_whoever_has_some_merchants_sees_no_totals_of_the_others_and_no_paths(people: People, desk: Desk):
    for _ in range(7):
        desk.declare(merchant_no="M999")
    some = people.signed_in("admin", ["M100"])

    page, findings = some.get(PAGE).text, some.get(f"{PAGE}/findings").text

    assert not re.search(r">\s*7\s*<", page)
    assert "Calls to the gateway so far" not in page
    assert str(desk.services.settings.home) not in findings
    assert re.search(r">\s*7\s*<", people.signed_in("admin").get(PAGE).text)
