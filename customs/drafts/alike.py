"""Cells that are wrong alike: one word in one column of several rows, which one answer mends in all of them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from customs.declarations.findings import Finding
from customs.drafts.mending import CellChange
from customs.drafts.previews import Preview, ShownCell, ShownColumn

# What rows may well share: an order's numbers and amounts are its own, names and ID numbers a person's.
SHARED = frozenset({"channel", "office", "merchant_no", "mch_customs_no", "merchant_customs_name", "duty"})


@dataclass(frozen=True)
class Alike:
    """The rows, by their numbers, that hold the same wrong text in one column, and what is wrong with it."""

    column: ShownColumn
    text: str
    rows: Sequence[int]
    findings: Sequence[Finding]

    def mended(self, value: str) -> list[CellChange]:
        """This value in all of them."""
        return [CellChange(row, self.column.column.header, value) for row in self.rows]


def wrong_alike(preview: Preview) -> list[Alike]:
    """Every wrong text that several rows have, the most frequent first."""
    columns = [one for one in preview.columns if one.column.header in SHARED]
    cells: dict[tuple[ShownColumn, str], list[tuple[int, ShownCell]]] = defaultdict(list)
    for row in preview.rows_to_mend():
        for column in columns:
            cell = row.cells[column.column.header]
            if cell.is_faulty:
                cells[column, cell.text].append((row.number, cell))
    alike = [
        Alike(column, text, [row for row, _ in found], found[0][1].findings)
        for (column, text), found in cells.items()
        if len(found) > 1
    ]
    return sorted(alike, key=lambda one: -len(one.rows))
