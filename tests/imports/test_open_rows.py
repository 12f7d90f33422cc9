"""What submitting a draft leaves behind stays with the batch, and what was submitted before is shown as such."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from customs.container import Services
from customs.db import database
from customs.declarations.models import Batch
from customs.declarations.open_rows import discard_rows, discardings_of, open_rows_of
from customs.declarations.reading.queries import progress_of
from customs.errors import ActionNotAllowed, NotFound, ValidationFailed
from customs.imports import drafts
from customs.imports.drafts import draft_of
from tests.imports.clerk import Clerk, order_row, split_rows
from tests.imports.spreadsheets import csv_text
from workers import clock


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clerk(services: Services) -> Clerk:
    return Clerk(services)


def test_a_draft_lives_as_long_as_a_batch_has_open_rows_in_it(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), order_row(office="x"))
    batch_id = clerk.submit(draft).batch.id
    with clerk.services.transaction() as db:
        draft_of(db, draft.id, clerk.caller).updated_at = database.now(db) - timedelta(days=70)

    clock.tick(clerk.services)
    kept = clerk.again(draft)
    with clerk.services.transaction() as db:
        now = database.now(db)
        discard_rows(db, batch_id, None, clerk.caller, "cancelled", clerk.services.audit, now)
    clock.tick(clerk.services)

    assert kept.row_count == 1
    with pytest.raises(NotFound):
        clerk.again(draft)


def test_a_draft_with_rows_of_a_batch_is_discarded_for_a_reason_and_the_batch_says_so(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), *split_rows(2, office="x"))
    batch_id = clerk.submit(draft).batch.id

    def discard(why: str | None) -> None:
        with clerk.services.transaction() as db:
            drafts.discard(db, draft.id, clerk.caller, clerk.services.audit, why)

    with pytest.raises(ValidationFailed):
        discard(None)
    discard("cancelled by the shop")

    with clerk.services.reading() as db:
        (done,) = discardings_of(db, batch_id, 10)
        assert (done.rows, done.by, done.why) == (2, clerk.caller.name, "cancelled by the shop")
        assert progress_of(db, batch_id).open_rows == 0


def test_a_row_deleted_from_its_draft_is_discarded(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), order_row(office="x"), order_row(office="x"))
    batch_id = clerk.submit(draft).batch.id

    left = clerk.edit(clerk.again(draft), "delete_rows", {3}, clerk.services.audit)
    clerk.submit(clerk.change(left, 4, "office", "深圳"))

    with clerk.services.reading() as db:
        assert [(done.rows, done.why) for done in discardings_of(db, batch_id, 10)] == [(1, None)]
        assert (progress_of(db, batch_id).open_rows, progress_of(db, batch_id).total) == (0, 2)


def test_what_was_submitted_before_makes_no_batch_of_nothing(clerk: Clerk):
    rows = order_row(), order_row()
    first = clerk.submit(clerk.upload_rows(*rows, filename="monday.csv"))
    again = clerk.upload_rows(*rows, filename="monday.csv")

    seen = clerk.look_at(again)

    assert (seen.may_submit, seen.has_nothing_new, seen.rows_to_submit) == (False, True, 0)
    assert [(one.count, one.batch.id if one.batch else None) for one in seen.earlier] == [(2, first.batch.id)]
    with pytest.raises(ActionNotAllowed) as refused:
        clerk.submit(again)
    assert refused.value.errors[0].code == "nothing_new"
    with clerk.services.reading() as db:
        assert db.scalar(select(func.count()).select_from(Batch)) == 1
    assert clerk.again(again).row_count == 2


def test_of_rows_submitted_before_only_the_new_ones_are_offered(clerk: Clerk):
    row = order_row()
    clerk.submit(clerk.upload_rows(row))

    seen = clerk.look_at(clerk.upload_rows(row, order_row()))

    assert (seen.may_submit, seen.rows_to_submit, seen.totals.replayed) == (True, 1, 1)


def test_a_file_of_corrected_rows_completes_the_batch_that_another_draft_left_open(clerk: Clerk):
    corrected = order_row()
    first = clerk.upload_rows(order_row(), corrected | {"office": "x"}, order_row(office="y"))
    batch_id = clerk.submit(first).batch.id

    clerk.submit(clerk.upload(csv_text(corrected).encode(), "mended.csv", batch_id))

    with clerk.services.reading() as db:
        assert (progress_of(db, batch_id).total, progress_of(db, batch_id).open_rows) == (2, 1)
    # What is wrong with the row that is still open is still shown.
    assert clerk.findings_of_batch(batch_id) == [("office_unknown", 4)]
    # Nor does the other draft bring the corrected one again.
    assert shown(clerk, first) == [4]


def test_a_row_that_somebody_discarded_leaves_its_draft_and_is_not_submitted_any_more(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), order_row(office="x"), order_row(office="y"))
    batch_id = clerk.submit(draft).batch.id
    corrected = clerk.change(clerk.again(draft), 3, "office", "深圳")
    with clerk.services.transaction() as db:
        unwanted = {row.id for row in open_rows_of(db, batch_id, 10) if row.row == 3}
        discard_rows(db, batch_id, unwanted, clerk.caller, "cancelled", clerk.services.audit, database.now(db))

    with pytest.raises(ActionNotAllowed):
        clerk.submit(corrected)
    assert shown(clerk, draft) == [4]
    with clerk.services.reading() as db:
        (mine,) = drafts.drafts_of(db, clerk.caller)
        assert (mine.rows, progress_of(db, batch_id).total, progress_of(db, batch_id).open_rows) == (1, 1, 1)


def shown(clerk: Clerk, draft: drafts.Draft) -> list[int]:
    """The rows that a draft still shows, by their numbers in the file."""
    return [row for row, _ in clerk.look_at(clerk.again(draft)).lines]
