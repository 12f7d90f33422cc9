"""Submitting a draft: good rows go, faulty ones stay and later join the same batch, and nothing goes twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from customs.audit.models import AuditEntry
from customs.container import Services
from customs.db import database
from customs.declarations.intake.validate import Rejected
from customs.declarations.models import Batch, BatchMerchant, Declaration
from customs.declarations.reading.queries import progress_of, replays_of
from customs.errors import ActionNotAllowed, CustomsError, FileUnreadable, NotFound
from customs.imports.drafts import drafts_of, submitted_as
from tests.imports.clerk import Clerk, order_row, split_rows
from tests.imports.spreadsheets import csv_text


@pytest.fixture
def clerk(services: Services) -> Clerk:
    return Clerk(services)


def count(clerk: Clerk, what: Any) -> int:
    with clerk.services.reading() as db:
        return db.scalar(select(func.count()).select_from(what)) or 0


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(CustomsError) as refused:
        action()
    return refused.value.errors[0].code if refused.value.errors else refused.value.code


def test_good_rows_become_a_batch_and_the_draft_remembers_only_which(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), *split_rows(2), filename="monday.csv")

    taken = clerk.submit(draft)

    with clerk.services.reading() as db:
        assert progress_of(db, taken.batch.id).total == 2
        assert (drafts_of(db, clerk.caller), submitted_as(db, draft.id, clerk.caller)) == ([], taken.batch.id)
    assert (taken.batch.name, taken.batch.sender_id) == ("monday.csv", clerk.caller.id)
    with pytest.raises(NotFound):
        clerk.again(draft)


def test_faulty_rows_stay_and_join_the_batch_once_they_are_corrected(clerk: Clerk):
    rows = [order_row(), order_row(office="ATLANTIS"), *split_rows(2, channel="银联")]
    draft = clerk.upload_rows(*rows)

    first = clerk.submit(draft)

    left = clerk.again(draft)
    assert (left.batch_id, left.row_count, left.revision) == (first.batch.id, 3, 2)
    assert clerk.findings_of_batch(first.batch.id) == [("office_unknown", 3), ("choice", 4)]
    second = clerk.submit(clerk.change(left, 3, "office", "深圳"))
    assert clerk.findings_of_batch(first.batch.id) == [("choice", 4)]
    third = clerk.submit(clerk.change(clerk.again(draft), 4, "channel", "微信"))
    assert clerk.findings_of_batch(first.batch.id) == []
    with clerk.services.reading() as db:
        assert {one.batch.id for one in (first, second, third)} == {first.batch.id}
        assert progress_of(db, first.batch.id).total == 3
        assert submitted_as(db, draft.id, clerk.caller) == first.batch.id
    assert (count(clerk, Batch), count(clerk, Declaration)) == (1, 3)


def test_warnings_about_what_was_taken_stay_with_the_batch(clerk: Clerk):
    warned = order_row(payment_no="1805181632038000000")
    draft = clerk.upload_rows(warned, order_row(office="x", payment_no="1805181632039000000"))

    batch_id = clerk.submit(draft).batch.id
    clerk.submit(clerk.change(clerk.again(draft), 3, "office", "深圳"))

    assert clerk.findings_of_batch(batch_id) == [("digits_doubtful", 2), ("digits_doubtful", 3)]
    with clerk.services.reading() as db:
        pointers = [one["pointer"] for one in db.get_one(Batch, batch_id).findings]
    assert pointers == ["/declarations/0/payment_no", "/declarations/1/payment_no"]


def test_a_merchant_and_a_replay_that_come_later_belong_to_the_batch_once(clerk: Clerk):
    elsewhere = order_row()
    clerk.submit(clerk.upload_rows(elsewhere))
    draft = clerk.upload_rows(order_row(), order_row(office="x"))
    batch_id = clerk.submit(draft).batch.id

    corrected = clerk.upload(
        csv_text(elsewhere, order_row(merchant_no="M200"), order_row()).encode(), "o.csv", batch_id
    )
    clerk.submit(corrected)
    again = clerk.submit(clerk.upload(csv_text(elsewhere, order_row()).encode(), f"{batch_id}.csv"))

    with clerk.services.reading() as db:
        merchants = db.scalars(select(BatchMerchant.merchant_no).where(BatchMerchant.batch_id == batch_id)).all()
        assert (sorted(merchants), len(replays_of(db, batch_id))) == (["M100", "M200"], 1)
        assert (again.batch.id, progress_of(db, batch_id).total) == (batch_id, 5)


def test_rows_that_the_batch_itself_declared_are_no_replays_of_it(clerk: Clerk):
    row = order_row()
    batch_id = clerk.submit(clerk.upload_rows(row, order_row(office="x"))).batch.id

    clerk.submit(clerk.upload(csv_text(row, order_row()).encode(), "orders.csv", batch_id))

    with clerk.services.reading() as db:
        assert (list(replays_of(db, batch_id)), progress_of(db, batch_id).total) == ([], 2)


def test_a_batch_that_can_no_longer_be_seen_is_not_joined(clerk: Clerk, services: Services):
    draft = clerk.upload_rows(order_row(), order_row(office="x"))
    clerk.submit(draft)
    with services.transaction() as db:
        db.add(BatchMerchant(batch_id=clerk.again(draft).batch_id, merchant_no="M999"))
    limited = Clerk(services, replace(clerk.caller, merchants=frozenset({"M100"})))

    with pytest.raises(NotFound):
        limited.submit(limited.change(limited.again(draft), 3, "office", "深圳"))

    assert count(clerk, Declaration) == 1


def test_without_a_good_row_nothing_is_stored_and_nothing_is_lost(clerk: Clerk):
    draft = clerk.upload_rows(order_row(office="x"))

    with pytest.raises(Rejected):
        clerk.submit(draft)

    assert (clerk.again(draft).revision, count(clerk, Batch)) == (1, 0)


def test_a_file_wrong_as_a_whole_is_not_submitted(clerk: Clerk):
    unknown = clerk.upload(csv_text(order_row()).replace("duty", "remark").encode())
    missing = clerk.upload(csv_text(order_row()).replace("payment_no", "number").encode())

    with pytest.raises(Rejected):
        clerk.submit(unknown)
    with pytest.raises(FileUnreadable):
        clerk.submit(missing)

    assert count(clerk, Batch) == 0


def test_submitting_is_on_the_record(clerk: Clerk):
    batch_id = clerk.submit(clerk.upload_rows(order_row())).batch.id

    with clerk.services.reading() as db:
        entry = db.scalars(select(AuditEntry)).one()
    assert (entry.actor_id, entry.subject_id) == (clerk.caller.id, batch_id)


def test_pressed_twice_the_second_is_codes_so_and_does_nothing(clerk: Clerk):
    all_good, partly = clerk.upload_rows(order_row()), clerk.upload_rows(order_row(), order_row(office="x"))
    clerk.submit(all_good)
    clerk.submit(partly)

    codes = [refusal(lambda draft=draft: clerk.submit(draft)) for draft in (all_good, partly)]  # type: ignore[misc]

    assert codes == ["draft_submitted", "draft_changed"]
    assert (count(clerk, Batch), count(clerk, Declaration)) == (2, 2)


@pytest.mark.parametrize("faulty", [0, 1])
def test_of_many_who_press_at_once_one_submits(clerk: Clerk, faulty: int):
    draft = clerk.upload_rows(*(order_row() for _ in range(30)), *(order_row(office="x") for _ in range(faulty)))
    barrier = threading.Barrier(6)

    def press(_: int) -> str:
        barrier.wait()
        try:
            return clerk.submit(draft).batch.id
        except ActionNotAllowed as refused:
            return refused.errors[0].code

    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(press, range(6)))

    assert codes[0].startswith("bat_")
    assert set(codes[1:]) == {"draft_changed" if faulty else "draft_submitted"}
    assert (count(clerk, Batch), count(clerk, Declaration)) == (1, 30)


def test_editing_and_submitting_at_once_lose_nothing(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), order_row(office="x"))
    barrier = threading.Barrier(2)

    def at_once(action: Callable[[], object]) -> bool:
        barrier.wait()
        try:
            action()
        except ActionNotAllowed:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        actions = [lambda: clerk.submit(draft), lambda: clerk.change(draft, 3, "office", "深圳", revision=1)]
        done = list(pool.map(at_once, actions))

    assert sorted(done) == [False, True]
    assert clerk.again(draft).row_count + count(clerk, Declaration) == 2


def test_two_drafts_of_one_batch_at_once_both_join_it(clerk: Clerk):
    batch_id = clerk.submit(clerk.upload_rows(order_row(), order_row(office="x"))).batch.id
    named = f"{batch_id}.csv"
    completing = [
        clerk.upload(csv_text(*(order_row(merchant_no="M200") for _ in range(10))).encode(), named) for _ in range(4)
    ]
    barrier = threading.Barrier(len(completing))

    def submit(number: int) -> str:
        barrier.wait()
        while True:
            try:
                return clerk.submit(completing[number]).batch.id
            except DBAPIError as error:
                if not database.lost_a_race(error):
                    raise

    with ThreadPoolExecutor(len(completing)) as pool:
        joined = set(pool.map(submit, range(len(completing))))

    assert joined == {batch_id}
    with clerk.services.reading() as db:
        assert progress_of(db, batch_id).total == 41


def test_the_same_rows_in_two_drafts_at_once_are_declared_once(clerk: Clerk):
    rows = [order_row() for _ in range(20)]
    both = [clerk.upload_rows(*rows) for _ in range(2)]
    barrier = threading.Barrier(2)

    def submit(number: int) -> int:
        barrier.wait()
        while True:
            try:
                return len(clerk.submit(both[number]).accepted)
            except ActionNotAllowed:
                # Nothing in it is new any more.
                return 0
            except DBAPIError as error:
                if not database.lost_a_race(error):
                    raise

    with ThreadPoolExecutor(2) as pool:
        accepted = sorted(pool.map(submit, range(2)))

    assert (accepted, count(clerk, Declaration), count(clerk, Batch)) == ([0, 20], 20, 1)
