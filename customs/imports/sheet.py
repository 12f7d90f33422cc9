"""A spreadsheet as declarations: rows become orders and their parts, and a finding knows the cell it is about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from customs.declarations.fields import FIELDS, REQUIRED, Field, Part
from customs.declarations.intake.orders import Finding, Severity
from customs.imports.cleaning import clean_grid
from customs.imports.columns import (
    BY_HEADER,
    BY_PATH,
    BY_SPELLING,
    Header,
    column_spelt,
    match_header,
    read_header,
)
from customs.imports.rows import NUMBER_CELL, ROW_HIDDEN, Flaw, Row, Value, contradictions, group_rows, read_row
from customs.spreadsheets.reader import (
    LARGEST_FILE,
    Cell,
    Contents,
    Form,
    Grid,
    below_preamble,
    delimiter_of,
    grid_of,
    read_grid,
    read_text,
    unreadable,
)
from customs.web.i18n import LANGUAGES, translate

MOST_DECLARATIONS = 10_000
# Sheets of these names come with the template, and hold no orders.
NOTES = tuple(translate("Notes", language) for language in LANGUAGES)
POINTER = re.compile(r"/declarations/([0-9]{1,9})(?:/sub_orders/([0-9]{1,9}))?(/.+)?")


@dataclass(frozen=True)
class Place:
    """The rows a declaration came from: all of them, and that of each sub-order."""

    rows: tuple[int, ...]
    sub_rows: tuple[int, ...]

    @property
    def row(self) -> int:
        return self.rows[0]


@dataclass(frozen=True)
class Sheet:
    """The declarations of a file in the contract's JSON shape; raw text stands where a cell was not understood.

    `findings` are what only the sheet can know; one with the pointer "" is about the file.
    `headers` gives the header, as the file spells it, for the end of a pointer.
    """

    declarations: list[dict[str, Any]]
    findings: list[Finding]
    places: list[Place]
    headers: dict[str, str]

    def locate(self, pointer: str) -> tuple[int | None, str | None]:
        """The row and the column's header, as the file spells it, of a pointer below /declarations/N."""
        match = POINTER.fullmatch(pointer)
        if match is None or int(match[1]) >= len(self.places):
            return None, None
        place, path = self.places[int(match[1])], match[3] or ""
        if match[2] is None:
            return place.row, self.headers.get(path)
        index = int(match[2])
        row = place.sub_rows[index] if index < len(place.sub_rows) else place.row
        return row, self.headers.get(Part.SUB_ORDER.value + path)


def column_at(pointer: str) -> Field | None:
    """The column that a pointer below /declarations/N is about; None for a row."""
    match = POINTER.fullmatch(pointer)
    if match is None:
        return None
    part = "" if match[2] is None else Part.SUB_ORDER.value
    return BY_PATH.get(part + (match[3] or ""))


def read_sheet(content: bytes, filename: str) -> Sheet:
    """The declarations in a CSV or XLSX file; FileUnreadable says what it is not, and what to do."""
    grid = read_orders(content, filename)
    return sheet_of(grid, read_header(grid.header, REQUIRED))


def read_orders(content: bytes, filename: str) -> Grid:
    """Read the rows of a CSV or XLSX file, with what exports put around their values taken off."""
    grid = read_grid(content, filename, BY_SPELLING, _is_column)
    return clean_grid(grid, match_header(grid.header))


def sheet_of(grid: Grid, header: Header) -> Sheet:
    """The declarations in rows under a header; FileUnreadable when there are too many."""
    orders = group_rows([read_row(number, cells, header) for number, cells in grid.rows])
    if len(orders) > MOST_DECLARATIONS:
        raise unreadable(
            "too_many_declarations",
            f"The file holds {len(orders):,} declarations and a batch takes {MOST_DECLARATIONS:,}. "
            "Split it into several.",
        )
    return Sheet(
        declarations=[_declaration(order) for order in orders],
        findings=[*_file_findings(grid, header), *_row_findings(orders, header, frozenset(grid.hidden))],
        places=[_place(order) for order in orders],
        headers={column.path: word for column, word in header.spelt.items()},
    )


def _place(order: list[Row]) -> Place:
    return Place(tuple(row.number for row in order), tuple(row.number for row in order if row.sub_order))


def _declaration(order: list[Row]) -> dict[str, Any]:
    declaration: dict[str, Any] = {}
    buyer: dict[str, Value] = {}
    for name, value in order[0].shared.items():
        column = BY_HEADER[name]
        part = buyer if column.part is Part.BUYER else declaration
        part[column.name] = value
    if buyer:
        declaration["buyer"] = buyer
    sub_orders = [row.sub_order for row in order if row.sub_order]
    if sub_orders:
        declaration["sub_orders"] = sub_orders
    return declaration


def _file_findings(grid: Grid, header: Header) -> Iterator[Finding]:
    for _, word in header.unknown:
        yield Finding(
            "",
            grid.header_row,
            word,
            "column_unknown",
            Severity.ERROR,
            "no column has this name",
            f"Delete the column, or spell it as one of: {', '.join(BY_HEADER)}.",
        )
    for name in grid.left_out:
        if name in NOTES:
            continue
        read = f"“{grid.sheet}”" if grid.sheet else "the first sheet"
        yield Finding(
            "",
            None,
            None,
            "sheet_left_out",
            Severity.WARNING,
            f"only {read} is read, not “{name}”",
            "Put all rows on one sheet, or send the others as files of their own.",
        )
    if grid.totals:
        yield Finding(
            "",
            grid.totals[0],
            None,
            "totals_left_out",
            Severity.WARNING,
            f"left out as totals: row {', '.join(map(str, grid.totals))}",
            "Nothing is to be done; if it is an order, take the word off and send the file again.",
        )
    if grid.items:
        yield Finding(
            "",
            grid.items[0],
            None,
            "rows_joined",
            Severity.WARNING,
            f"{len(grid.items)} rows named further goods of an order above and were joined with it",
            "Nothing is to be done; an order is declared once.",
        )
    for column, word in header.spelt.items():
        if column.header in grid.cleaned:
            yield Finding(
                "",
                None,
                word,
                "cells_cleaned",
                Severity.WARNING,
                grid.cleaned[column.header],
                "Nothing is to be done; compare where in doubt.",
            )


def _row_findings(orders: list[list[Row]], header: Header, hidden: frozenset[int]) -> Iterator[Finding]:
    stored_as_numbers: set[Field | None] = set()
    for index, order in enumerate(orders):
        first, sub_orders = order[0], 0
        split = any("sub_order_no" in row.sub_order for row in order)
        for row in order:
            unseen = ((None, ROW_HIDDEN),) if row.number in hidden else ()
            for column, flaw in (*unseen, *row.flaws, *contradictions(first, row, split=split)):
                if flaw is NUMBER_CELL:
                    # The cure is one for all of the column, so its first cell speaks for all.
                    if column in stored_as_numbers:
                        continue
                    stored_as_numbers.add(column)
                yield _finding(index, sub_orders, row, first.number, column, flaw, header)
            sub_orders += bool(row.sub_order)


def _finding(
    index: int, sub_order: int, row: Row, first: int, column: Field | None, flaw: Flaw, header: Header
) -> Finding:
    pointer, word = f"/declarations/{index}", None
    if column is not None:
        part = f"/sub_orders/{sub_order}" if column.part is Part.SUB_ORDER else column.part.value
        pointer, word = f"{pointer}{part}/{column.name}", header.spelt[column]
    detail = flaw.detail.format(first=first)
    return Finding(pointer, row.number, word, flaw.code, flaw.severity, detail, flaw.action)


TAB = "\t"


def read_pasted(text: str) -> Grid:
    """The rows of a pasted text; without a header (`header_row` 0) its columns stand in the template's order.

    FileUnreadable says what is wrong with it, and what to do.
    """
    if len(text) > LARGEST_FILE:
        raise unreadable(
            "file_too_large", "More was pasted than a batch can hold. Send it as a file, or in several parts."
        )
    # What a spreadsheet copies has tabs; commas inside its cells are no delimiters.
    delimiter = TAB if TAB in text else delimiter_of(text, BY_SPELLING)
    contents = below_preamble(Contents(read_text(text, delimiter), delimiter=delimiter), _is_column)
    if contents.rows and not _names_columns(contents.rows[0][1]):
        header = [column.chinese for column in FIELDS]
        grid = Grid(0, header, contents.rows, [], Form.PASTED, "", delimiter)
    else:
        grid = grid_of(contents, Form.PASTED)
    return clean_grid(grid, match_header(grid.header))


def _names_columns(cells: list[Cell]) -> bool:
    return any(_is_column(str(cell)) for cell in cells)


def _is_column(word: str) -> bool:
    return column_spelt(word) is not None
