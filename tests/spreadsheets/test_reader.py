"""Files in: what is read however it is encoded, and what is refused with a word on what it really is."""

import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from customs.errors import FileUnreadable
from customs.imports.sheet import read_sheet
from tests.imports.spreadsheets import (
    CHINESE,
    ENGLISH,
    PLAIN_ROW,
    SPLIT_ROW,
    codes,
    csv_sheet,
    csv_text,
    repacked,
    workbook,
    xlsx,
)

ENCODED = {
    "utf-8": csv_text(SPLIT_ROW).encode(),
    "utf-8 BOM": csv_text(SPLIT_ROW).encode("utf-8-sig"),
    "utf-16 BOM": csv_text(SPLIT_ROW, delimiter="\t").encode("utf-16"),
    "utf-16 BE BOM": b"\xfe\xff" + csv_text(SPLIT_ROW).encode("utf-16-be"),
    "GB18030": csv_text(SPLIT_ROW, headers=CHINESE).encode("gb18030"),
    "tab": csv_text(SPLIT_ROW, delimiter="\t").encode(),
    "semicolon": csv_text(SPLIT_ROW, delimiter=";").encode(),
    "full-width comma": csv_text(SPLIT_ROW, headers=CHINESE, delimiter="，").encode("gb18030"),
    "CR only": csv_text(SPLIT_ROW).replace("\r\n", "\r").encode(),
    "LF only": csv_text(SPLIT_ROW).replace("\r\n", "\n").encode(),
    "blanks and case in headers": csv_text(SPLIT_ROW, headers=[f" {name.upper()} " for name in ENGLISH]).encode(),
    "blank rows": b"\r\n" + csv_text(SPLIT_ROW).encode() + b",,,\r\n \r\n",
}


@pytest.mark.parametrize("content", ENCODED.values(), ids=ENCODED)
def test_csv_says_the_same_however_it_is_encoded(content: bytes) -> None:
    assert read_sheet(content, "orders.csv").declarations == csv_sheet(SPLIT_ROW).declarations


@pytest.mark.parametrize("headers", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_a_workbook_says_the_same_as_csv(headers: list[str]) -> None:
    amounts = {"duty": 88, "sub_order_amount": 46.44, "transport_amount": 23.22, "product_amount": 23.22}

    sheet = read_sheet(xlsx(SPLIT_ROW | amounts, headers=headers), "orders.xlsx")

    assert sheet.findings == []
    assert sheet.declarations == csv_sheet(SPLIT_ROW).declarations


def test_other_sheets_that_hold_something_are_named() -> None:
    def fill(book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row(0, 0, list(PLAIN_ROW))
        sheet.write_row(1, 0, list(PLAIN_ROW.values()))
        book.add_worksheet("empty")
        book.add_worksheet("more").write(0, 0, "channel")
        hidden = book.add_worksheet("hidden")
        hidden.write(0, 0, "list")
        hidden.hide()

    sheet = read_sheet(workbook(fill), "orders.xlsx")

    assert codes(sheet) == [("sheet_left_out", None, None)]
    assert "more" in sheet.findings[0].detail


def test_the_sheet_with_most_known_headers_is_read_and_named() -> None:
    def fill(book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write(0, 0, "填写说明")
        orders = book.add_worksheet("明细")
        orders.write_row(0, 0, list(PLAIN_ROW))
        orders.write_row(1, 0, list(PLAIN_ROW.values()))

    sheet = read_sheet(workbook(fill), "orders.xlsx")

    assert (len(sheet.declarations), codes(sheet)) == (1, [("sheet_left_out", None, None)])
    assert "“明细”" in sheet.findings[0].detail


def test_hidden_rows_are_never_declared_unseen() -> None:
    def fill(_book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row(0, 0, list(PLAIN_ROW))
        for number in (1, 2, 3):
            sheet.write_row(
                number, 0, list((PLAIN_ROW | {"out_order_no": f"O-{number}", "payment_no": f"P{number}"}).values())
            )
        sheet.set_row(2, None, None, {"hidden": True})

    assert codes(read_sheet(workbook(fill), "orders.xlsx")) == [("row_hidden", 3, None)]


def test_a_workbook_with_backslashes_in_its_paths_is_read() -> None:
    content = xlsx(PLAIN_ROW)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.namelist():
            info = zipfile.ZipInfo("placeholder")
            info.filename = entry.replace("/", "\\")
            new.writestr(info, old.read(entry))

    assert len(read_sheet(packed.getvalue(), "orders.xlsx").declarations) == 1


def test_trailing_formatted_rows_are_no_declarations() -> None:
    def fill(book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row(0, 0, list(PLAIN_ROW))
        sheet.write_row(3, 0, list(PLAIN_ROW.values()))
        for row in range(4, 500):
            sheet.write_blank(row, 0, None, book.add_format({"bold": True}))

    sheet = read_sheet(workbook(fill), "orders.xlsx")

    assert len(sheet.declarations) == 1
    assert sheet.locate("/declarations/0/office") == (4, "office")


def refusal(content: bytes, filename: str) -> str:
    with pytest.raises(FileUnreadable) as refused:
        read_sheet(content, filename)
    return str(refused.value)


GOOD_CSV = csv_text(PLAIN_ROW).encode()
GOOD_XLSX = xlsx(PLAIN_ROW)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
BOMB = b"<x>" + b" " * 20_000_000 + b"</x>"
FAR_CELL = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
EMPTY_ROWS = b"".join(b'<row r="%d"/>' % row for row in range(3, 300_000)) + b"</sheetData>"
with zipfile.ZipFile(io.BytesIO(GOOD_XLSX)) as good:
    SHEET_XML = good.read("xl/worksheets/sheet1.xml")
    TYPES_XML = good.read("[Content_Types].xml")

REFUSED = {
    "no bytes": (b"", "orders.csv", "empty"),
    "only blank rows": (b",,\r\n\r\n", "orders.csv", "empty"),
    "header only": (csv_text().encode(), "orders.csv", "no rows"),
    "too large": (b"x" * (20 * 1024 * 1024 + 1), "orders.csv", "20 MiB"),
    "CSV named .xlsx": (GOOD_CSV, "orders.xlsx", "is CSV text"),
    "XLSX named .csv": (GOOD_XLSX, "orders.CSV", "is an Excel workbook"),
    "a name of another kind": (GOOD_CSV, "orders.xls", "Only files named .xlsx"),
    ".xls": (OLE, "orders.xls", "old Excel file"),
    "encrypted": (OLE + "EncryptedPackage".encode("utf-16-le"), "orders.xlsx", "password"),
    ".xlsm": (repacked(GOOD_XLSX, xl__vbaProject_bin=b"x"), "orders.xlsx", "macros"),
    ".xlsb": (repacked(GOOD_XLSX, xl__workbook_bin=b"x"), "orders.xlsx", "binary"),
    "JSON": (b'{"declarations": []}', "orders.csv", "JSON"),
    "web page": (b"<html></html>", "orders.csv", "web page"),
    "PDF": (b"%PDF-1.7", "orders.csv", "PDF"),
    "a ZIP": (b"PK\x03\x04" + bytes(100), "orders.xlsx", "damaged"),
    "truncated workbook": (GOOD_XLSX[:-200], "orders.xlsx", "damaged"),
    "zip bomb": (repacked(GOOD_XLSX, xl__bomb_xml=BOMB), "orders.xlsx", "unpacks to more"),
    "a cell in the last corner": (
        repacked(GOOD_XLSX, xl__worksheets__sheet1_xml=SHEET_XML.replace(b"</sheetData>", FAR_CELL)),
        "orders.xlsx",
        "more than a batch",
    ),
    "NUL": (GOOD_CSV.replace(b"M100", b"M\x00100"), "orders.csv", "NUL"),
    "UTF-16 without mark": (csv_text(PLAIN_ROW).encode("utf-16-le"), "orders.csv", "NUL"),
    "Latin-1": (GOOD_CSV + "é\n".encode("latin-1"), "orders.csv", "neither UTF-8 nor GB18030"),
    "open quote": (GOOD_CSV.replace(b"M100", b'"M100'), "orders.csv", "line"),
    "missing column": (GOOD_CSV.replace(b"payment_no", b"payment"), "orders.csv", "payment_no or 支付单号"),
    "no header": (GOOD_CSV.split(b"\r\n", 1)[1] * 2, "orders.csv", "first row"),
    "duplicate headers": (GOOD_CSV.replace(b"duty", "支付渠道".encode()), "orders.csv", "twice"),
    "a very wide row": (GOOD_CSV + b"," * 300 + b"x", "orders.csv", "columns"),
    "a very long first row": (b"," + b"a" * 200_000, "orders.csv", "Line 1"),
    "10,001 rows": (
        csv_text(*(PLAIN_ROW | {"out_order_no": str(number)} for number in range(10_001))).encode(),
        "orders.csv",
        "10,001",
    ),
}


@pytest.mark.parametrize(("content", "filename", "words"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_not_what_it_should_be_is_refused(content: bytes, filename: str, words: str) -> None:
    assert words in refusal(content, filename)


def test_empty_rows_without_number_cost_nothing() -> None:
    content = repacked(GOOD_XLSX, xl__worksheets__sheet1_xml=SHEET_XML.replace(b"</sheetData>", EMPTY_ROWS))

    assert len(read_sheet(content, "orders.xlsx").declarations) == 1


def test_a_refusal_repeats_no_personal_data() -> None:
    headless = csv_text(SPLIT_ROW).split("\r\n", 1)[1] * 2

    sentence = refusal(headless.encode(), "李雷.csv")

    assert SPLIT_ROW["cert_id"] not in sentence
    assert SPLIT_ROW["buyer_name"] not in sentence
