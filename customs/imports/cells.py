"""What one cell of a sheet says: its value as a Declaration wants it, and what a spreadsheet has spoilt."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from customs.declarations.channels import BY_SPELLING
from customs.declarations.fields import Kind
from customs.declarations.intake.orders import Severity
from customs.declarations.offices import office_named
from customs.spreadsheets.reader import Cell, cell_text, keeps_its_digits
from customs.text_rules.numbers import digits_are_lost

Value = str | int | None

INTEGER = re.compile(r"-?[0-9]{1,15}")


@dataclass(frozen=True)
class Flaw:
    """What a spreadsheet did to a cell."""

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
UNMENDED = "⚠ "
CELL_UNMENDED = Flaw("cell_unmended", Severity.ERROR, "what a spreadsheet has spoilt is not mended yet", AS_TEXT)
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
SPOILT = frozenset(flaw.code for flaw in (DIGITS_LOST, BOOLEAN_CELL, CELL_UNMENDED, *UNREADABLE.values()))


def read_cell(cell: Cell, kind: Kind) -> tuple[Value, Flaw | None]:
    """The value (None when blank, the raw text when it is not understood) and what is wrong with the cell."""
    return BY_TYPE[type(cell)](cell, kind)


def _read_text(cell: str, kind: Kind) -> tuple[Value, Flaw | None]:
    if not cell or cell.isspace():
        return None, None
    if cell.startswith(UNMENDED):
        return cell, CELL_UNMENDED
    if kind is Kind.NUMBER and digits_are_lost(cell):
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
    return str(BY_SPELLING.get(word.strip().lower(), word))


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
