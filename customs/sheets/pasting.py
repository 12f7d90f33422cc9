"""Rows pasted from a spreadsheet: tabs between cells, and with or without the row that names the columns."""

from customs.sheets.cells import Cell
from customs.sheets.columns import COLUMNS, column_spelt
from customs.sheets.reading import LARGEST_FILE, Contents, Form, Grid, delimiter_of, grid_of, read_text
from customs.sheets.unreadable import unreadable

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
    delimiter = TAB if TAB in text else delimiter_of(text)
    contents = Contents(read_text(text, delimiter), delimiter=delimiter)
    if contents.rows and not _names_columns(contents.rows[0][1]):
        header = [column.chinese for column in COLUMNS]
        return Grid(0, header, contents.rows, [], Form.PASTED, "", delimiter)
    return grid_of(contents, Form.PASTED)


def _names_columns(cells: list[Cell]) -> bool:
    return any(column_spelt(str(cell)) for cell in cells)
