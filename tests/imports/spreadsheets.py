"""Spreadsheets as clerks and programs make them, for the tests of everything that reads one."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import xlsxwriter
from flask import Flask

from customs.declarations.fields import FIELDS
from customs.imports.sheet import Sheet, read_sheet
from customs.web import i18n

ENGLISH = [column.header for column in FIELDS]
CHINESE = [column.chinese for column in FIELDS]
SPLIT_ROW = {
    "channel": "微信",
    "office": "深圳",
    "merchant_no": "M100",
    "out_order_no": "18051893975650968",
    "payment_no": "2018051816320384498567689",
    "mch_customs_no": "123456789BTW",
    "duty": "88",
    "buyer_name": "𠮷田·古丽",
    "cert_id": "11010519491231002X",
    "sub_order_no": "S1",
    "sub_order_amount": "46.44",
    "transport_amount": "23.22",
    "product_amount": "23.22",
}
PLAIN_ROW = {name: SPLIT_ROW[name] for name in ("channel", "office", "merchant_no", "out_order_no", "payment_no")}


@contextmanager
def page_in(language: str) -> Iterator[None]:
    """The request of a page in this language."""
    app = Flask(__name__)
    i18n.init_app(app)
    with app.test_request_context("/", headers={"Cookie": f"{i18n.COOKIE}={language}"}):
        yield


def csv_text(*rows: dict[str, Any], headers: list[str] | None = None, delimiter: str = ",") -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(headers or ENGLISH)
    writer.writerows([row.get(name, "") for name in ENGLISH] for row in rows)
    return text.getvalue()


def csv_sheet(*rows: dict[str, Any]) -> Sheet:
    return read_sheet(csv_text(*rows).encode(), "orders.csv")


def workbook(fill: Callable[[xlsxwriter.Workbook, Any], None]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"default_date_format": "yyyy-mm-dd"}) as book:
        fill(book, book.add_worksheet("订单"))
    return content.getvalue()


def xlsx(*rows: dict[str, Any], headers: list[str] | None = None) -> bytes:
    def fill(book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_row(0, 0, headers or ENGLISH)
        for number, row in enumerate(rows, start=1):
            for place, name in enumerate(ENGLISH):
                sheet.write(number, place, row.get(name))

    return workbook(fill)


def repacked(content: bytes, **changed: bytes) -> bytes:
    """The workbook with entries added or replaced: `xl__vbaProject_bin` names xl/vbaProject.bin."""
    names = {name.replace("__", "/").replace("_", "."): data for name, data in changed.items()}
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            if entry not in names:
                new.writestr(entry, old.read(entry))
        for name, data in names.items():
            new.writestr(name, data)
    return packed.getvalue()


def codes(sheet: Sheet) -> list[tuple[str, int | None, str | None]]:
    return [(finding.code, finding.row, finding.column) for finding in sheet.findings]
