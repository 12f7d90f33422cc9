"""What a spreadsheet spoils is named by its cell, and nothing else is."""

import datetime
import io
import zipfile
from typing import Any

import pytest
import xlsxwriter

from customs.declarations.intake.orders import Severity
from customs.imports.sheet import read_sheet
from tests.imports.spreadsheets import PLAIN_ROW, SPLIT_ROW, codes, csv_sheet, repacked, workbook, xlsx


def test_number_cells_are_taken_with_one_warning_a_column() -> None:
    rows = [PLAIN_ROW | {"out_order_no": 1805 + number, "merchant_no": 42.0} for number in range(3)]

    sheet = read_sheet(xlsx(*rows), "orders.xlsx")

    assert [each["out_order_no"] for each in sheet.declarations] == ["1805", "1806", "1807"]
    assert codes(sheet) == [("number_cell", 2, "merchant_no"), ("number_cell", 2, "out_order_no")]
    assert {finding.severity for finding in sheet.findings} == {Severity.WARNING}


SPOILT = {
    "18 digits as a number": ("cert_id", 510921199308772318, "digits_lost"),
    "16 digits as a number": ("payment_no", 2018051816320384, "digits_lost"),
    "a fraction": ("out_order_no", 12.5, "digits_lost"),
    "5.10922E+17": ("cert_id", "5.10922E+17", "digits_lost"),
    "rounded to zeros": ("payment_no", "2018051816320380000000000", "digits_lost"),
    "a date": ("sub_order_no", datetime.date(2018, 5, 18), "date_cell"),
    "a date as amount": ("sub_order_amount", datetime.date(2018, 5, 18), "date_cell"),
    "a truth value": ("merchant_no", True, "boolean_cell"),
}


@pytest.mark.parametrize(("column", "value", "code"), SPOILT.values(), ids=SPOILT)
def test_what_a_spreadsheet_spoilt_is_named_by_its_cell(column: str, value: Any, code: str) -> None:
    sheet = read_sheet(xlsx(SPLIT_ROW, SPLIT_ROW | {"out_order_no": "other", column: value}), "orders.xlsx")

    assert codes(sheet) == [(code, 3, column)]
    assert str(value) not in sheet.findings[0].detail + sheet.findings[0].action


def test_lost_digits_are_named_in_csv_too() -> None:
    assert codes(csv_sheet(PLAIN_ROW | {"payment_no": "2.01805E+24", "cert_id": "5E+17"})) == [
        ("digits_lost", 2, "payment_no"),
        ("digits_lost", 2, "cert_id"),
    ]


@pytest.mark.parametrize("number", ["2018E10", "4200000123201805181234567890", "000123", "00'12"])
def test_unusual_numbers_as_text_are_taken_as_they_are(number: str) -> None:
    sheet = csv_sheet(PLAIN_ROW | {"payment_no": number})

    assert (sheet.findings, sheet.declarations[0]["payment_no"]) == ([], number)


def test_formulas_give_their_value_and_those_without_one_are_named() -> None:
    def fill(_book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row(0, 0, [*PLAIN_ROW, "duty", "cert_id"])
        sheet.write_row(1, 0, list(PLAIN_ROW.values()))
        sheet.write_formula(1, 3, '="A"&"1"', value="A1")
        sheet.write_formula(1, 5, "=Z9", value="#REF!")
        sheet.write_formula(1, 6, "=A9", value="")

    never_calculated = workbook(fill)
    with zipfile.ZipFile(io.BytesIO(never_calculated)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").replace(b'<c r="G2">', b'<c r="G2" t="str">')
    empty_text = repacked(never_calculated, xl__worksheets__sheet1_xml=xml)

    assert read_sheet(empty_text, "orders.xlsx").declarations[0]["out_order_no"] == "A1"
    assert codes(read_sheet(empty_text, "orders.xlsx")) == [("formula_error", 2, "duty")]
    assert codes(read_sheet(never_calculated, "orders.xlsx")) == [
        ("formula_error", 2, "duty"),
        ("formula_uncalculated", 2, "cert_id"),
    ]
