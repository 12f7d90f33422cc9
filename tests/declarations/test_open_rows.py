"""Open rows: a batch counts all rows of its file, and is done when each was submitted or discarded by somebody."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from customs.audit.models import AuditEntry
from customs.auth.principal import Caller, operator
from customs.db import database
from customs.declarations.models import Batch, OpenRow
from customs.declarations.open_rows import discard_rows, discardings_of, open_rows_of, order_no_shown
from customs.declarations.reading.queries import BatchState, Progress, progress_of
from customs.errors import NotFound, ValidationFailed
from tests import make
from tests.product import Desk

FAULTY = {"office": "ATLANTIS"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def take_in(desk: Desk, *rows: Any, caller: Caller | None = None) -> Batch:
    """One good row beside these, so that the batch is taken."""
    return desk.take_in(make.declaration_row(), *rows, on_error="accept_valid", caller=caller)


def status(desk: Desk, batch: Batch) -> Progress:
    with desk.services.reading() as db:
        return progress_of(db, batch.id)


def left_in(desk: Desk, batch: Batch) -> Sequence[OpenRow]:
    with desk.services.reading() as db:
        return open_rows_of(db, batch.id, 100)


def discard(desk: Desk, batch: Batch, ids: Sequence[int] | None = None, by: Caller | None = None) -> int:
    with desk.services.transaction() as db:
        parts = desk.services.audit, database.now(db)
        return discard_rows(db, batch.id, ids, by or operator(), "订单已取消", *parts)


def succeed(desk: Desk) -> None:
    desk.work(lambda _: make.reply("SUCCESS", desk.now))


def test_a_batch_with_an_open_row_runs_and_then_needs_attention(desk: Desk):
    batch = take_in(desk, make.declaration_row(**FAULTY))

    running = status(desk, batch)
    succeed(desk)
    ended = status(desk, batch)

    assert (running.state, running.total, running.open_rows) == (BatchState.RUNNING, 1, 1)
    assert (ended.state, ended.total, ended.open_rows) == (BatchState.ATTENTION, 1, 1)


def test_a_batch_is_done_when_its_last_open_row_is_discarded_on_the_record(desk: Desk):
    batch = take_in(desk, make.declaration_row(**FAULTY), make.declaration_row(**FAULTY))
    succeed(desk)
    first, second = left_in(desk, batch)

    one = discard(desk, batch, [first.id])
    between = status(desk, batch).state
    rest = discard(desk, batch)

    assert (one, rest, between, status(desk, batch).state) == (1, 1, BatchState.ATTENTION, BatchState.DONE)
    with desk.services.reading() as db:
        assert {(done.rows, done.by, done.why) for done in discardings_of(db, batch.id, 10)} == {
            (1, "operator", "订单已取消")
        }
        entries = db.scalars(select(AuditEntry).where(AuditEntry.action == "batch.discard_rows")).all()
    assert [(entry.subject_id, entry.reason, entry.detail) for entry in entries] == [
        (batch.id, "订单已取消", {"rows": "1"})
    ] * 2
    assert second.id != first.id


def test_what_is_not_open_any_more_is_not_discarded_again(desk: Desk):
    batch = take_in(desk, make.declaration_row(**FAULTY))
    discard(desk, batch)

    with pytest.raises(ValidationFailed):
        discard(desk, batch)


def test_nobody_discards_rows_of_a_batch_they_do_not_see(desk: Desk):
    batch = take_in(desk, make.declaration_row(**FAULTY))

    with pytest.raises(NotFound):
        discard(desk, batch, by=make.caller("M999"))


def test_an_order_that_is_submitted_with_another_batch_is_open_no_more(desk: Desk):
    mended = make.declaration_row()
    batch = take_in(desk, mended | FAULTY)
    succeed(desk)

    desk.take_in(mended)

    assert (status(desk, batch).open_rows, status(desk, batch).state) == (0, BatchState.DONE)


def test_an_order_of_which_the_number_was_faulty_is_known_by_its_payment(desk: Desk):
    mended = make.declaration_row()
    batch = take_in(desk, mended | {"out_order_no": "not a number!"})

    desk.take_in(mended)

    assert status(desk, batch).open_rows == 0


@pytest.mark.parametrize("other", [{"office": "NINGBO"}, {"merchant_no": "M200"}, {"channel": "alipay"}])
def test_another_declaration_of_the_same_number_does_not_stand_for_it(desk: Desk, other: dict[str, str]):
    faulty = make.declaration_row(duty="x")
    batch = take_in(desk, faulty)
    good = make.declaration_row(other.get("channel", "wechatpay"), out_order_no=faulty["out_order_no"])

    desk.take_in(good | other)

    assert status(desk, batch).open_rows == 1


def test_a_row_is_named_to_those_who_may_touch_its_merchant(desk: Desk):
    both, one = make.caller("M100", "M200"), make.caller("M100")
    faulty = make.declaration_row(merchant_no="M200", duty="x")
    batch = take_in(desk, faulty, caller=both)

    (row,) = left_in(desk, batch)

    assert order_no_shown(row, both) == order_no_shown(row, make.caller("M200")) == faulty["out_order_no"]
    assert order_no_shown(row, Caller("somebody", "else", one.scopes, one.merchants)) == ""


@pytest.mark.parametrize("mixed_up", ["李雷", "11010519491231002X", 5, None, ["x"]])
def test_nothing_personal_is_kept_of_a_row_whose_columns_are_mixed_up(desk: Desk, mixed_up: Any):
    batch = take_in(desk, make.declaration_row(out_order_no=mixed_up, payment_no=mixed_up, **FAULTY), mixed_up)

    assert {(row.out_order_no, row.payment_no) for row in left_in(desk, batch)} == {("", "")}
    assert status(desk, batch).open_rows == 2


def test_a_batch_whose_declarations_were_cancelled_is_done(desk: Desk):
    declaration_id = desk.declare()
    desk.decide("cancel", declaration_id)

    with desk.services.reading() as db:
        assert progress_of(db, desk.declaration(declaration_id).batch_id).state is BatchState.DONE


def test_an_unnamed_batch_is_called_by_its_time_in_shanghai(desk: Desk):
    batch = desk.take_in(make.declaration_row())

    assert batch.name == f"{batch.created_at + timedelta(hours=8):%Y-%m-%d %H:%M}"
