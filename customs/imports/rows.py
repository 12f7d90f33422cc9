"""Read the rows of a sheet: the value of each cell, which rows are one order, and where they contradict."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from customs.declarations.channels import BY_SPELLING
from customs.declarations.fields import REQUIRED, Field, Kind, Part
from customs.declarations.intake.orders import Severity
from customs.declarations.offices import office_named
from customs.imports.columns import BY_HEADER, Header
from customs.spreadsheets.reader import Cell, cell_text, is_blank, keeps_its_digits
from customs.text_rules.signs import digits_are_lost, is_left_blank

Value = str | int | None

INTEGER = re.compile(r"-?[0-9]{1,15}")


@dataclass(frozen=True)
class Flaw:
    """Damage that a spreadsheet did to a cell."""

    code: str
    severity: Severity
    detail: str
    action: str


AS_TEXT = "Format the column as text, then enter the value again from its source."
NUMBER_CELL = Flaw(
    "number_cell",
    Severity.WARNING,
    "stored as a number, so zeros at its front may be lost",
    "Compare with the source; format the column as text to keep every digit.",
)
DIGITS_LOST = Flaw("digits_lost", Severity.ERROR, "the spreadsheet has rounded it: digits are lost", AS_TEXT)
# Stands before what a spreadsheet has spoilt in a file of faulty rows, so that it is not taken as it is.
SPOILT_MARK = "⚠ "
STILL_SPOILT = Flaw("cell_unmended", Severity.ERROR, "what a spreadsheet has spoilt is not mended yet", AS_TEXT)
BOOLEAN_CELL = Flaw("boolean_cell", Severity.ERROR, "the cell holds TRUE or FALSE, not text", AS_TEXT)
# By what the reader of workbooks calls it.
UNREADABLE = {
    "date": Flaw("date_cell", Severity.ERROR, "the spreadsheet has made a date or time of it", AS_TEXT),
    "error": Flaw(
        "formula_error",
        Severity.ERROR,
        "its formula ends in an error",
        "Mend the formula, or paste the value in its place.",
    ),
    "uncalculated": Flaw(
        "formula_uncalculated",
        Severity.ERROR,
        "its formula was never calculated, so the file holds no value",
        "Open and save the file in a spreadsheet program, or paste the value in place of the formula.",
    ),
}

# What it did to the cell's value, not only to its looks.
SPOILT = frozenset(flaw.code for flaw in (DIGITS_LOST, BOOLEAN_CELL, STILL_SPOILT, *UNREADABLE.values()))


def read_cell(cell: Cell, kind: Kind) -> tuple[Value, Flaw | None]:
    """The value (None when blank, the raw text when it is not understood) and what is wrong with the cell."""
    return BY_TYPE[type(cell)](cell, kind)


def _read_text(cell: str, kind: Kind) -> tuple[Value, Flaw | None]:
    if not cell or cell.isspace():
        return None, None
    if cell.startswith(SPOILT_MARK):
        return cell, STILL_SPOILT
    if kind in (Kind.NUMBER, Kind.CERT_ID) and digits_are_lost(cell):
        return cell, DIGITS_LOST
    understand = WORDS.get(kind)
    return (understand(cell) if understand else cell), None


def _read_number(cell: float, kind: Kind) -> tuple[Value, Flaw | None]:
    text = cell_text(cell)
    if kind in (Kind.AMOUNT, Kind.DUTY):
        return _read_text(text, kind)
    return text, NUMBER_CELL if keeps_its_digits(cell) else DIGITS_LOST


def _read_boolean(cell: bool, _kind: Kind) -> tuple[Value, Flaw | None]:
    return cell_text(cell), BOOLEAN_CELL


def _read_unreadable(cell: dict[str, str], _kind: Kind) -> tuple[Value, Flaw | None]:
    return cell_text(cell), UNREADABLE[next(iter(cell))]


def _channel(word: str) -> str:
    return str(BY_SPELLING.get("".join(unicodedata.normalize("NFKC", word).lower().split()), word))


def _office(word: str) -> str:
    return office_named(word) or word


def _duty(text: str) -> Value:
    return int(text) if INTEGER.fullmatch(text) else text


WORDS: dict[Kind, Callable[[str], Value]] = {Kind.CHANNEL: _channel, Kind.OFFICE: _office, Kind.DUTY: _duty}
BY_TYPE: dict[type, Callable[[Any, Kind], tuple[Value, Flaw | None]]] = {
    str: _read_text,
    int: _read_number,
    float: _read_number,
    bool: _read_boolean,
    dict: _read_unreadable,
}


KEY = ("merchant_no", "channel", "office", "out_order_no")

STRAY_CELL = Flaw(
    "cell_without_header",
    Severity.ERROR,
    "a cell of this row stands under no header",
    "Clear it or name its column; in CSV, put quotes around values that hold a comma.",
)
ROW_HIDDEN = Flaw(
    "row_hidden",
    Severity.ERROR,
    "the row is hidden in the workbook, by hand or by a filter",
    "Delete it, or show it and send the file again.",
)
ROWS_DIFFER = Flaw(
    "rows_differ",
    Severity.ERROR,
    "differs from row {first}, the first row of the same order",
    "Make the cells equal, leave this one blank, or give the row its own out_order_no.",
)
ROW_REPEATED = Flaw(
    "row_repeated",
    Severity.ERROR,
    "says nothing that row {first} does not say",
    "Delete one of the rows; if the order is split, give each row its sub_order_no.",
)
SUB_ORDER_MISSING = Flaw(
    "sub_order_missing",
    Severity.ERROR,
    "the order is split, but this row names no sub-order",
    "Give the row its sub_order_no and amounts, or delete it.",
)


@dataclass
class Row:
    """One row: its 1-based number in the file, what is not blank by header, and what is wrong with its cells.

    `sub_order` holds the fields of a part of a split order, `shared` everything else.
    """

    number: int
    shared: dict[str, Value]
    sub_order: dict[str, Value]
    flaws: list[tuple[Field | None, Flaw]]


def read_row(number: int, cells: list[Cell], header: Header) -> Row:
    """Read a row of a file; a missing cell is blank, and so is a placeholder where nothing is needed."""
    row = Row(number, {}, {}, [])
    width = len(cells)
    for place, column in header.placed:
        if place >= width:
            continue
        value, flaw = read_cell(cells[place], column.kind)
        if isinstance(value, str) and column.header not in REQUIRED and is_left_blank(value):
            value = None
        if value is not None and column.part is Part.SUB_ORDER:
            row.sub_order[column.name] = value
        elif value is not None:
            row.shared[column.header] = value
        if flaw is not None:
            row.flaws.append((column, flaw))
    if strays_of(cells, header):
        row.flaws.append((None, STRAY_CELL))
    return row


def strays_of(cells: list[Cell], header: Header) -> list[Cell]:
    """Return the cells of a row that have no header and are not blank."""
    named_nowhere = cells[header.width :] + [cells[place] for place in header.nameless if place < len(cells)]
    return [cell for cell in named_nowhere if not is_blank(cell)]


def group_rows(rows: list[Row]) -> list[list[Row]]:
    """Group rows by order, in the order of the file; a row without a complete key is a group of its own."""
    orders: dict[object, list[Row]] = {}
    above: Row | None = None
    for row in rows:
        if above is not None and continues(above, row):
            row.shared = {name: above.shared[name] for name in KEY if name in above.shared} | row.shared
        complete = all(name in row.shared for name in KEY)
        key: object = tuple(row.shared[name] for name in KEY) if complete else row.number
        orders.setdefault(key, []).append(row)
        above = row
    return list(orders.values())


def continues(above: Row, row: Row) -> bool:
    """Whether blank key cells of a row mean those of the row above: both are parts of a split order."""
    return row.number == above.number + 1 and "sub_order_no" in above.sub_order and "sub_order_no" in row.sub_order


def contradictions(first: Row, row: Row, *, split: bool) -> Iterator[tuple[Field | None, Flaw]]:
    """Compare a row with the first one of its order; `split`: a row of the order names a sub-order."""
    differing = [name for name, value in row.shared.items() if first.shared.get(name) != value]
    for name in differing:
        yield BY_HEADER[name], ROWS_DIFFER
    if row.sub_order:
        return
    if split:
        yield None, SUB_ORDER_MISSING
    elif row is not first and not differing:
        yield None, ROW_REPEATED
