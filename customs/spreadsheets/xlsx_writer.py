"""Write workbooks in which every cell is text: no digit is lost, and nothing is a formula."""

import io
from collections.abc import Callable

from xlsxwriter import Workbook
from xlsxwriter.format import Format

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The number of Excel's own format for a cell that stays what was typed.
AS_TEXT = 49
# Cells are written as text one by one; nothing shall guess at one that was forgotten.
NO_GUESSES = {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}


def made_in_memory(fill: Callable[[Workbook], None]) -> bytes:
    """Make a workbook for personal data: no part of it is written to disk."""
    return _made(fill, {"in_memory": True})


def streamed(fill: Callable[[Workbook], None]) -> bytes:
    """Make a long workbook without personal data; rows are written in order and not kept in memory."""
    return _made(fill, {"constant_memory": True})


def _made(fill: Callable[[Workbook], None], how: dict[str, bool]) -> bytes:
    content = io.BytesIO()
    with Workbook(content, NO_GUESSES | how) as book:
        fill(book)
    return content.getvalue()


def text_format(book: Workbook, **looks: object) -> Format:
    """Return the format of a text cell."""
    return book.add_format({"num_format": AS_TEXT, "valign": "top", **looks})
