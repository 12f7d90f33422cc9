"""The rows of a sheet: what each one says, which of them are one order, and where rows of one order contradict."""

from collections.abc import Iterator
from dataclasses import dataclass

from customs.declarations.fields import REQUIRED, Field, Part
from customs.declarations.intake.orders import Severity
from customs.imports.cells import Flaw, Value, read_cell
from customs.imports.columns import BY_HEADER, Header
from customs.spreadsheets.reader import Cell, is_blank
from customs.text_rules.placeholders import is_left_blank

KEY = ("merchant_no", "channel", "office", "out_order_no")

STRAY_CELL = Flaw(
    "cell_without_header",
    Severity.ERROR,
    "a cell of this row stands under no header",
    "Clear it or name its column; in CSV, put quotes around values that hold a comma.",
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
    """A row of a file; cells that it does not have are blank, as are those that say so where nothing is needed."""
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
    """What stands under no header in a row and is not blank."""
    named_nowhere = cells[header.width :] + [cells[place] for place in header.nameless if place < len(cells)]
    return [cell for cell in named_nowhere if not is_blank(cell)]


def group_rows(rows: list[Row]) -> list[list[Row]]:
    """The rows of each order, in the order of the file; a row whose key is not complete stands alone."""
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
    """What is wrong with a row beside the first one of its order; `split`: a row of the order names a sub-order."""
    differing = [name for name, value in row.shared.items() if first.shared.get(name) != value]
    for name in differing:
        yield BY_HEADER[name], ROWS_DIFFER
    if row.sub_order:
        return
    if split:
        yield None, SUB_ORDER_MISSING
    elif row is not first and not differing:
        yield None, ROW_REPEATED
