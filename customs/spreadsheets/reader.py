"""Read an upload as rows of cells: find its type, encoding, delimiter and sheet."""

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from customs.errors import ErrorDetail, FileUnreadable
from customs.spreadsheets.encodings import encoding_of, holds_two, rival_of_gb18030
from customs.spreadsheets.xlsx_process import SAVE_AS


def unreadable(code: str, detail: str) -> FileUnreadable:
    """Return the error that refuses a file."""
    return FileUnreadable(detail, errors=[ErrorDetail("", code, detail)])


LARGEST_FILE = 20 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
# Rows in which a header is looked for: exports write titles, periods and counts above it.
HEADER_WITHIN = 30
DELIMITERS = ",\t;，"
BYTE_ORDER_MARK, END_OF_FILE = "\ufeff", "\x1a"
# Excel's own way to say in a file's first line what its delimiter is.
DELIMITER_LINE = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)
# Blanks before a cell's quote, as some programs write them; csv then takes the quote as text.
BLANK_BEFORE_QUOTE = re.compile(r'[,;\t] +"')
TOTAL = re.compile(
    r"\s*(?:合计|总计|小计|共计|汇总|合計|總計|小計|共\s*\d+\s*[条笔单行]|(?:sub|grand )?total\b|sum\b)", re.IGNORECASE
)
# A row of declarations is far shorter, and one line of millions of cells would fill our memory.
LONGEST_LINE = 100_000
WORKBOOK_READER = Path(__file__).with_name("xlsx_process.py")
WORKBOOK_SECONDS = 30


class Form(StrEnum):
    """Format of an upload: one of two kinds of file, or pasted text."""

    CSV = "csv"
    XLSX = "xlsx"
    PASTED = "pasted"


WHAT_IT_IS = {Form.CSV: "CSV text", Form.XLSX: "an Excel workbook (XLSX)"}
SUFFIXES = {".csv": Form.CSV, ".txt": Form.CSV, ".tsv": Form.CSV, ".xlsx": Form.XLSX}
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Excel wraps a workbook with a password in the container of its old format.
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
FOREIGN = {
    OLE: f"The file is an old Excel file (.xls). {SAVE_AS}",
    b"%PDF": f"The file is a PDF. {SAVE_AS}",
    b"{": "The file is JSON. Send it to the API, or name it .json.",
    b"[": "The file is JSON. Send it to the API, or name it .json.",
    b"<": f"The file is a web page or XML. {SAVE_AS}",
}

# Encodings by Python's names, as people write them.
ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8 BOM", "utf-16": "UTF-16", "gb18030": "GB18030"}

# Text, a number, a truth value; or, from a workbook, what could not be read as a dict of one key.
Cell = str | int | float | bool | dict[str, str]
Rows = list[tuple[int, list[Cell]]]

# A double keeps 15 decimal digits of any number; the 16th may already be another one.
DIGITS_KEPT = 10**15


@dataclass(frozen=True)
class Contents:
    """Content of a file before its header is known; `encoding` and `delimiter` only for text, the others for workbooks.

    `sheet` is the one that is read where it is not the first, `hidden` the numbers of its hidden rows.
    """

    rows: Rows
    left_out: list[str] = field(default_factory=list)
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    hidden: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Grid:
    """Rows that are not blank, each with its 1-based number in the file, and the sheets that were not read.

    `header_row` is 0 where no row named the columns: pasted rows then stand in the template's order. `sheet` and
    `hidden` are as in `Contents`; `totals` the rows below that were left out as totals, `items` those
    that only named further goods of an order; `cleaned` says by column what
    was taken off its cells.
    """

    header_row: int
    header: list[str]
    rows: Rows
    left_out: list[str]
    form: Form
    encoding: str
    delimiter: str
    sheet: str = ""
    hidden: list[int] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    cleaned: dict[str, str] = field(default_factory=dict)


def is_blank(cell: Cell) -> bool:
    return isinstance(cell, str) and not cell.strip()


def keeps_its_digits(cell: float) -> bool:
    """Whether a number is an integer short enough for a double to hold all of its digits."""
    return float(cell).is_integer() and abs(cell) < DIGITS_KEPT


def cell_text(cell: Cell) -> str:
    """Return what a person sees in the cell."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dict):
        return next(iter(cell.values()))
    if isinstance(cell, bool):
        return str(cell).upper()
    return str(int(cell)) if keeps_its_digits(cell) else repr(cell)


def read_grid(
    content: bytes, filename: str, columns: Collection[str] = (), is_header: Callable[[str], bool] = bool
) -> Grid:
    """Read the rows of a CSV or XLSX file of up to 20 MiB.

    `columns` are the headers that may be expected, in lower case: they tell which delimiter a text has. `is_header`
    knows one however it is decorated: the header is the row, of the first 30, that has most of them.
    FileUnreadable says what the file is instead, and what to do.
    """
    form = _form(content, filename)
    contents = _read_workbook(content, is_header) if form is Form.XLSX else _read_csv(content, columns)
    return grid_of(below_preamble(contents, is_header), form)


def below_preamble(contents: Contents, is_header: Callable[[str], bool]) -> Contents:
    """Leave out what stands above the header."""
    found = headers_in(contents, is_header)
    # A single known word may well stand in a title.
    at = found.index(max(found)) if found and max(found) > max(1, found[0]) else 0
    return replace(contents, rows=contents.rows[at:])


def headers_in(contents: Contents, is_header: Callable[[str], bool]) -> list[int]:
    """Count the known headers in each of the first rows."""
    return [
        sum(isinstance(cell, str) and not is_blank(cell) and is_header(cell) for cell in cells)
        for _, cells in contents.rows[:HEADER_WITHIN]
    ]


def grid_of(contents: Contents, form: Form) -> Grid:
    """Return the rows below the header; raise FileUnreadable when there are none."""
    if not contents.rows:
        raise unreadable(
            "file_empty", "The file is empty. Name the columns in its first row and put an order in each row."
        )
    (header_row, header), *rows = contents.rows
    if not rows:
        raise unreadable("file_without_rows", "The file has a header and no rows. Put an order in each row below it.")
    words = [cell_text(cell).strip() for cell in header]
    totals = _totals_below(rows, sum(map(bool, words)))
    read = [row for row in rows if row[0] not in totals]
    numbers = {number for number, _ in read}
    return Grid(
        header_row,
        words,
        read,
        contents.left_out,
        form,
        contents.encoding,
        contents.delimiter,
        contents.sheet,
        [number for number in contents.hidden if number in numbers],
        totals,
    )


def _totals_below(rows: Rows, width: int) -> list[int]:
    """Return the numbers of the last rows that are totals: a word says so, and most of their cells are blank."""
    totals: list[int] = []
    for number, cells in reversed(rows[1:]):
        filled = [cell for cell in cells if not is_blank(cell)]
        if not (2 * len(filled) <= width and any(isinstance(cell, str) and TOTAL.match(cell) for cell in filled)):
            break
        totals.insert(0, number)
    return totals


def _form(content: bytes, filename: str) -> Form:
    if not content:
        raise unreadable("file_empty", "The file is empty: it has no bytes. Save it again and send it once more.")
    if len(content) > LARGEST_FILE:
        raise unreadable("file_too_large", "The file is larger than 20 MiB. Split it into several.")
    if content.startswith(OLE) and ENCRYPTED in content:
        raise unreadable(
            "file_protected", "The workbook is protected by a password. Remove the password and save it again."
        )
    beginning = content[:64].lstrip()
    for mark, sentence in FOREIGN.items():
        if beginning.startswith(mark):
            raise unreadable("file_of_another_kind", sentence)
    form = Form.XLSX if content.startswith(ZIP) else Form.CSV
    suffix = Path(filename).suffix.lower()
    if not suffix:
        return form
    named = SUFFIXES.get(suffix)
    if named is None:
        raise unreadable("file_of_another_kind", f"Only files named .xlsx, .csv, .txt or .tsv are read. {SAVE_AS}")
    if named is not form:
        raise unreadable(
            "file_misnamed",
            f"The file is named {suffix} but is {WHAT_IT_IS[form]}. "
            f"Name it as what it is, or save it as {WHAT_IT_IS[named]}.",
        )
    return form


def _read_csv(content: bytes, columns: Collection[str]) -> Contents:
    encoding = encoding_of(content)
    _require_one_encoding(content, encoding)
    if encoding is None:
        raise unreadable(
            "encoding_unknown",
            "The file is neither UTF-8 nor GB18030 text. Save it as “CSV UTF-8” or as a workbook (.xlsx).",
        )
    # Joined files leave a mark before each, and old editors an end-of-file sign.
    text = content.decode(encoding).lstrip(BYTE_ORDER_MARK).rstrip(END_OF_FILE)
    if named := DELIMITER_LINE.match(text):
        text, delimiter = "\n" + text[named.end() :], named[1]
    else:
        delimiter = delimiter_of(text, columns)
    return Contents(read_text(text, delimiter), encoding=ENCODINGS[encoding], delimiter=delimiter)


def _require_one_encoding(content: bytes, encoding: str | None) -> None:
    """Decode text; raise FileUnreadable where names might be read wrongly."""
    if encoding in (None, "gb18030") and holds_two(content):
        raise unreadable(
            "encoding_mixed",
            "The file as a whole is neither UTF-8 nor GB18030: two files were joined, or some of it is damaged. "
            "Send each as a file of its own, or save all of it as “CSV UTF-8”.",
        )
    if encoding == "gb18030" and (rival := rival_of_gb18030(content)):
        raise unreadable(
            "encoding_doubtful",
            f"The file is more likely {rival} than GB18030, so its names would become other people's. "
            "Save it as “CSV UTF-8” or as a workbook (.xlsx).",
        )


def read_text(text: str, delimiter: str) -> Rows:
    """Return the rows of delimited text; raise FileUnreadable where it is not well formed."""
    if "\0" in text:
        raise unreadable("file_not_text", f"The file holds NUL characters, so it is not text. {SAVE_AS}")
    blanks = BLANK_BEFORE_QUOTE.search(text) is not None
    records = csv.reader(_lines(text), delimiter=delimiter, strict=True, skipinitialspace=blanks)
    try:
        return _rows_that_hold_something(records)
    except csv.Error as error:
        raise unreadable(
            "csv_broken",
            f"The file is not well-formed CSV near line {records.line_num}: {error}. "
            "Put quotes around values that hold a comma, a quote or a line break, and double the quotes inside.",
        ) from None


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            raise unreadable(
                "line_too_long", f"Line {number} of the file is longer than any row of declarations. {SAVE_AS}"
            )
        yield line


def delimiter_of(text: str, columns: Collection[str]) -> str:
    """Return the delimiter that yields most known columns in one of the first rows, else the first's most frequent."""
    firsts = list(islice(filter(str.strip, _lines(text)), HEADER_WITHIN))

    def columns_found(delimiter: str) -> tuple[int, int]:
        rows = (next(csv.reader([line], delimiter=delimiter), []) for line in firsts)
        found = (sum(word.strip().lower() in columns for word in words) for words in rows)
        return max(found, default=0), firsts[0].count(delimiter) if firsts else 0

    return max(DELIMITERS, key=columns_found)


def _read_workbook(content: bytes, is_header: Callable[[str], bool]) -> Contents:
    """Read the sheet whose header is known best, the first of several alike."""
    sheets = [
        Contents(_rows_that_hold_something(sheet["rows"]), sheet=sheet["name"], hidden=sheet["hidden"])
        for sheet in _sheets_of(content)
    ]
    if not sheets:
        return Contents([])
    best = max(sheets, key=lambda sheet: max(headers_in(sheet, is_header), default=0))
    others = [sheet.sheet for sheet in sheets if sheet is not best]
    return replace(best, left_out=others, sheet="" if best is sheets[0] else best.sheet)


def _sheets_of(content: bytes) -> list[dict[str, Any]]:
    command = [sys.executable, "-I", str(WORKBOOK_READER)]
    try:
        # Nothing of our environment, with its keys, is handed to the process that opens a stranger's file.
        done = subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            timeout=WORKBOOK_SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise unreadable(
            "workbook_damaged",
            "The workbook is damaged, or holds far more than a batch can need. "
            "Copy its rows into a new workbook and send that.",
        ) from None
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise unreadable("workbook_refused", answer["refused"])
    sheets: list[dict[str, Any]] = answer["sheets"]
    return sheets


def _rows_that_hold_something(records: Iterable[Sequence[Cell]]) -> Rows:
    rows: Rows = []
    for number, cells in enumerate(records, start=1):
        if all(map(is_blank, cells)):
            continue
        if len(cells) > MOST_COLUMNS:
            raise unreadable(
                "row_too_wide", f"Row {number} has {len(cells):,} columns. Keep the columns of a declaration only."
            )
        if len(rows) > MOST_ROWS:
            raise unreadable("too_many_rows", f"The file has more than {MOST_ROWS:,} rows. Split it into several.")
        rows.append((number, list(cells)))
    return rows
