"""Split the bytes of a bill into records: the encoding, the header, the delimiter, the cells of each line."""

import csv
import io
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from customs.reconciliation.columns import Header, read_header
from customs.spreadsheets.encodings import ENCODINGS, encoding_of

DELIMITERS = ("\t", ",", ";", "|")
# Titles stand above the header, and are few.
MOST_TITLE_LINES = 200
LONGEST_LINE = 100_000
# A description may hold line breaks; more of them is a quote that nobody closed.
MOST_LINES_OF_A_RECORD = 5
DAMAGED = "\ufffd"

NumberedLines = Iterator[tuple[int, str]]


class Record(NamedTuple):
    """One record, which may have several lines; `number` is that of its first line."""

    number: int
    cells: list[str]
    raw: str


class Shape(NamedTuple):
    """Encoding, delimiter and header of a bill."""

    encoding: str
    delimiter: str
    header: Header


def shape_of(content: bytes) -> Shape | None:
    """Find out how a bill is written; None when no line is a header, in whatever encoding."""
    for encoding in _encodings(content):
        for number, line in _lines(content, encoding):
            if number > MOST_TITLE_LINES:
                break
            read = ((one, read_header(cells_of(line[:LONGEST_LINE], one))) for one in DELIMITERS if one in line)
            found = [Shape(encoding, delimiter, header) for delimiter, header in read if header is not None]
            if found:
                return max(found, key=lambda shape: shape.header.fields_found)
    return None


def records_of(content: bytes, shape: Shape) -> Iterator[Record]:
    """The lines that hold something, as cells; a quoted value may go on over a few of them."""
    lines, delimiter = _lines(content, shape.encoding), shape.delimiter
    ahead: deque[tuple[int, str]] = deque()
    while (found := ahead.popleft() if ahead else next(lines, None)) is not None:
        number, raw = found
        if not raw.strip(f'{delimiter} \t"`'):
            continue
        if raw.count('"') % 2:
            _look_ahead(ahead, lines)
            raw = _complete_record(raw, ahead, shape)
        yield Record(number, cells_of(raw[:LONGEST_LINE], delimiter), raw)


def cells_of(raw: str, delimiter: str) -> list[str]:
    """The cells of one record; quotes that do not add up are taken as they stand."""
    if raw.startswith("`"):
        # WeChat's way: the backtick that begins each value tells a delimiter from a comma inside one.
        return raw.removeprefix("`").split(f"{delimiter}`")
    if '"' in raw:
        with suppress(csv.Error):
            records = list(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter, strict=True))
            if len(records) == 1:
                return records[0]
    return raw.split(delimiter)


def _encodings(content: bytes) -> list[str]:
    """The likeliest first: one damaged byte shall not make a bill illegible."""
    likely = encoding_of(content) or min(ENCODINGS, key=lambda one: content.decode(one, "replace").count(DAMAGED))
    return list(dict.fromkeys((likely, *ENCODINGS)))


def _lines(content: bytes, encoding: str) -> NumberedLines:
    text = io.TextIOWrapper(io.BytesIO(content), encoding, errors="replace")
    return enumerate((line.removesuffix("\n") for line in text), start=1)


def _look_ahead(ahead: deque[tuple[int, str]], lines: NumberedLines) -> None:
    while len(ahead) < MOST_LINES_OF_A_RECORD - 1 and (more := next(lines, None)) is not None:
        ahead.append(more)


def _complete_record(raw: str, ahead: deque[tuple[int, str]], shape: Shape) -> str:
    """The record that begins with `raw`; lines of `ahead` are taken only where they complete it."""
    joined = raw
    for taken, (_, line) in enumerate(ahead, start=1):
        joined = f"{joined}\n{line}"
        if len(joined) > LONGEST_LINE:
            break
        if joined.count('"') % 2 == 0:
            if len(cells_of(joined, shape.delimiter)) == shape.header.width:
                for _ in range(taken):
                    ahead.popleft()
                return joined
            break
    return raw
