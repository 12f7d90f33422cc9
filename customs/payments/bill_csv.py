"""A reconciled bill as a CSV file for Excel: no cell is taken for a formula, and no number loses its digits."""

import csv
import io
from collections.abc import Iterable, Mapping

FORMULA = ("=", "+", "-", "@", "\t", "\r")
# From here on Excel makes a float of a number; a tab before it keeps it text, and readers strip it.
MOST_DIGITS = 15
BYTE_ORDER_MARK = "\ufeff"


def csv_of(rows: Iterable[Mapping[str, object]], columns: Mapping[str, object]) -> bytes:
    """The rows by the columns' names, under the columns' words; UTF-8 that Excel takes for UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(str, columns.values()))
    writer.writerows([cell(row.get(name)) for name in columns] for row in rows)
    return (BYTE_ORDER_MARK + text.getvalue()).encode()


def cell(value: object) -> str:
    """A value as a spreadsheet may have it: what others typed is never run."""
    text = "" if value is None else str(value)
    if text.startswith(FORMULA):
        return f"'{text}"
    return f"\t{text}" if text.isdigit() and len(text) > MOST_DIGITS else text
