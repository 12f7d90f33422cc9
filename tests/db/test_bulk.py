"""Thousands of rows at once: the short way to the driver keeps what the statement's own way would keep."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import IntegrityError

from customs.container import Services
from customs.db import database
from customs.db.bulk import in_list, insert_many, update_many
from customs.db.database import lost_a_race, pad_to_power_of_two
from customs.declarations.models import Declaration, Push, SubOrder
from customs.events.timeline import Event
from tests import make
from tests.product import Desk

SUB_ORDERS = database.Base.metadata.tables[SubOrder.__tablename__]
PUSHES = database.Base.metadata.tables[Push.__tablename__]
EVENTS = database.Base.metadata.tables[Event.__tablename__]

within_a_transaction = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
anything_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
awkward = st.sampled_from([r"\N", r"\.", "\\", "'", '"', "a\tb", "a\nb", "%s", ":x", "{}", "null", "", "NULL", "𠮷"])
moments = st.integers(-(10**15), 2 * 10**15).map(lambda microseconds: make.NOON + timedelta(microseconds=microseconds))


@pytest.fixture
def declaration_id(desk: Desk) -> str:
    return desk.declare(parts=1)


@pytest.fixture
def push_id(desk: Desk, declaration_id: str) -> str:
    return desk.push(declaration_id).id


def event_row(**values: Any) -> dict[str, Any]:
    return {
        "merchant_no": make.MERCHANT,
        "declaration_id": make.number("decl_"),
        "push_id": None,
        "at": make.NOON,
        "kind": "call",
        "actor": "gateway",
        "detail": {},
        "request": None,
        "reply": None,
        "duration_ms": None,
    } | values


@within_a_transaction
@given(words=anything_text | awkward, at=moments)
def test_many_rows_are_kept_as_the_statements_own_way_would_keep_them(services: Services, words: str, at: datetime):
    detail = {"message": words, words: "x"}
    rows = [event_row(at=at, actor=words[:100], detail=detail, request={"a": words}, reply=words) for _ in range(2)]

    with services.engine.begin() as db:
        insert_many(db, EVENTS, rows[:1])
        db.execute(EVENTS.insert(), rows[1:])
        ids = [row["declaration_id"] for row in rows]
        columns = [column for column in EVENTS.c if column.name not in ("id", "declaration_id")]
        one, other = db.execute(select(*columns).where(EVENTS.c.declaration_id.in_(ids)).order_by(EVENTS.c.id))
        raw = db.execute(text("SELECT request, reply, push_id FROM events ORDER BY id")).all()

    assert one == other
    assert (one.detail, one.reply, one.at, one.request) == (detail, words, at, {"a": words})
    assert len({str(row) for row in raw[-2:]}) == 1


def test_no_rows_are_no_statement(services: Services):
    with services.engine.begin() as db:
        insert_many(db, EVENTS, [])
        update_many(db, PUSHES, [])


def test_a_row_that_exists_already_is_a_lost_race_and_leaves_nothing(services: Services, declaration_id: str):
    row = make.stored_part(declaration_id, sub_order_no="TWICE")

    with pytest.raises(IntegrityError) as refused, services.engine.begin() as db:
        insert_many(db, SUB_ORDERS, [row, row])

    assert lost_a_race(refused.value)
    with services.engine.begin() as db:
        assert db.scalar(select(func.count()).where(SUB_ORDERS.c.sub_order_no == "TWICE")) == 0


@within_a_transaction
@given(
    words=st.none() | anything_text | awkward,
    at=st.none() | moments,
    flag=st.booleans(),
    number=st.integers(-(2**31), 2**31 - 1),
)
def test_many_updates_write_each_value_as_the_statements_own_way_would(
    services: Services, push_id: str, words: str | None, at: datetime | None, flag: bool, number: int
):
    change = {"explanation": words, "modify_time": at, "accepted": flag, "failed_attempts": number}
    columns = [PUSHES.c[name] for name in change]

    def kept(db: Connection) -> list[Any]:
        typed = db.execute(select(*columns).where(PUSHES.c.id == push_id)).one()
        names = ", ".join(change)
        return [*typed, *db.execute(text(f"SELECT {names} FROM pushes WHERE id = :id"), {"id": push_id}).one()]

    with services.engine.begin() as db:
        update_many(db, PUSHES, [{"id": push_id, **change}])
        own = kept(db)
        db.execute(PUSHES.update().where(PUSHES.c.id == push_id).values(change))
        theirs = kept(db)

    assert own == theirs
    assert own[: len(change)] == list(change.values())


def test_many_updates_touch_only_the_rows_they_name(services: Services, desk: Desk):
    ids = [desk.push(desk.declare()).id for _ in range(5)]

    with services.engine.begin() as db:
        update_many(db, PUSHES, [{"id": ids[1], "failed_attempts": 1}, {"id": ids[3], "failed_attempts": 3}])
        failed_attempts = dict(db.execute(select(PUSHES.c.id, PUSHES.c.failed_attempts)).all())

    assert [failed_attempts[one] for one in ids] == [0, 1, 0, 3, 0]


def test_a_list_of_thousands_is_one_parameter(services: Services, desk: Desk):
    declaration_id = desk.declare()
    wanted = [make.number("P") for _ in range(40_000)] + [desk.declaration(declaration_id).payment_no, 'it\'s "so"']

    with services.reading() as db:
        found = db.scalars(select(Declaration.id).where(in_list(db, Declaration.payment_no, wanted))).all()
        none = db.scalars(select(Declaration.id).where(in_list(db, Declaration.payment_no, []))).all()

    assert (found, none) == ([declaration_id], [])


@pytest.mark.parametrize(("length", "kept"), [(0, 0), (1, 1), (2, 2), (3, 4), (5, 8), (64, 64), (65, 128)])
def test_lists_are_padded_to_few_lengths_with_nothing_new(length: int, kept: int):
    items = list(range(length))

    assert len(pad_to_power_of_two(items)) == kept
    assert set(pad_to_power_of_two(items)) == set(items)
