"""Preview of a draft: its columns, its totals, and its rows with the findings at each cell."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from zlib import crc32

from customs.declarations.fields import Field
from customs.declarations.intake.orders import Finding, Severity
from customs.declarations.reading.dashboard import EarlierSubmission
from customs.gateway import Channel
from customs.imports.columns import Header
from customs.imports.drafts import Draft, Replacement
from customs.imports.rows import strays_of
from customs.imports.sheet import column_at
from customs.spreadsheets.reader import Cell, Grid, cell_text

# Errors that say: this is declared already, or stands twice in the file.
DUPLICATES = frozenset({"row_repeated", "repeated_in_batch", "already_declared", "declared_elsewhere"})


class RowStatus(StrEnum):
    """Status of a row, in the order in which rows are shown. UNCHECKED: a required column has no header yet."""

    FAULTY = "faulty"
    WARNED = "warned"
    REPLAYED = "replayed"
    GOOD = "good"
    UNCHECKED = "unchecked"


SHOWN_IN_ORDER = list(RowStatus)


class Tab(StrEnum):
    """A tab of a draft's page, in the order in which they are shown; its value is its word in addresses."""

    TO_CORRECT = "mend"
    TO_CHECK = "check"
    VALID = "rest"


@dataclass(frozen=True)
class ShownColumn:
    """A column of the preview; `spelt` is its header in the file, None where the file lacks it and a row needs it."""

    column: Field
    spelt: str | None


@dataclass(frozen=True)
class ShownCell:
    """Text of a cell, and the findings about it."""

    text: str
    findings: Sequence[Finding] = ()

    @property
    def is_faulty(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True)
class ShownRow:
    """One row by its number in the file: `cells` by the English names of its columns, and findings about the row.

    An order may take several rows and is submitted at once: `status` is the order's. `strays` are cells without a
    header. `replays` is the declaration that the order repeats.
    """

    number: int
    status: RowStatus
    cells: Mapping[str, ShownCell]
    findings: Sequence[Finding]
    strays: Sequence[str]
    replays: str | None

    @property
    def every_finding(self) -> list[Finding]:
        return [*self.findings, *(finding for cell in self.cells.values() for finding in cell.findings)]

    @property
    def is_duplicate(self) -> bool:
        return any(finding.code in DUPLICATES for finding in self.every_finding)


@dataclass(frozen=True)
class Totals:
    """Counts and sums of a file. Amounts are sums of sub-orders in yuan, of all that can be read and of the good ones.

    Only split declarations have any: `good_split` of the good ones.

    `good` declarations would be stored now, `new_rows` are theirs, `good_rows` also those of replays. `offices` counts
    the good ones by channel and office.
    """

    rows: int
    declarations: int = 0
    sub_orders: int = 0
    good: int = 0
    replayed: int = 0
    faulty: int = 0
    duplicates: int = 0
    warnings: int = 0
    good_rows: int = 0
    new_rows: int = 0
    amount: Decimal = Decimal()
    good_amount: Decimal = Decimal()
    good_split: int = 0
    offices: Mapping[tuple[Channel, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A checked draft. `findings` are about the file; `unmatched` are unknown headers by their place in it.

    `lines` are the rows in the order in which they are shown, each with the status of its order; `heads` names the
    first row of that order for each of them. `earlier` are the batches that brought what is repeated.
    `undo` is the replacement that can be undone next.
    """

    draft: Draft
    grid: Grid
    header: Header
    columns: Sequence[ShownColumn]
    missing: Sequence[Field]
    findings: Sequence[Finding]
    totals: Totals
    lines: Sequence[tuple[int, RowStatus]]
    of_rows: Mapping[int, Sequence[Finding]]
    replays: Mapping[int, str]
    heads: Mapping[int, int]
    earlier: Sequence[EarlierSubmission]
    undo: Replacement | None

    @property
    def unmatched(self) -> Sequence[tuple[int, str]]:
        return self.header.unknown

    @property
    def header_is_assumed(self) -> bool:
        """Whether no row names the columns, so that they stand in the template's order."""
        return self.grid.header_row == 0

    @property
    def has_batch_error(self) -> bool:
        """Whether something is wrong with the file rather than with one of its rows."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def rows_to_submit(self) -> int:
        """The rows that submitting takes: new ones, and for the batch that a draft completes also repeated ones."""
        return self.totals.good_rows if self.draft.batch_id else self.totals.new_rows

    @property
    def has_nothing_new(self) -> bool:
        """Whether all that could be submitted was submitted before."""
        return bool(self.replays) and not self.rows_to_submit

    @property
    def may_submit(self) -> bool:
        return self.rows_to_submit > 0 and not self.has_batch_error

    def rows(self, offset: int = 0, limit: int | None = None) -> list[ShownRow]:
        """A page of the rows, the faulty ones first."""
        return [self._row(*line) for line in self.lines[offset : None if limit is None else offset + limit]]

    def faulty_rows(self) -> list[ShownRow]:
        """Return the rows that submitting would leave, in the order of the file."""
        left = (line for line in self.lines if self.has_batch_error or line[1] is RowStatus.FAULTY)
        return [self._row(*line) for line in sorted(left)]

    def row(self, number: int) -> ShownRow | None:
        """Return one row by its number in the file; None when the draft no longer has it."""
        return self._row(number, self._statuses[number]) if number in self._statuses else None

    @cached_property
    def _cells(self) -> Mapping[int, list[Cell]]:
        return dict(self.grid.rows)

    @cached_property
    def _statuses(self) -> Mapping[int, RowStatus]:
        return dict(self.lines)

    def _row(self, number: int, status: RowStatus) -> ShownRow:
        cells = self._cells[number]
        at_cells: dict[str, list[Finding]] = defaultdict(list)
        of_row: list[Finding] = []
        for finding in self.of_rows.get(number, ()):
            column = column_at(finding.pointer)
            (at_cells[column.header] if column else of_row).append(finding)
        texts = {column.header: cell_text(cells[place]) for place, column in self.header.placed if place < len(cells)}
        return ShownRow(
            number,
            status,
            {
                one.column.header: ShownCell(texts.get(one.column.header, ""), at_cells.get(one.column.header, ()))
                for one in self.columns
            },
            of_row,
            [cell_text(cell) for cell in strays_of(cells, self.header)],
            self.replays.get(number),
        )


@dataclass(frozen=True)
class RepeatedError:
    """One wrong text in one column of several rows, by their numbers, and the findings about it.

    `within` are the texts that these rows share in the columns on which the right value depends.
    """

    column: ShownColumn
    text: str
    within: tuple[str, ...]
    rows: Sequence[int]
    findings: Sequence[Finding]

    @property
    def key(self) -> str:
        """Identify the group while its text is the same: what is typed for one is never meant for another."""
        return f"{crc32(repr((self.column.column.header, self.text, self.within)).encode()):08x}"


def repeated_errors(preview: Preview) -> list[RepeatedError]:
    """Group rows by the wrong text that they share, the most frequent first."""
    columns = [one for one in preview.columns if one.column.same_within is not None]
    cells: dict[tuple[ShownColumn, str, tuple[str, ...]], list[tuple[int, ShownCell]]] = defaultdict(list)
    for row in preview.faulty_rows():
        for column in columns:
            cell = row.cells[column.column.header]
            if cell.is_faulty and (within := _within(preview, row, column.column.same_within or ())) is not None:
                cells[column, cell.text, within].append((row.number, cell))
    groups = [
        RepeatedError(column, text, within, [row for row, _ in found], found[0][1].findings)
        for (column, text, within), found in cells.items()
        if len(found) > 1
    ]
    return sorted(groups, key=lambda one: -len(one.rows))


def _within(preview: Preview, row: ShownRow, names: Sequence[str]) -> tuple[str, ...] | None:
    """Return a row's texts in these columns; None where one is blank."""
    texts = tuple(_text(preview, row, name) for name in names)
    return texts if all(texts) else None


def _text(preview: Preview, row: ShownRow, name: str) -> str:
    """Return the text of a cell; further rows of a split order leave blank what its first row holds."""
    own = row.cells[name].text.strip() if name in row.cells else ""
    head = preview.heads.get(row.number, row.number)
    if own or head == row.number:
        return own
    first = preview.row(head)
    return first.cells[name].text.strip() if first and name in first.cells else ""
