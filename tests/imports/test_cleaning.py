"""Cells as exporting programs write them: cleaned where nothing is lost, left where something would be guessed."""

import pytest

from customs.container import Services
from customs.declarations.fields import Kind
from customs.imports.cleaning import Cleaning, clean_text
from customs.imports.labels import describe_finding
from customs.imports.sheet import Sheet, read_sheet
from tests.imports.clerk import Clerk, order_row
from tests.imports.spreadsheets import PLAIN_ROW, SPLIT_ROW, codes, csv_sheet, csv_text, page_in

CLEANED = [
    (Kind.NUMBER, '="1930679858170001"', "1930679858170001", {Cleaning.WRAPPING}),
    (Kind.NUMBER, "'13800000000", "13800000000", {Cleaning.WRAPPING}),
    (Kind.NUMBER, "`0012\t", "0012", {Cleaning.WRAPPING, Cleaning.BLANKS}),
    (Kind.NUMBER, "\u200bD26\u200b3\u3000", "D263", {Cleaning.BLANKS}),
    (Kind.NUMBER, "Ｄ２６", "D26", {Cleaning.WIDTH}),
    (Kind.NUMBER, "4200 0026 1123", "420000261123", {Cleaning.GROUPS}),
    (Kind.CERT_ID, "110105 19491231 002x", "11010519491231002X", {Cleaning.LETTER, Cleaning.GROUPS}),
    (Kind.AMOUNT, "￥1,234.50 元", "1234.50", {Cleaning.CURRENCY, Cleaning.THOUSANDS}),
    (Kind.AMOUNT, "CNY 46.44", "46.44", {Cleaning.CURRENCY}),
    (Kind.AMOUNT, "320.0000", "320.00", {Cleaning.ZEROS}),
    (Kind.AMOUNT, "0.30000000000000004", "0.30", {Cleaning.NOISE}),
    (Kind.DUTY, "88.00", "88", {Cleaning.ZEROS}),
    (Kind.NAME, " 李雷\u00a0", "李雷", {Cleaning.BLANKS}),
]
LEFT = [
    (Kind.NUMBER, "D26 60 00003"),
    (Kind.NUMBER, "4200002611230900 4200002611230901"),
    (Kind.NUMBER, "4200\u202e0026"),
    (Kind.CERT_ID, "11010519820505108Х"),
    (Kind.CERT_ID, "110105 1949"),
    (Kind.AMOUNT, "46,44"),
    (Kind.AMOUNT, "(46.44)"),
    (Kind.AMOUNT, "46.44%"),
    (Kind.AMOUNT, "USD 46.44"),
    (Kind.AMOUNT, "46.444"),
    (Kind.DUTY, "88.5"),
    (Kind.NAME, "李\u200b雷"),
    (Kind.NAME, "Ｊosé"),
]


@pytest.mark.parametrize(("kind", "text", "clean", "ways"), CLEANED)
def test_what_loses_nothing_is_cleaned(kind: Kind, text: str, clean: str, ways: set[Cleaning]) -> None:
    assert clean_text(text, kind) == (clean, ways)
    assert clean_text(clean, kind) == (clean, frozenset())


@pytest.mark.parametrize(("kind", "text"), LEFT)
def test_what_would_be_a_guess_is_left(kind: Kind, text: str) -> None:
    assert clean_text(text, kind) == (text, frozenset())


def test_each_cleaned_column_has_one_note_with_its_count_and_without_a_value() -> None:
    rows = [PLAIN_ROW | {"out_order_no": f'="D{number}"', "payment_no": f"P{number}"} for number in range(3)]

    sheet = csv_sheet(*rows)

    assert [one["out_order_no"] for one in sheet.declarations] == ["D0", "D1", "D2"]
    assert codes(sheet) == [("cells_cleaned", None, "out_order_no")]
    assert sheet.findings[0].detail.startswith("3 cells")
    assert "D0" not in sheet.findings[0].detail


def test_a_note_counts_its_cells_in_every_language() -> None:
    note = csv_sheet(PLAIN_ROW | {"payment_no": "P1 "}).findings[0]

    for language in ("zh", "en"):
        with page_in(language):
            assert describe_finding(note).cells == "1"


def test_a_typed_cell_is_cleaned_too(services: Services) -> None:
    clerk = Clerk(services)
    draft = clerk.upload_rows(order_row(payment_no=""))

    typed = clerk.change(draft, 2, "payment_no", " 4200 0026 1123 ")

    (row,) = clerk.look_at(typed).rows()
    assert row.cells["payment_no"].text == "420000261123"


@pytest.mark.parametrize(
    "header",
    [
        "*商户订单号",
        "商户订单号（必填）",
        "商户订单号\n（不可重复）",
        "商戶訂單號",
        " 商户 订单号\u200b",
        "OUT ORDER NO",
        "商户订单号:",
    ],
)
def test_a_header_is_known_however_an_export_decorates_it(header: str) -> None:
    content = csv_text(PLAIN_ROW).replace("out_order_no", f'"{header}"')

    assert codes(_read(content)) == []


@pytest.mark.parametrize("header", ["子订单金额（分）", "子订单金额(USD)"])
def test_a_header_of_another_unit_is_not_ours(header: str) -> None:
    content = csv_text(SPLIT_ROW).replace("sub_order_amount", header)

    assert ("column_unknown", 1, header) in codes(_read(content))


def test_titles_above_and_totals_below_are_left_out() -> None:
    content = f"订单明细\n起始时间：2026-11-01,终止时间\n\n{csv_text(PLAIN_ROW)}合计,,,1 单\n"

    sheet = _read(content)

    assert (len(sheet.declarations), sheet.places[0].row) == (1, 5)
    assert codes(sheet) == [("totals_left_out", 6, None)]


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff\ufeff{csv_text(PLAIN_ROW)}",
        f"{csv_text(PLAIN_ROW)}\x1a",
        f"sep=;\r\n{csv_text(PLAIN_ROW, delimiter=';')}",
        csv_text(PLAIN_ROW).replace(",", ', "', 1).replace("office", 'office"', 1),
    ],
    ids=["two byte order marks", "end of file", "sep", "blank before a quote"],
)
def test_oddities_of_programs_hold_no_file_up(content: str) -> None:
    assert (len(_read(content).declarations), codes(_read(content))) == (1, [])


def _read(content: str) -> Sheet:
    return read_sheet(content.encode(), "orders.csv")
