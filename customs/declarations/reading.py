"""From the bytes of an upload to rows of cells: what the file is, its encoding, its delimiter, its sheet."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from customs.declarations.cells import Cell, is_blank, read_cell
from customs.declarations.columns import Kind, column_spelt
from customs.declarations.workbook import SAVE_AS
from customs.encodings import encoding_of
from customs.errors import FileUnreadable

LARGEST_FILE = 20 * 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
DELIMITERS = ",\t;，"
# A row of declarations is far shorter, and one line of millions of cells would fill our memory.
LONGEST_LINE = 100_000
WORKBOOK_READER = Path(__file__).with_name("workbook.py")
WORKBOOK_SECONDS = 30


class Form(StrEnum):
    """The two forms a sheet may have."""

    CSV = "CSV text"
    XLSX = "an Excel workbook (XLSX)"


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

Rows = list[tuple[int, list[Cell]]]
Answer = tuple[Rows, list[str]]


@dataclass(frozen=True)
class Grid:
    """The rows that hold something, each with its 1-based number in the file, and the sheets that were not read."""

    header_row: int
    header: list[str]
    rows: Rows
    left_out: list[str]


def read_grid(content: bytes, filename: str) -> Grid:
    """The rows of a CSV or XLSX file of up to 20 MiB; FileUnreadable says what it is instead, and what to do."""
    reads = {Form.CSV: _read_csv, Form.XLSX: _read_workbook}
    rows, left_out = reads[_form(content, filename)](content)
    if not rows:
        raise FileUnreadable("The file is empty. Name the columns in its first row and put an order in each row.")
    (header_row, header), *rows = rows
    if not rows:
        raise FileUnreadable("The file has a header and no rows. Put an order in each row below it.")
    words = [str(read_cell(cell, Kind.NAME)[0] or "") for cell in header]
    return Grid(header_row, words, rows, left_out)


def _form(content: bytes, filename: str) -> Form:
    if not content:
        raise FileUnreadable("The file is empty: it has no bytes. Save it again and send it once more.")
    if len(content) > LARGEST_FILE:
        raise FileUnreadable("The file is larger than 20 MiB. Split it into several.")
    if content.startswith(OLE) and ENCRYPTED in content:
        raise FileUnreadable("The workbook is protected by a password. Remove the password and save it again.")
    beginning = content[:64].lstrip()
    for mark, sentence in FOREIGN.items():
        if beginning.startswith(mark):
            raise FileUnreadable(sentence)
    form = Form.XLSX if content.startswith(ZIP) else Form.CSV
    suffix = Path(filename).suffix.lower()
    if not suffix:
        return form
    named = SUFFIXES.get(suffix)
    if named is None:
        raise FileUnreadable(f"Only files named .xlsx, .csv, .txt or .tsv are read. {SAVE_AS}")
    if named is not form:
        raise FileUnreadable(f"The file is named {suffix} but is {form}. Name it as what it is, or save it as {named}.")
    return form


def _read_csv(content: bytes) -> Answer:
    text = _decode(content)
    if "\0" in text:
        raise FileUnreadable(f"The file holds NUL characters, so it is not text. {SAVE_AS}")
    records = csv.reader(_lines(text), delimiter=_delimiter(text), strict=True)
    try:
        return _rows_that_hold_something(records), []
    except csv.Error as error:
        raise FileUnreadable(
            f"The file is not well-formed CSV near line {records.line_num}: {error}. "
            "Put quotes around values that hold a comma, a quote or a line break, and double the quotes inside."
        ) from None


def _decode(content: bytes) -> str:
    encoding = encoding_of(content)
    if encoding is None:
        raise FileUnreadable(
            "The file is neither UTF-8 nor GB18030 text. Save it as “CSV UTF-8” or as a workbook (.xlsx)."
        )
    return content.decode(encoding)


def _lines(text: str) -> Iterator[str]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            raise FileUnreadable(f"Line {number} of the file is longer than any row of declarations. {SAVE_AS}")
        yield line


def _delimiter(text: str) -> str:
    """The delimiter that finds most known columns in the first row."""
    first = next(filter(str.strip, _lines(text)), "")

    def columns_found(delimiter: str) -> int:
        words = next(csv.reader([first], delimiter=delimiter), [])
        return sum(column_spelt(word) is not None for word in words)

    return max(DELIMITERS, key=columns_found)


def _read_workbook(content: bytes) -> Answer:
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
        raise FileUnreadable(
            "The workbook is damaged, or holds far more than a batch can need. "
            "Copy its rows into a new workbook and send that."
        ) from None
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise FileUnreadable(answer["refused"])
    return _rows_that_hold_something(answer["rows"]), answer["left_out"]


def _rows_that_hold_something(records: Iterable[Sequence[Cell]]) -> Rows:
    rows: Rows = []
    for number, cells in enumerate(records, start=1):
        if all(map(is_blank, cells)):
            continue
        if len(cells) > MOST_COLUMNS:
            raise FileUnreadable(f"Row {number} has {len(cells):,} columns. Keep the columns of a declaration only.")
        if len(rows) > MOST_ROWS:
            raise FileUnreadable(f"The file has more than {MOST_ROWS:,} rows. Split it into several.")
        rows.append((number, list(cells)))
    return rows
