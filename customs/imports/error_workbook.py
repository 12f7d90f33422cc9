"""The faulty rows of a draft as a workbook: each cell that is wrong in colour, and why in the last column."""

from collections.abc import Callable, Sequence

from flask_babel import gettext
from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from customs.declarations.intake.orders import Finding
from customs.imports.columns import REASONS
from customs.imports.drafts import Draft
from customs.imports.preview_model import Preview, ShownCell, ShownRow
from customs.imports.rows import KEY, SPOILT, SPOILT_MARK
from customs.spreadsheets.reader import Cell, cell_text
from customs.spreadsheets.xlsx_writer import made_in_memory, text_format
from customs.web.i18n import is_chinese

Describe = Callable[[Finding], str]

HEADER = {"bold": True, "bottom": 1, "bg_color": "#EDEFF2"}
ERROR = {"bg_color": "#FADBD8", "font_color": "#922B21"}
WARNING = {"bg_color": "#FCF3CF"}
COLUMN_WIDTH, REASON_WIDTH = 20, 90
# Thousands of comments open slowly, and the last column says the same.
MOST_COMMENTS = 1_000


def faulty_workbook(preview: Preview, describe: Describe) -> bytes:
    """Make a workbook of the rows that submitting would leave; sent again with corrections, it completes the batch.

    Its headers are the file's own; `describe` turns a finding into text in the page's language.
    """
    return made_in_memory(lambda book: _ErrorWorkbook(book, preview, describe).fill())


def faulty_filename(draft: Draft) -> str:
    """Name the workbook after its batch, by which it is recognised when it comes back."""
    return f"{draft.batch_id or draft.id}.xlsx"


class _ErrorWorkbook:
    """One workbook being filled."""

    def __init__(self, book: Workbook, preview: Preview, describe: Describe) -> None:
        self._preview = preview
        self._describe = describe
        self._reason = REASONS[is_chinese()]
        self._sheet: Worksheet = book.add_worksheet(gettext("Faulty rows"))
        self._plain, self._header = text_format(book), text_format(book, **HEADER)
        self._error, self._warning = text_format(book, **ERROR), text_format(book, **WARNING)
        self._reasoning = text_format(book, text_wrap=True)
        self._comments = 0
        self._columns = {place: column.header for place, column in preview.header.placed}
        self._spelt = {one.column.header: one.spelt or one.column.chinese for one in preview.columns}

    def fill(self) -> None:
        rows = self._preview.faulty_rows()
        cells_of = dict(self._preview.grid.rows)
        places = self._places([cells_of[row.number] for row in rows])
        lacking = [one.column.header for one in self._preview.columns if one.spelt is None]
        words = [self._word(place) for place in places] + [self._spelt[name] for name in lacking]
        self._head([*words, self._reason])
        line, above = 0, None
        for row in rows:
            # What is wrong with the file stands once, beside its first row.
            of_file = self._preview.findings if above is None else ()
            # Behind a gap a row without its keys continues no order, as in the file it came from.
            line += 2 if above is not None and row.number != above + 1 and _lacks_a_key(row) else 1
            above = row.number
            cells = cells_of[row.number]
            for at, place in enumerate(places):
                self._write(line, at, cells[place] if place < len(cells) else "", self._cell(row, place))
            for at, name in enumerate(lacking, start=len(places)):
                self._write(line, at, "", row.cells[name])
            self._sheet.write_string(line, len(words), self._why(row, of_file), self._reasoning)

    def _places(self, rows: Sequence[Sequence[Cell]]) -> list[int]:
        """Return the places of the file's columns, without the reasons of an earlier workbook."""
        width = max([self._preview.header.width, *map(len, rows)])
        return [place for place in range(width) if self._word(place).strip().lower() not in REASONS]

    def _word(self, place: int) -> str:
        header = self._preview.grid.header
        return header[place] if place < len(header) else ""

    def _cell(self, row: ShownRow, place: int) -> ShownCell | None:
        return row.cells[self._columns[place]] if place in self._columns else None

    def _head(self, words: Sequence[str]) -> None:
        self._sheet.set_column(0, len(words) - 2, COLUMN_WIDTH, self._plain)
        self._sheet.set_column(len(words) - 1, len(words) - 1, REASON_WIDTH, self._reasoning)
        self._sheet.freeze_panes(1, 0)
        for at, word in enumerate(words):
            self._sheet.write_string(0, at, word, self._header)

    def _write(self, line: int, at: int, cell: Cell, known: ShownCell | None) -> None:
        findings = known.findings if known else ()
        spoilt = any(finding.code in SPOILT for finding in findings)
        text = cell_text(cell)
        look = self._plain
        if known and findings:
            look = self._error if known.is_faulty else self._warning
            self._comment(line, at, "\n".join(map(self._describe, findings)))
        self._sheet.write_string(line, at, SPOILT_MARK + text.removeprefix(SPOILT_MARK) if spoilt else text, look)

    def _comment(self, line: int, at: int, text: str) -> None:
        self._comments += 1
        if self._comments <= MOST_COMMENTS:
            self._sheet.write_comment(line, at, text, {"x_scale": 2, "y_scale": 1.5})

    def _why(self, row: ShownRow, of_file: Sequence[Finding]) -> str:
        """Describe every finding of a row; those of a cell follow the name of its column."""
        of_cells = [
            f"{self._spelt[name]}: {self._describe(finding)}"
            for name, cell in row.cells.items()
            for finding in cell.findings
        ]
        return "\n".join([*map(self._describe, (*of_file, *row.findings)), *of_cells])


def _lacks_a_key(row: ShownRow) -> bool:
    return not all(name in row.cells and row.cells[name].text.strip() for name in KEY)
