"""Faulty rows as a workbook, corrected in a spreadsheet program, come back to the batch they complete."""

import datetime
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
import xlsxwriter

from customs.container import Services
from customs.declarations.intake.orders import Finding
from customs.imports.drafts import Draft
from customs.imports.error_workbook import faulty_filename, faulty_workbook
from customs.imports.sheet import Sheet, read_sheet
from customs.spreadsheets.reader import Grid, read_grid
from tests.imports.clerk import Clerk, order_row, split_rows
from tests.imports.spreadsheets import CHINESE, codes, csv_text, page_in, xlsx


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Workbooks know no database."""
    return sqlite_url


@pytest.fixture
def clerk(services: Services) -> Clerk:
    return Clerk(services)


def describe(finding: Finding) -> str:
    return f"<{finding.code}>"


def handed_back(clerk: Clerk, draft: Draft, language: str = "zh_CN") -> bytes:
    with page_in(language):
        return faulty_workbook(clerk.look_at(draft), describe)


def grid(content: bytes) -> Grid:
    return read_grid(content, "faulty.xlsx")


def sheet(content: bytes) -> Sheet:
    return read_sheet(content, "faulty.xlsx")


def corrected(content: bytes, changes: Mapping[tuple[int, str], str]) -> bytes:
    """The workbook saved again by a spreadsheet program, with these cells (row in the file, header) changed."""
    before = grid(content)
    saved = io.BytesIO()
    with xlsxwriter.Workbook(saved) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, before.header)
        for number, cells in before.rows:
            for place, word in enumerate(before.header):
                cell = cells[place] if place < len(cells) else ""
                page.write_string(number - 1, place, changes.get((number, word), str(cell)))
    return saved.getvalue()


def test_only_what_is_left_goes_out_with_the_files_own_headers_and_why(clerk: Clerk):
    rows = [order_row(), order_row(office="ATLANTIS"), *split_rows(2, channel="银联")]
    draft = clerk.upload(csv_text(*rows, headers=CHINESE).encode("gb18030"))

    out = grid(handed_back(clerk, draft))

    assert out.header == [*CHINESE, "原因"]
    assert [cells[3] for _, cells in out.rows] == [rows[1]["out_order_no"], rows[2]["out_order_no"], ""]
    assert [cells[-1] for _, cells in out.rows] == ["海关: <office_unknown>", "支付渠道: <choice>", ""]


def test_in_english_the_last_column_is_called_reason(clerk: Clerk):
    assert grid(handed_back(clerk, clerk.upload_rows(order_row(office="x")), "en")).header[-1] == "reason"


def test_every_cell_is_text_and_keeps_each_digit(clerk: Clerk):
    row = order_row(office="x", payment_no="2018051816320384498567689", duty=88)

    content = handed_back(clerk, clerk.upload(xlsx(row), "orders.xlsx"))

    ((_, cells),) = grid(content).rows
    assert (cells[4], cells[7]) == ("2018051816320384498567689", "88")
    assert all(isinstance(cell, str) for cell in cells)


HOSTILE = ["=cmd|'/C calc'!A0", "+1+1", "-1", "@SUM(1)", "http://evil.example", "李\u202e雷", "x" * 40_000]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_it_is_a_formula_or_a_link(clerk: Clerk, text: str):
    content = handed_back(clerk, clerk.upload_rows(order_row(office="x", buyer_name=text)))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in xml
    assert b"hyperlink" not in xml
    assert grid(content).rows[0][1][8] == text[:32_767]


def test_wrong_cells_have_a_colour_and_a_comment(clerk: Clerk):
    content = handed_back(clerk, clerk.upload_rows(order_row(office="ATLANTIS")))

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        comments = archive.read("xl/comments1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert 'ref="B2"' in comments
    assert "&lt;office_unknown&gt;" in comments
    assert "FADBD8" in styles


def test_corrected_and_sent_again_it_completes_its_batch(clerk: Clerk):
    rows = [order_row(), order_row(office="ATLANTIS"), *split_rows(2, channel="银联")]
    draft = clerk.upload(csv_text(*rows, headers=CHINESE).encode("gb18030"))
    batch_id = clerk.submit(draft).batch.id
    left = clerk.again(draft)
    content = corrected(handed_back(clerk, left), {(2, "海关"): "深圳", (3, "支付渠道"): "微信"})

    coming = clerk.upload(content, f"{faulty_filename(left).removesuffix('.xlsx')} (2).xlsx")
    preview = clerk.look_at(coming)
    clerk.submit(coming)

    assert (coming.batch_id, preview.findings, preview.totals.good, preview.totals.faulty) == (batch_id, [], 2, 0)
    assert clerk.findings_of_batch(batch_id) == []


def test_the_reasons_of_an_earlier_time_do_not_go_out_again(clerk: Clerk):
    first = handed_back(clerk, clerk.upload_rows(order_row(office="x")))

    again = grid(handed_back(clerk, clerk.upload(first, "faulty.xlsx")))

    assert again.header.count("原因") == 1
    assert [cells[-1] for _, cells in again.rows] == ["office: <office_unknown>"]


SPOILT = {
    "a date": ("mch_customs_no", datetime.date(2018, 5, 18)),
    "a truth value": ("merchant_no", True),
    "rounded": ("mch_customs_no", 2018051816320384498),
    "a fraction": ("mch_customs_no", 12.5),
}


@pytest.mark.parametrize(("column", "value"), SPOILT.values(), ids=SPOILT)
def test_what_a_spreadsheet_has_spoilt_is_not_taken_when_nobody_corrected_it(clerk: Clerk, column: str, value: Any):
    content = handed_back(clerk, clerk.upload(xlsx(order_row(**{column: value})), "orders.xlsx"))
    again = handed_back(clerk, clerk.upload(content, "orders.xlsx"))

    for unedited in (content, again):
        assert codes(sheet(unedited)) == [("cell_unmended", 2, column)]
    assert codes(sheet(corrected(content, {(2, column): "M100"}))) == []


def test_a_part_without_its_keys_does_not_slip_into_the_order_above(clerk: Clerk):
    faulty = split_rows(1, office="x")
    stranded = [{name: value for name, value in row.items() if name.startswith("sub_")} for row in split_rows(1)]
    draft = clerk.upload_rows(*faulty, order_row(), *stranded)

    out = sheet(handed_back(clerk, draft))

    assert [len(one.get("sub_orders", ())) for one in out.declarations] == [1, 1]
    assert "out_order_no" not in out.declarations[1]


def test_a_column_that_the_rows_need_is_there_to_be_filled(clerk: Clerk):
    text = "支付渠道,海关,商户号,商户订单号,支付单号\n微信,深圳,M100,O-1,P-1\n"

    out = grid(handed_back(clerk, clerk.upload(text.encode())))

    assert out.header[-2:] == ["商户海关备案号", "原因"]
    assert out.rows[0][1][-1] == "商户海关备案号: <registration_missing>"


def test_a_file_wrong_as_a_whole_goes_out_whole(clerk: Clerk):
    draft = clerk.upload(csv_text(order_row(), order_row()).replace("duty", "remark").encode())

    out = grid(handed_back(clerk, draft))

    assert (len(out.rows), out.header[7]) == (2, "remark")
    assert [cells[-1] if len(cells) == len(out.header) else "" for _, cells in out.rows] == ["<column_unknown>", ""]


def test_no_part_of_it_lies_on_a_disk(clerk: Clerk, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))

    assert grid(handed_back(clerk, clerk.upload_rows(order_row(office="x")))).rows
