"""The groups of failures: what each caller sees of a cause, its cases one by one, and who sees to it."""

from datetime import timedelta

import pytest

from customs.auth.models import Person
from customs.auth.principal import Caller, operator
from customs.declarations.cases import CaseKind, cause_of
from customs.declarations.reading import failure_groups
from customs.declarations.reading.failure_groups import NOBODY, Group, GroupFilters
from customs.declarations.statistics import CAUSE, OPENED
from customs.errors import NotFound
from customs.stats.tallies import TallyKey, apply_deltas, day_of
from tests import make
from tests.product import Desk

OWN, THEIRS = make.caller("M1"), make.caller("M2")
UNKNOWN = cause_of("wechatpay", "HANGZHOU_ZS", CaseKind.FAIL, {"explanation": "no order 1"}).id


def fail(desk: Desk, *explanations: str, merchant_no: str = "M1", **changes: object) -> list[str]:
    """Declarations that fail, each with one explanation; returns their ids, the oldest first."""
    ids = [desk.declare(merchant_no=merchant_no, **changes) for _ in explanations]
    shown = dict(zip(ids, explanations, strict=True))
    desk.work(lambda task: make.reply("FAIL", desk.now, explanation=shown[task.declaration_id]))
    return ids


def listed(desk: Desk, caller: Caller | None = None, **filters: str) -> list[Group]:
    with desk.services.reading() as db:
        return list(failure_groups.list_groups(db, caller or operator(), GroupFilters(**filters), limit=50).rows)


def explained(found: list[Group]) -> list[tuple[str, int]]:
    return [(group.cause.explanation, group.open) for group in found]


def members(desk: Desk, cause_id: str = UNKNOWN, caller: Caller | None = None, **page: object) -> list[str]:
    with desk.services.reading() as db:
        found = failure_groups.members(db, caller or operator(), cause_id, **{"limit": 50} | page)
        return [declaration.id for declaration in found.rows]


def following(desk: Desk, after: str, cause_id: str | None = None, caller: Caller | None = None) -> str | None:
    with desk.services.reading() as db:
        return failure_groups.next_case(db, caller or operator(), after, cause_id)


def person(desk: Desk, name: str = "Li", **changes: object) -> str:
    with desk.services.transaction() as db:
        known = {"login": name, "role": "reviewer", "password_hash": "", "must_change_password": False}
        db.add(Person(id=f"person_{name}", name=name, created_at=desk.now, **known | changes))
    return f"person_{name}"


def assign(desk: Desk, person_id: str | None, caller: Caller | None = None, cause_id: str = UNKNOWN) -> None:
    with desk.services.transaction() as db:
        failure_groups.assign(db, caller or operator(), cause_id, person_id)


# The list.


def test_failures_that_are_alike_are_one_group_and_the_largest_comes_first(desk: Desk):
    fail(desk, "no payer", "no order 1", "no order 2")

    assert explained(listed(desk)) == [("no order #", 2), ("no payer", 1)]


def test_each_caller_sees_their_own_cases_only(desk: Desk):
    fail(desk, "no order 1", "no order 2")
    fail(desk, "no order 3", "no payer", merchant_no="M2")

    assert explained(listed(desk, OWN)) == [("no order #", 2)]
    assert sorted(explained(listed(desk, THEIRS))) == [("no order #", 1), ("no payer", 1)]
    assert listed(desk, make.caller("M3")) == []


def test_a_group_without_an_open_case_is_gone_from_the_list_and_still_there(desk: Desk):
    (declared,) = fail(desk, "no order 1")
    desk.decide("dismiss", declared)

    assert listed(desk) == []
    with desk.services.reading() as db:
        group = failure_groups.group_of(db, OWN, UNKNOWN)
        with pytest.raises(NotFound):
            failure_groups.group_of(db, THEIRS, UNKNOWN)
    assert (group.open, group.opened) == (0, 1)


def test_a_group_tells_how_it_went_over_fourteen_days(desk: Desk):
    fail(desk, "no order 1", "no order 2")
    today = day_of(desk.now)
    before = {
        ago: TallyKey(CAUSE, today - timedelta(days=ago), "M1", "wechatpay", UNKNOWN, OPENED) for ago in (4, 13, 14)
    }
    with desk.services.transaction() as db:
        apply_deltas(db, {key: ago for ago, key in before.items()})

    (group,) = listed(desk, OWN)

    assert group.trend == (13, *[0] * 8, 4, 0, 0, 0, 2)


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"channel": "wechatpay"}, 2),
        ({"channel": "alipay"}, 1),
        ({"customs": "HANGZHOU_ZONGSHU"}, 1),
        ({"error": "FAIL"}, 3),
        ({"error": "REFUND"}, 0),
        ({"assignee": "person_Li"}, 1),
        ({"assignee": NOBODY}, 2),
    ],
)
def test_each_filter_narrows_to_what_it_says(desk: Desk, filters: dict[str, str], count: int):
    fail(desk, "no order 1", "no payer")
    fail(desk, "no order 1", channel="alipay")
    assign(desk, person(desk))

    assert len(listed(desk, **filters)) == count


def test_pages_follow_each_other(desk: Desk):
    fail(desk, "no payer", "no order", "no parcel")

    with desk.services.reading() as db:
        first = failure_groups.list_groups(db, operator(), GroupFilters(), limit=2)
        second = failure_groups.list_groups(db, operator(), GroupFilters(), limit=2, cursor=first.next_cursor)

    assert [len(first.rows), len(second.rows), second.next_cursor] == [2, 1, None]
    assert len({group.cause.id for group in (*first.rows, *second.rows)}) == 3


def test_the_number_of_open_cases_is_that_of_the_callers_declarations(desk: Desk):
    fail(desk, "no order 1", "no payer", parts=2)
    (dismissed, _) = fail(desk, "no order 1", "no order 2", merchant_no="M2")
    desk.decide("dismiss", dismissed)

    with desk.services.reading() as db:
        counts = [failure_groups.open_cases(db, one) for one in (operator(), OWN, THEIRS, make.caller("M3"))]

    assert counts == [3, 2, 1, 0]


# The cases of one.


def test_a_declaration_stands_among_the_cases_once_however_many_pushes_failed(desk: Desk):
    ids = fail(desk, "no order 1", "no order 2", parts=3)

    assert members(desk) == sorted(ids, reverse=True)
    assert members(desk, caller=THEIRS) == []


def test_the_cases_come_page_by_page_newest_first(desk: Desk):
    ids = fail(desk, *["no order 1"] * 5)

    with desk.services.reading() as db:
        first = failure_groups.members(db, operator(), UNKNOWN, limit=3)
    second = members(desk, limit=3, cursor=first.next_cursor)

    assert [*(row.id for row in first.rows), *second] == sorted(ids, reverse=True)


def test_after_a_case_comes_the_next_older_and_after_the_oldest_the_newest(desk: Desk):
    oldest, middle, newest = fail(desk, "no order 1", "no payer", "no order 2")

    assert [following(desk, one) for one in (newest, middle, oldest)] == [middle, oldest, newest]
    assert [following(desk, one, UNKNOWN) for one in (newest, oldest)] == [oldest, newest]


def test_after_the_only_case_there_is_none_and_a_case_that_was_closed_leads_on(desk: Desk):
    first, last = fail(desk, "no order 1", "no order 2")
    desk.decide("dismiss", last)

    assert (following(desk, first), following(desk, last)) == (None, first)
    assert following(desk, last, caller=THEIRS) is None


# Who sees to it.


def test_somebody_sees_to_a_cause_until_nobody_does(desk: Desk):
    fail(desk, "no order 1")
    assign(desk, person(desk, "Li"))
    named = listed(desk)[0].assignee

    assign(desk, None)

    assert (named, listed(desk)[0].assignee) == ("Li", None)


def test_nobody_is_given_what_is_another_merchants_and_nothing_is_given_to_who_left(desk: Desk):
    fail(desk, "no order 1")
    who, left = person(desk, "Li"), person(desk, "Wang", disabled_at=desk.now)

    for person_id, caller in ((who, THEIRS), (left, OWN), ("person_unknown", OWN)):
        with pytest.raises(NotFound):
            assign(desk, person_id, caller)
