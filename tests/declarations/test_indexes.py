"""Lists are read from an index in its order: what is rare is found without going through all there is."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.event import listen

from customs.auth.principal import Caller, operator
from customs.declarations.reading.queries import Filters, list_declarations
from tests import make
from tests.product import Desk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """PostgreSQL reads a small table whole; the benchmark sees what it does with a large one."""
    return sqlite_url


INDEXES = {
    "needs review": ({"needs_review": True}, None, "ix_declarations_review"),
    "needs review of a merchant": ({"needs_review": True}, make.caller("M1"), "ix_declarations_review_merchant_no"),
    "a state": ({"state": "FAIL"}, None, "ix_declarations_state_created_at_id"),
    "an office": ({"office": "SHANGHAI"}, None, "ix_declarations_office_created_at_id"),
    "a merchant": ({}, make.caller("M1"), "ix_declarations_merchant_no_created_at_id"),
    "a day": ({"since": make.NOON, "until": make.NOON + timedelta(days=1)}, None, "ix_declarations_created_at_id"),
}


@pytest.mark.parametrize(("filters", "caller", "index"), INDEXES.values(), ids=INDEXES)
def test_a_list_is_read_from_an_index_in_its_order(
    desk: Desk, filters: dict[str, Any], caller: Caller | None, index: str
):
    desk.take_in(make.declaration_row(merchant_no="M1", office="SHANGHAI"))
    asked: list[tuple[str, object]] = []
    listen(desk.services.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))

    with desk.services.reading() as db:
        list_declarations(db, caller or operator(), Filters(**filters), limit=9, cursor=None)

    ((statement, values),) = (one for one in asked if "FROM declarations" in one[0])
    with desk.services.engine.begin() as db:
        plan = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert [index in line for line in plan] == [True], plan
