"""The workbench and its charts: what they show is what there is, for each caller."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from customs.auth.principal import Caller, operator
from customs.db import database
from customs.declarations.models import Push
from customs.declarations.reading import dashboard
from customs.declarations.reading.dashboard import Backlog, Today
from customs.declarations.statistics import CLEAR
from customs.stats.tallies import TallyKey, apply_deltas, day_of
from tests import make
from tests.product import Desk

OWN = make.caller("M1")
YESTERDAY = timedelta(days=1)


def ask(desk: Desk, question: str, *args: object, caller: Caller | None = None, **options: object):
    with desk.services.reading() as db:
        return getattr(dashboard, question)(db, caller or operator(), *args, **options)


@pytest.fixture
def today(desk: Desk) -> date:
    """A day with one of each kind: at Hangzhou of M1, and one more at Shanghai of M2 that nobody sent."""
    ids = [desk.declare(merchant_no="M1") for _ in range(5)]
    shown = dict(zip(ids, ("SUCCESS", "SUCCESS", "PROCESSING", "SUBMITTED", "FAIL"), strict=True))
    desk.work(lambda task: make.reply(shown[task.declaration_id], desk.now))
    desk.declare("alipay", merchant_no="M2", office="SHANGHAI")
    desk.decide("cancel", desk.declare(merchant_no="M1"))
    return day_of(desk.now)


def test_the_four_numbers_of_a_day(desk: Desk, today: date):
    assert ask(desk, "today", today) == Today(undeclared=1, under_way=3, success=2, needs_review=1)
    assert ask(desk, "today", today, caller=OWN) == Today(undeclared=0, under_way=2, success=2, needs_review=1)


def test_of_another_day_only_what_needs_somebody_is_left(desk: Desk, today: date):
    assert ask(desk, "today", today - YESTERDAY) == Today(0, 0, 0, needs_review=1)


def test_counts_are_those_of_the_filters(desk: Desk, today: date):
    everything = {
        "UNDECLARED": 1,
        "SUBMITTED": 1,
        "PROCESSING": 1,
        "SUCCESS": 2,
        "FAIL": 1,
        "cancelled": 1,
        "needs_review": 1,
    }

    assert ask(desk, "counts_of") == everything
    assert ask(desk, "counts_of", since=today) == ask(desk, "counts_of", until=today) == everything
    assert ask(desk, "counts_of", since=today, until=today) == everything
    assert ask(desk, "counts_of", since=today + YESTERDAY) == ask(desk, "counts_of", until=today - YESTERDAY) == {}
    assert ask(desk, "counts_of", channel="alipay") == ask(desk, "counts_of", office="SHANGHAI") == {"UNDECLARED": 1}
    assert ask(desk, "counts_of", caller=make.caller("M2")) == {"UNDECLARED": 1}


def test_outcomes_are_counted_by_office_and_by_day(desk: Desk, today: date):
    by_office = ask(desk, "outcomes_by_office", today, today)
    by_day = ask(desk, "outcomes_by_day", today - YESTERDAY, today)

    assert by_office["SHANGHAI"] == {"UNDECLARED": 1}
    assert by_office["HANGZHOU"]["SUCCESS"] == 2
    assert by_day.keys() == {today}
    assert by_day[today] == ask(desk, "counts_of")


def test_the_time_to_acceptance_is_that_of_the_days_successes(desk: Desk, today: date):
    key = TallyKey(CLEAR, today - YESTERDAY, "M1", "wechatpay", "HANGZHOU", "64")
    with desk.services.transaction() as db:
        apply_deltas(db, {key: 8, key._replace(subject="NINGBO", word="4096"): 2, key._replace(merchant_no="M2"): 5})

    cleared = ask(desk, "time_to_acceptance", today - YESTERDAY, today, caller=OWN)

    assert {day: one.count for day, one in cleared.items()} == {today - YESTERDAY: 10, today: 2}
    assert cleared[today - YESTERDAY].median.total_seconds() == pytest.approx(64, rel=0.12)
    assert cleared[today - YESTERDAY].ninetieth.total_seconds() == pytest.approx(4096, rel=0.12)


def test_failures_are_counted_by_cause_the_most_frequent_first(desk: Desk, today: date):
    more = [desk.declare(merchant_no="M2") for _ in range(2)]
    desk.work(lambda task: make.reply("FAIL", desk.now, explanation="no payer"))

    found = ask(desk, "failures_by_cause", today, today, limit=9)
    own = ask(desk, "failures_by_cause", today, today, limit=9, caller=OWN)

    assert (found[0][0].explanation, found[0][1]) == ("no payer", len(more))
    assert [(cause.explanation, count) for cause, count in own] == [("", 1)]
    assert len(ask(desk, "failures_by_cause", today, today, limit=1)) == 1
    assert ask(desk, "failures_by_cause", today - YESTERDAY, today - YESTERDAY, limit=9) == []


def test_one_sees_what_one_handed_in_oneself(desk: Desk):
    mine, other = make.caller("M1", "M2"), Caller("key_other", "other", operator().scopes, None)
    batches = [desk.take_in(make.declaration_row(merchant_no=one), caller=mine) for one in ("M1", "M2", "M1")]
    desk.take_in(make.declaration_row(), caller=other)

    assert [batch.id for batch in ask(desk, "my_batches", caller=mine, limit=2)] == [batches[2].id, batches[1].id]
    # Whoever lost a merchant since no longer sees its batches.
    assert [batch.id for batch in ask(desk, "my_batches", caller=OWN, limit=9)] == [batches[2].id, batches[0].id]


def test_the_backlog_is_what_is_due_and_not_leased(desk: Desk):
    desk.take_in(*(make.declaration_row(merchant_no=f"M{number}") for number in range(4)))
    with desk.services.transaction() as db:
        now = database.now(db)
        minute = timedelta(minutes=1)
        for number, columns in enumerate(
            (
                {"due_at": now - minute},
                {"due_at": now - 2 * minute, "fresh": False, "lease_until": now - minute},
                {"due_at": now - 3 * minute, "lease_until": now + minute},
                {"due_at": now + minute},
            )
        ):
            db.execute(update(Push).where(Push.merchant_no == f"M{number}").values(columns))

        assert dashboard.backlog(db) == Backlog(2, False, now - 2 * minute)
        assert dashboard.backlog(db, most=1) == Backlog(1, True, now - 2 * minute)


def test_an_idle_desk_has_no_backlog(desk: Desk):
    with desk.services.reading() as db:
        assert dashboard.backlog(db) == Backlog(0, False, None)
