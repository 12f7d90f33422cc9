"""The template: filled in by a spreadsheet program it reads without a finding, and empty it says so."""

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest
import xlsxwriter

from customs.declarations.fields import FIELDS, Kind
from customs.declarations.offices import OFFICES
from customs.errors import FileUnreadable
from customs.imports.sheet import NOTES, read_sheet
from customs.imports.template import template_workbook
from customs.spreadsheets.reader import read_grid
from tests.imports.spreadsheets import CHINESE, ENGLISH, SPLIT_ROW, codes, page_in

NAMES = [office.name for office in OFFICES.values()]


def template(language: str, offices: Sequence[str], channels: Sequence[str]) -> bytes:
    with page_in(language):
        return template_workbook(offices, channels)


TEMPLATES = {
    "Chinese": (template("zh_CN", NAMES, ["微信", "支付宝"]), CHINESE),
    "English": (template("en", list(OFFICES), ["wechatpay", "alipay"]), ENGLISH),
}


def parts(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith((".xml", ".rels"))}


def filled(notes: str, headers: list[str], **cells: Any) -> bytes:
    """What a spreadsheet program saves once a row was typed into the template: its second sheet is still there."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        orders, second = book.add_worksheet(), book.add_worksheet(notes)
        text = book.add_format({"num_format": "@"})
        orders.write_row(0, 0, headers)
        for place, name in enumerate(ENGLISH):
            orders.write(1, place, (SPLIT_ROW | cells).get(name), text)
        second.write(0, 0, "列名")
    return content.getvalue()


@pytest.mark.parametrize(("content", "headers"), TEMPLATES.values(), ids=TEMPLATES)
def test_an_empty_template_has_a_header_and_no_rows(content: bytes, headers: list[str]):
    with pytest.raises(FileUnreadable, match="a header and no rows") as refused:
        read_grid(content, "template.xlsx")

    assert [error.code for error in refused.value.errors] == ["file_without_rows"]
    assert all(f">{word}<" in parts(content)["xl/sharedStrings.xml"] for word in headers)


@pytest.mark.parametrize("notes", NOTES)
def test_the_sheet_that_explains_is_not_missed(notes: str):
    sheet = read_sheet(filled(notes, CHINESE), "template.xlsx")

    assert (codes(sheet), len(sheet.declarations)) == ([], 1)


def test_another_second_sheet_still_is():
    assert codes(read_sheet(filled("更多", CHINESE), "template.xlsx")) == [("sheet_left_out", None, None)]


@pytest.mark.parametrize("content", [content for content, _ in TEMPLATES.values()], ids=TEMPLATES)
def test_every_column_is_text(content: bytes):
    files = parts(content)
    columns = re.findall(
        r'<col min="(\d+)" max="(\d+)" width="[\d.]+" style="(\d+)"', files["xl/worksheets/sheet1.xml"]
    )
    formats = re.findall(r'<xf numFmtId="(\d+)"', files["xl/styles.xml"].partition("<cellXfs")[2])

    # 49 is the number of Excel's own format for text.
    assert {formats[int(style)] for _, _, style in columns} == {"49"}
    assert sum(int(last) - int(first) + 1 for first, last, _ in columns) == len(FIELDS)


@pytest.mark.parametrize("content", [content for content, _ in TEMPLATES.values()], ids=TEMPLATES)
def test_channels_and_offices_are_picked_from_the_second_sheet(content: bytes):
    files = parts(content)

    sheet = files["xl/worksheets/sheet1.xml"]
    assert re.findall(r'<dataValidation type="list"[^>]*sqref="(\w)2:\w10001"', sheet) == ["A", "B"]
    assert sheet.count("<formula1>") == 2
    assert f"$G$2:$G${len(OFFICES) + 1}" in sheet


@pytest.mark.parametrize("content", [content for content, _ in TEMPLATES.values()], ids=TEMPLATES)
def test_each_header_explains_itself(content: bytes):
    assert parts(content)["xl/comments1.xml"].count("<comment ") == len(FIELDS)


def test_each_column_is_explained_in_both_languages():
    assert [field.header for field in FIELDS] == ENGLISH
    with page_in("en"):
        assert all(str(field.hint).isascii() for field in FIELDS)
    with page_in("zh_CN"):
        assert all(max(str(field.hint)) >= "一" for field in FIELDS)


def test_the_notes_are_in_the_language_of_the_page():
    chinese, english = (parts(content)["xl/sharedStrings.xml"] for content, _ in TEMPLATES.values())

    assert "拆单示例（同一订单两行）" in chinese
    assert "An order in two parts" in english


def test_the_words_to_pick_are_words_the_reader_knows():
    spelt = {Kind.CHANNEL: ["微信", "支付宝", "wechatpay", "alipay"], Kind.OFFICE: [*NAMES, *OFFICES]}

    for word in spelt[Kind.CHANNEL]:
        read = read_sheet(filled(NOTES[0], CHINESE, channel=word), "a.xlsx").declarations[0]
        assert read["channel"] in ("wechatpay", "alipay")
    for word in spelt[Kind.OFFICE]:
        assert read_sheet(filled(NOTES[0], CHINESE, office=word), "a.xlsx").declarations[0]["office"] in OFFICES
