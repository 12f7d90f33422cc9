"""Cells that are wrong alike: one word in one column of several rows, which one answer mends in all of them.

One answer never reaches across merchants, nor across anything else that the value depends on.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from customs.declarations.findings import Finding
from customs.drafts.previews import Preview, ShownCell, ShownColumn, ShownRow

REGISTERED = ("merchant_no", "channel", "office")
# What rows may well share, and by which other cells a right value differs: a registration is one merchant's own with
# one office for one channel. An order's numbers and amounts are its own, names and ID numbers a person's.
DEPENDS_ON: Mapping[str, tuple[str, ...]] = {
    "merchant_no": (),
    "channel": ("merchant_no",),
    "office": ("merchant_no",),
    "mch_customs_no": REGISTERED,
    "merchant_customs_name": REGISTERED,
    "duty": REGISTERED,
}


@dataclass(frozen=True)
class Alike:
    """The rows, by their numbers, that hold the same wrong text in one column, and what is wrong with it.

    `within` are the texts that these rows share in the columns on which the right value depends.
    """

    column: ShownColumn
    text: str
    within: tuple[str, ...]
    rows: Sequence[int]
    findings: Sequence[Finding]

    @property
    def key(self) -> str:
        """A name for the group while it is the same: what is typed for one is never meant for another."""
        return f"{crc32(repr((self.column.column.header, self.text, self.within)).encode()):08x}"


def wrong_alike(preview: Preview) -> list[Alike]:
    """Every wrong text that several rows have, the most frequent first."""
    columns = [one for one in preview.columns if one.column.header in DEPENDS_ON]
    cells: dict[tuple[ShownColumn, str, tuple[str, ...]], list[tuple[int, ShownCell]]] = defaultdict(list)
    for row in preview.rows_to_mend():
        for column in columns:
            cell = row.cells[column.column.header]
            if cell.is_faulty and (within := _within(preview, row, DEPENDS_ON[column.column.header])) is not None:
                cells[column, cell.text, within].append((row.number, cell))
    alike = [
        Alike(column, text, within, [row for row, _ in found], found[0][1].findings)
        for (column, text, within), found in cells.items()
        if len(found) > 1
    ]
    return sorted(alike, key=lambda one: -len(one.rows))


def _within(preview: Preview, row: ShownRow, names: Sequence[str]) -> tuple[str, ...] | None:
    """What a row says in these columns, the rows of one order together; None where it does not say."""
    texts = tuple(_text(preview, row, name) for name in names)
    return texts if all(texts) else None


def _text(preview: Preview, row: ShownRow, name: str) -> str:
    """The text of a cell; further rows of a split order leave blank what its first one says."""
    own = row.cells[name].text.strip() if name in row.cells else ""
    head = preview.heads.get(row.number, row.number)
    if own or head == row.number:
        return own
    first = preview.row(head)
    return first.cells[name].text.strip() if first and name in first.cells else ""
