"""Lists, details and counts: what the caller may see, page by page, and where a batch stands."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from customs.auth.principal import operator
from customs.declarations.models import Declaration
from customs.declarations.reading import queries
from customs.declarations.reading.queries import BatchState, Filters
from customs.declarations.states import State
from customs.errors import NotFound, ValidationFailed
from tests import make
from tests.product import Desk

STRANGER = make.caller("M999")


def listed(desk: Desk, caller=None, **filters) -> list[str]:
    with desk.services.reading() as db:
        page = queries.list_declarations(db, caller or operator(), Filters(**filters), limit=200, cursor=None)
        return [row.id for row in page.rows]


def numbered(desk: Desk, number: str, caller=None) -> list[str]:
    with desk.services.reading() as db:
        return [row.id for row in queries.declarations_numbered(db, number, caller or operator())]


def progress(desk: Desk, batch_id: str):
    with desk.services.reading() as db:
        return queries.progress_of(db, batch_id)


def test_pages_follow_each_other_newest_first_and_lose_nothing(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(7)))
    pages, cursor = [], None
    with desk.services.reading() as db:
        while not pages or cursor:
            page = queries.list_declarations(db, operator(), Filters(), limit=3, cursor=cursor)
            pages.append([row.id for row in page.rows])
            cursor = page.next_cursor

    ids = [one for page in pages for one in page]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert ids == sorted(set(ids), reverse=True)


def test_a_page_that_is_just_full_is_the_last(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(3)))

    with desk.services.reading() as db:
        assert queries.list_declarations(db, operator(), Filters(), limit=3, cursor=None).next_cursor is None


def test_rows_that_come_between_two_pages_do_not_shift_the_second(desk: Desk):
    desk.take_in(*(make.declaration_row() for _ in range(4)))
    with desk.services.reading() as db:
        first = queries.list_declarations(db, operator(), Filters(), limit=2, cursor=None)
    desk.declare()

    with desk.services.reading() as db:
        second = queries.list_declarations(db, operator(), Filters(), limit=2, cursor=first.next_cursor)

    assert not {row.id for row in first.rows} & {row.id for row in second.rows}
    assert second.next_cursor is None


def test_each_filter_narrows_to_what_it_says(desk: Desk):
    part = make.sub_order_row()
    wanted = make.declaration_row("alipay", office="SHANGHAI", sub_orders=[part])
    batch = desk.take_in(wanted)
    (found,) = listed(desk)
    desk.take_in(make.declaration_row(), make.declaration_row())
    desk.work(lambda task: make.reply("FAIL" if task.declaration_id == found else "SUCCESS", desk.now))

    for name, value in {
        "batch_id": batch.id,
        "state": "FAIL",
        "channel": "alipay",
        "office": "SHANGHAI",
        "out_order_no": wanted["out_order_no"],
        "payment_no": wanted["payment_no"],
        "sub_order_no": part["sub_order_no"],
        "needs_review": True,
        "states": ("FAIL", "EXCEPT"),
    }.items():
        assert listed(desk, **{name: value}) == [found], name
    assert len(listed(desk, needs_review=False)) == 2
    assert listed(desk, state="FAIL", channel="wechatpay") == []


def test_since_is_within_and_until_is_not(desk: Desk):
    declaration_id = desk.declare()
    at = desk.declaration(declaration_id).created_at

    assert listed(desk, since=at) == [declaration_id]
    assert listed(desk, until=at) == []
    assert listed(desk, since=at, until=at + timedelta(microseconds=1)) == [declaration_id]


@pytest.mark.parametrize("hours", [-8, 8], ids=["behind the database", "ahead of the database"])
def test_a_host_whose_clock_is_off_loses_no_row_of_a_day(desk: Desk, hours: int):
    declaration_id = desk.declare()
    at = desk.declaration(declaration_id).created_at - timedelta(hours=hours)
    with desk.services.transaction() as db:
        db.execute(update(Declaration).values(created_at=at))

    assert listed(desk, since=at, until=at + timedelta(microseconds=1)) == [declaration_id]
    assert listed(desk, since=at + timedelta(microseconds=1)) == listed(desk, until=at) == []


def test_lists_follow_the_stored_times_whatever_alphabet_made_the_ids(desk: Desk):
    """Oldest first: ids in base 32, as the first version made them, between those of clocks ahead and behind."""
    ids = ["decl_01KDB3WZ7Q", "decl_1fff", "decl_01KDB3WZ7P", "decl_0aaa", "decl_01kdb3wz7r"]
    desk.take_in(*(make.declaration_row() for _ in ids))
    at = desk.declaration(listed(desk)[0]).created_at
    with desk.services.transaction() as db:
        for minute, (old, new) in enumerate(zip(listed(desk), ids, strict=True)):
            moment = at + timedelta(minutes=minute)
            db.execute(update(Declaration).where(Declaration.id == old).values(id=new, created_at=moment))
    pages, cursor = [], None
    while not pages or cursor:
        with desk.services.reading() as db:
            page = queries.list_declarations(db, operator(), Filters(), limit=2, cursor=cursor)
        pages += [row.id for row in page.rows]
        cursor = page.next_cursor

    assert pages == ids[::-1]
    assert listed(desk, until=at + timedelta(minutes=2)) == ids[1::-1]
    assert listed(desk, since=at + timedelta(minutes=2)) == ids[:1:-1]


@pytest.mark.parametrize("cursor", ["", "decl_1", "x.decl_1", "1.2.decl_1", f"{'f' * 40}.decl_1"])
def test_a_cursor_of_no_page_is_refused_by_its_name(desk: Desk, cursor: str):
    with desk.services.reading() as db, pytest.raises(ValidationFailed) as refused:
        queries.list_declarations(db, operator(), Filters(), limit=3, cursor=cursor)

    assert [error.pointer for error in refused.value.errors] == ["?cursor"]


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_any_time_may_bound_a_list(desk: Desk, year: int):
    declaration_id, moment = desk.declare(), datetime(year, 12, 31, tzinfo=UTC)

    assert listed(desk, since=moment) == ([declaration_id] if year < 2000 else [])
    assert listed(desk, until=moment) == ([declaration_id] if year > 2000 else [])


def test_a_list_of_what_never_came_reads_no_declarations(desk: Desk):
    desk.declare(merchant_no="M1", office="SHANGHAI")

    for filters in ({"office": "NINGBO"}, {"channel": "alipay"}, {"merchant_no": "M2"}):
        assert listed(desk, **filters) == []
    assert len(listed(desk, make.caller("M1"), office="SHANGHAI", channel="wechatpay", merchant_no="M1")) == 1


def test_a_declaration_is_found_by_each_of_its_numbers(desk: Desk):
    row = make.declaration_row(parts=2)
    desk.take_in(row)
    (found,) = listed(desk)

    parts = [part["sub_order_no"] for part in row["sub_orders"]]
    for number in (found, row["out_order_no"], row["payment_no"], *parts):
        assert numbered(desk, number) == [found]
        assert numbered(desk, number, STRANGER) == []
    assert numbered(desk, "nothing") == []


def test_what_is_another_merchants_is_not_found(desk: Desk):
    declaration_id = desk.declare()
    batch_id = desk.declaration(declaration_id).batch_id

    with desk.services.reading() as db:
        with pytest.raises(NotFound):
            queries.declaration_of(db, declaration_id, STRANGER)
        with pytest.raises(NotFound):
            queries.batch_of(db, batch_id, STRANGER)
        batches = queries.list_batches(db, STRANGER, limit=9, cursor=None, since=None, until=None)
    assert (batches.rows, listed(desk, STRANGER)) == ([], [])


def test_a_replay_counts_in_the_new_batch_too(desk: Desk):
    row = make.declaration_row()
    first = desk.take_in(row)

    second = desk.take_in(row, make.declaration_row())

    assert (progress(desk, first.id).total, progress(desk, second.id).total) == (1, 2)
    assert len(listed(desk, batch_id=second.id)) == 2


ENDS = {
    "all SUCCESS": (["SUCCESS", "SUCCESS"], BatchState.DONE),
    "one still asked for": (["SUCCESS", "PROCESSING"], BatchState.RUNNING),
    "one FAIL, one still asked for": (["FAIL", "PROCESSING"], BatchState.RUNNING),
    "one FAIL": (["SUCCESS", "FAIL"], BatchState.ATTENTION),
    "one EXCEPT": (["SUCCESS", "EXCEPT"], BatchState.ATTENTION),
    "an unknown word": (["SUCCESS", "BLUE"], BatchState.ATTENTION),
}


@pytest.mark.parametrize(("ends", "state"), ENDS.values(), ids=ENDS)
def test_a_batch_stands_where_its_declarations_do(desk: Desk, ends: list[str], state: BatchState):
    batch = desk.take_in(*(make.declaration_row() for _ in ends))
    answers = iter(ends)

    desk.work(lambda _: make.reply(next(answers), desk.now))

    assert progress(desk, batch.id).state is state


def test_a_buyer_who_is_not_the_payer_needs_attention_although_all_is_success(desk: Desk):
    batch = desk.take_in(make.declaration_row(buyer=make.buyer_row()))
    desk.work(lambda _: make.reply("SUCCESS", desk.now, cert_check_result="DIFFERENT"))

    counted = progress(desk, batch.id)

    assert (counted.state, counted.needs_review, counted.states[State.SUCCESS]) == (BatchState.ATTENTION, 1, 1)


def test_what_was_cancelled_is_counted_apart_and_holds_nothing_up(desk: Desk):
    batch = desk.take_in(make.declaration_row(), make.declaration_row())
    desk.decide("cancel", listed(desk)[0])
    desk.work(lambda _: make.reply("SUCCESS", desk.now))

    counted = progress(desk, batch.id)

    assert (counted.total, counted.cancelled, counted.states[State.SUCCESS]) == (2, 1, 1)
    assert counted.states[State.UNDECLARED] == 0
    assert counted.state is BatchState.DONE
