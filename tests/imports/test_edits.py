"""What a person changes in a draft: cells, rows and headers, each change once, and none over somebody else's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from customs.container import Services
from customs.errors import ActionNotAllowed, FileUnreadable, NotFound, ValidationFailed
from customs.imports.drafts import Draft, drafts_of
from customs.imports.edits import LONGEST_CELL, CellChange
from customs.imports.preview_model import RowStatus
from tests.imports.clerk import Clerk, cells_of, codes_at, order_row, split_rows
from tests.imports.spreadsheets import csv_text


@pytest.fixture
def clerk(services: Services) -> Clerk:
    return Clerk(services)


def test_a_corrected_cell_is_good_and_counts_the_revision_on(clerk: Clerk):
    draft = clerk.upload_rows(order_row(office="ATLANTIS"))

    corrected = clerk.change(draft, 2, "office", "深圳")

    (row,) = clerk.look_at(corrected).rows()
    assert (corrected.revision, row.status, row.cells["office"].text) == (2, RowStatus.GOOD, "深圳")


def test_many_cells_are_changed_at_once(clerk: Clerk):
    draft = clerk.upload_rows(order_row(office="ATLANTIS"), order_row(duty="x"))

    corrected = clerk.edit(draft, "change_cells", [CellChange(2, "office", "深圳"), CellChange(3, "duty", "")])

    assert (corrected.revision, clerk.look_at(corrected).totals.good) == (2, 2)


def test_a_column_that_the_file_lacks_is_added_behind_everything(clerk: Clerk):
    stray = "\ufeff支付渠道,海关,商户号,商户订单号,支付单号\n微信,杭州,M100,O-1,P-1,,stray\n"
    draft = clerk.upload(stray.encode())
    assert codes_at(clerk.look_at(draft).rows()[0]) == {
        "": ["cell_without_header"],
        "mch_customs_no": ["registration_missing"],
    }

    corrected = clerk.change(draft, 2, "mch_customs_no", "110396T0001")

    (row,) = clerk.look_at(corrected).rows()
    assert (row.strays, codes_at(row)) == (["stray"], {"": ["cell_without_header"]})
    assert clerk.look_at(corrected).columns[-1].spelt == "商户海关备案号"
    (row,) = clerk.look_at(clerk.edit(corrected, "clear_strays", 2)).rows()
    assert (row.strays, row.status) == ([], RowStatus.GOOD)


def test_what_is_corrected_on_an_old_page_changes_nothing(clerk: Clerk):
    draft = clerk.upload_rows(order_row(office="ATLANTIS"))
    clerk.change(draft, 2, "office", "深圳", revision=1)

    with pytest.raises(ActionNotAllowed) as refused:
        clerk.change(draft, 2, "office", "杭州", revision=1)

    assert [error.code for error in refused.value.errors] == ["draft_changed"]
    assert clerk.look_at(draft).rows()[0].cells["office"].text == "深圳"


def test_of_many_windows_at_once_one_mends(clerk: Clerk):
    draft = clerk.upload_rows(order_row())
    barrier = threading.Barrier(6)

    def change(number: int) -> Draft | None:
        barrier.wait()
        try:
            return clerk.change(draft, 2, "duty", str(number), revision=1)
        except ActionNotAllowed:
            return None

    with ThreadPoolExecutor(6) as pool:
        won = [number for number, corrected in enumerate(pool.map(change, range(6))) if corrected]

    assert len(won) == 1
    assert (clerk.again(draft).revision, clerk.look_at(draft).rows()[0].cells["duty"].text) == (2, str(won[0]))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (CellChange(9, "office", "深圳"), NotFound),
        (CellChange(2, "nothing", "深圳"), NotFound),
        (CellChange(2, "office", "x" * (LONGEST_CELL + 1)), ValidationFailed),
    ],
)
def test_a_change_of_what_is_not_there_is_refused(clerk: Clerk, change: CellChange, error: type[Exception]):
    draft = clerk.upload_rows(order_row())

    with pytest.raises(error):
        clerk.edit(draft, "change_cells", [change])

    assert clerk.again(draft).revision == 1


def test_a_row_is_deleted_and_the_others_keep_their_numbers(clerk: Clerk):
    draft = clerk.upload_rows(order_row(), order_row(), order_row())

    corrected = clerk.edit(draft, "delete_rows", {3}, clerk.services.audit)

    assert (corrected.row_count, [row.number for row in clerk.look_at(corrected).rows()]) == (2, [2, 4])


def test_a_part_whose_order_is_deleted_joins_no_other(clerk: Clerk):
    first, second = split_rows(2), split_rows(2)
    draft = clerk.upload_rows(*first, *second)

    corrected = clerk.edit(draft, "delete_rows", {4}, clerk.services.audit)

    assert [(row.number, row.status) for row in clerk.look_at(corrected).rows()] == [
        (5, RowStatus.FAULTY),
        (2, RowStatus.GOOD),
        (3, RowStatus.GOOD),
    ]


def test_with_its_last_row_a_draft_goes(clerk: Clerk):
    draft = clerk.upload_rows(order_row())

    assert clerk.edit(draft, "delete_rows", {2}, clerk.services.audit).row_count == 0

    with clerk.services.reading() as db:
        assert drafts_of(db, clerk.caller) == []


def test_a_change_that_makes_too_many_orders_is_refused(clerk: Clerk):
    rows = [split_rows(1)[0] | {"out_order_no": f"O{max(number, 1)}"} for number in range(10_001)]
    draft = clerk.upload_rows(*rows)

    with pytest.raises(FileUnreadable):
        clerk.change(draft, 2, "out_order_no", "another")

    assert clerk.again(draft).revision == 1


def test_an_unknown_header_is_named(clerk: Clerk):
    draft = clerk.upload(csv_text(order_row()).replace("payment_no", "transaction id").encode())
    before = clerk.look_at(draft)
    assert (before.unmatched, [column.header for column in before.missing]) == (
        ((4, "transaction id"),),
        ["payment_no"],
    )

    corrected = clerk.edit(draft, "rename_header", 4, "payment_no")

    after = clerk.look_at(corrected)
    assert (after.unmatched, after.missing, after.may_submit) == ((), (), True)
    assert after.columns[4].spelt == "payment_no"


def test_a_column_that_nobody_needs_is_left_out(clerk: Clerk):
    draft = clerk.upload(b"remark," + csv_text(order_row()).encode().replace(b"\r\n", b"\r\nx,", 1))
    assert not clerk.look_at(draft).may_submit

    corrected = clerk.edit(draft, "leave_out", 0)

    preview = clerk.look_at(corrected)
    assert (preview.unmatched, preview.may_submit, cells_of(preview.rows()[0])["channel"]) == ((), True, "微信")


def test_all_unknown_columns_are_left_out_at_once_and_items_of_one_order_joined(clerk: Clerk):
    header = "支付渠道,海关,商户号,商户订单号,支付单号,商品名称,数量\n"
    one, other = "微信,杭州,M100,O-1,P-1", "微信,杭州,M100,O-2,P-2"
    draft = clerk.upload(
        f"{header}{one},面膜,1\n{one},洗面奶,2\n{other},面膜,1\n{other},面膜,1\n".encode(), "export.csv"
    )

    preview = clerk.look_at(clerk.edit(draft, "leave_out_unknown"))

    assert [finding.code for finding in preview.findings] == ["rows_joined"]
    # What differs in nothing at all was no further item: somebody has to look.
    repeated = [row.number for row in preview.rows() if "row_repeated" in [one.code for one in row.every_finding]]
    assert repeated == [5]


def test_a_known_column_is_neither_named_anew_nor_left_out_nor_had_twice(clerk: Clerk):
    draft = clerk.upload(b"remark," + csv_text(order_row()).encode().replace(b"\r\n", b"\r\nx,", 1))

    with pytest.raises(ActionNotAllowed) as refused:
        clerk.edit(draft, "rename_header", 0, "duty")
    for action in (("rename_header", 1, "duty"), ("leave_out", 1), ("leave_out", 99), ("rename_header", 0, "nothing")):
        with pytest.raises(NotFound):
            clerk.edit(draft, *action)

    assert [error.code for error in refused.value.errors] == ["column_taken"]
