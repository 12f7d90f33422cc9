"""Reading the audit trail: newest first, narrowed by filters, and never another merchant's."""

from datetime import timedelta
from typing import Any

import pytest

from customs.audit.queries import AuditFilters, entries
from customs.auth.principal import Caller, Scope, operator
from tests import make
from tests.audit.trails import Trail, numbered_event

AN_HOUR = timedelta(hours=1)


def reader(*merchants: str, caller_id: str = "per_reader") -> Caller:
    return Caller(caller_id, "a reader", frozenset(Scope), frozenset(merchants))


def numbers(trail: Trail, by: Caller | None = None, limit: int = 50, **filters: Any) -> list[int]:
    """Those of every page, in the order of the pages."""
    found: list[int] = []
    cursor = 0
    while True:
        with trail.services.reading() as db:
            page = entries(db, by or operator(), AuditFilters(**filters), limit=limit, cursor=cursor)
        found += [entry.number for entry in page.rows]
        assert len(page.rows) <= limit
        if page.next_cursor is None:
            return found
        cursor = int(page.next_cursor)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 50])
def test_the_newest_come_first_and_pages_follow_one_another(trail: Trail, limit: int):
    trail.fill(7)

    assert numbers(trail, limit=limit) == [7, 6, 5, 4, 3, 2, 1]


def test_entries_of_one_moment_are_each_on_one_page(trail: Trail):
    trail.fill_at_once(7)

    assert numbers(trail, limit=2) == [7, 6, 5, 4, 3, 2, 1]


def test_an_entry_that_was_written_late_stands_where_its_time_is(trail: Trail):
    trail.write(numbered_event(1), at=make.NOON)
    trail.write(numbered_event(2), at=make.NOON + 2 * AN_HOUR)
    trail.write(numbered_event(3), at=make.NOON + AN_HOUR)

    assert numbers(trail, limit=1) == [2, 3, 1]
    assert numbers(trail, until=make.NOON + 2 * AN_HOUR) == [3, 1]


def test_an_empty_trail_is_one_empty_page(trail: Trail):
    assert numbers(trail) == []


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({"actor_id": "per_1"}, [7, 4, 1]),
        ({"action": "declaration.modify"}, [7, 5, 3, 1]),
        ({"subject_id": "decl_5"}, [5]),
        ({"merchant_no": "M200"}, [7, 4, 1]),
        ({"actor_id": "per_1", "action": "declaration.modify"}, [7, 1]),
        ({"action": "nothing"}, []),
        ({"since": make.NOON + timedelta(minutes=6)}, [7, 6]),
        ({"until": make.NOON + timedelta(minutes=3)}, [2, 1]),
        ({"since": make.NOON + timedelta(minutes=3), "until": make.NOON + timedelta(minutes=6)}, [5, 4, 3]),
        ({"merchant_no": "M200", "until": make.NOON + timedelta(minutes=7)}, [4, 1]),
    ],
)
@pytest.mark.parametrize("limit", [1, 50])
def test_filters_narrow_what_is_listed(trail: Trail, filters: dict[str, Any], wanted: list[int], limit: int):
    trail.fill(7)

    assert numbers(trail, limit=limit, **filters) == wanted


# Who sees what: of the entries 1 to 7, 3 and 6 are of M100, 1, 4 and 7 of M200, 2 and 5 of no one merchant.


@pytest.mark.parametrize("limit", [1, 2, 50])
@pytest.mark.parametrize(
    ("by", "wanted"),
    [
        (reader("M100"), [6, 3]),
        (reader("M100", "M200"), [7, 6, 4, 3, 1]),
        (reader("M300"), []),
        (reader("M100", caller_id="per_1"), [7, 6, 4, 3, 1]),
        (reader("M100", caller_id="per_0"), [6, 3]),
        (reader(caller_id="per_2"), [5, 2]),
    ],
)
def test_whoever_has_some_merchants_sees_those_and_their_own_entries(
    trail: Trail, by: Caller, wanted: list[int], limit: int
):
    trail.fill(7)

    assert numbers(trail, by, limit=limit) == wanted


def test_filters_show_nobody_more_than_they_may_see(trail: Trail):
    trail.fill(7)

    assert numbers(trail, reader("M100"), merchant_no="M200") == []
    assert numbers(trail, reader("M100"), actor_id="per_0") == [6, 3]
    assert numbers(trail, reader("M100", caller_id="per_1"), action="declaration.modify") == [7, 3, 1]
