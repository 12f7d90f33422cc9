"""The workbench and the statistics: the day's numbers as tallies hold them, for the merchants of whoever looks."""

import re

import pytest

from customs.container import Services
from tests import make
from tests.product import Desk
from tests.web.visiting import People, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


def numbers_of(page) -> list[str]:
    """The four numbers of the day: to be declared, under way, accepted, in need of somebody."""
    return re.findall(r"<strong>([\d,]+)</strong>", page.text)


def test_the_four_numbers_are_those_of_today(people: People, desk: Desk):
    desk.end(desk.declare())
    desk.end(desk.declare(), "FAIL")
    desk.declare()

    page = people.signed_in("clerk").get("/")

    assert numbers_of(page) == ["1", "1", "1", "1"]


def test_another_merchants_numbers_are_not_counted(people: People, desk: Desk):
    desk.end(desk.declare(), "FAIL")

    page = people.signed_in("clerk", ["M999"]).get("/")

    assert numbers_of(page) == ["0", "0", "0", "0"]
    assert 'class="count"' not in page.text


def test_an_empty_desk_says_how_to_begin(people: People):
    page = people.signed_in("clerk").get("/")

    assert "The desk is empty" in text_of(page)
    assert "/import/template.xlsx" in page.text


def test_the_live_part_asks_again_only_while_something_goes_on(people: People, desk: Desk):
    clerk = people.signed_in("clerk")
    declaration = desk.declare()
    running = clerk.get("/_partials/today").text

    desk.end(declaration)
    ended = clerk.get("/_partials/today").text

    assert 'hx-trigger="every 2s"' in running
    assert "hx-trigger" not in ended


@pytest.mark.parametrize("days", ["7", "30", "90", "", "-1", "x", "9" * 50])
def test_the_statistics_are_drawn_for_any_span(people: People, desk: Desk, days: str):
    desk.end(desk.declare())
    desk.end(desk.declare(), "FAIL", explanation="registration unknown")

    page = people.signed_in("clerk").get(f"/statistics?days={days}")

    assert page.status_code == 200
    assert "registration unknown" in text_of(page)


def test_a_developer_reads_the_workbench_and_imports_too(people: People):
    assert people.signed_in("developer", [make.MERCHANT]).get("/").status_code == 200


@pytest.mark.parametrize(
    ("earlier", "today"),
    [
        ("/figures?days=30", "/statistics?days=30"),
        ("/today", "/_partials/today"),
        ("/review/lately", "/review/recent"),
        ("/developers/seen/key_01", "/developers/keys/key_01/activity"),
    ],
)
def test_an_earlier_address_leads_to_the_page(people: People, earlier: str, today: str):
    answer = people.stranger().get(earlier)

    assert (answer.status_code, answer.headers["Location"]) == (308, today)
