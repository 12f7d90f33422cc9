"""What the page of a draft shows: some of its rows, which of their cells stand open, what is wrong and how often."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from customs.declarations.intake.orders import Finding, Severity
from customs.errors import NotFound
from customs.imports.columns import BY_HEADER, match_header
from customs.imports.drafts import Draft, grid_in
from customs.imports.edits import LONGEST_CELL, CellChange
from customs.imports.preview_model import Alike, Preview, RowStatus, ShownRow, wrong_alike
from customs.privacy.masking import mask_cert_id, mask_name
from customs.privacy.vault import Vault
from customs.spreadsheets.reader import cell_text

MEND, CHECK, REST = "mend", "check", "rest"
# What each tab shows. A warning asks a person to look, and holds nothing up.
TABS: Mapping[str, frozenset[RowStatus]] = {
    MEND: frozenset({RowStatus.FAULTY}),
    CHECK: frozenset({RowStatus.WARNED}),
    REST: frozenset({RowStatus.REPLAYED, RowStatus.GOOD, RowStatus.UNCHECKED}),
}
# A row to work on is a form of many fields.
ROWS_A_PAGE = {MEND: 25, CHECK: 25, REST: 50}
# What a cell's field is called, as its form sends it: its row, and its column's English name.
CELL = re.compile(r"c-([0-9]{1,9})-([a-z_]+)")
# What a tab is there for.
SOUGHT = {MEND: Severity.ERROR, CHECK: Severity.WARNING}
PERSONAL = {"buyer_name": mask_name, "cert_id": mask_cert_id}


@dataclass(frozen=True)
class Asked:
    """Which rows a page shows: those of one tab (`show`; None: the first that has any), from which one on.

    `kept` are the numbers of rows that stay where they stood, mended or not, while somebody works on them; `opened`
    names the cells, by their rows, that stay open.
    """

    show: str | None = None
    offset: int = 0
    kept: Sequence[int] = ()
    opened: Mapping[int, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """One page of a draft."""

    preview: Preview
    asked: Asked

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many rows each tab holds."""
        counted = Counter(status for _, status in self.preview.lines)
        return {tab: sum(counted[status] for status in statuses) for tab, statuses in TABS.items()}

    @cached_property
    def show(self) -> str:
        return self.asked.show or next((tab for tab in TABS if self.counts[tab]), REST)

    @property
    def limit(self) -> int:
        return ROWS_A_PAGE[self.show]

    @cached_property
    def rows(self) -> list[ShownRow]:
        """The rows of this page. Among all, those of one tab stand together, in the order of the tabs."""
        if self.asked.kept:
            return [row for number in self.asked.kept if (row := self.preview.row(number))]
        before = list(TABS)[: list(TABS).index(self.show)]
        begin = sum(self.counts[tab] for tab in before) + self.asked.offset
        return self.preview.rows(begin, max(min(self.counts[self.show] - self.asked.offset, self.limit), 0))

    @cached_property
    def next_offset(self) -> int | None:
        """Where the next page begins: what was mended on this one stands among the others by then."""
        offset = self.asked.offset + sum(row.status in TABS[self.show] for row in self.rows)
        return offset if offset < self.counts[self.show] else None

    @property
    def previous_offset(self) -> int | None:
        return max(self.asked.offset - self.limit, 0) if self.asked.offset else None

    @cached_property
    def alike(self) -> list[Alike]:
        return wrong_alike(self.preview) if self.show == MEND else []

    @cached_property
    def causes(self) -> list[tuple[Finding, int]]:
        """What a tab's rows have: of each kind one finding, and how many; none where one page shows it all."""
        if self.show not in SOUGHT or self.counts[self.show] <= self.limit:
            return []
        every = (finding for found in self.preview.of_rows.values() for finding in found)
        sought = [one for one in every if one.severity is SOUGHT[self.show]]
        kinds = {one.code: one for one in sought}
        return [(kinds[code], count) for code, count in Counter(one.code for one in sought).most_common()]

    def is_open(self, row: ShownRow, name: str) -> bool:
        """Whether a cell stands open: something is wrong with it, or somebody is at work on it."""
        return bool(row.cells[name].findings) or name in self.asked.opened.get(row.number, ())

    def may_retype(self, row: ShownRow, name: str) -> bool:
        """Whether a cell can be mended here. Who bought is shown only where something is wrong with it."""
        return name not in PERSONAL or any(self.is_open(row, one) for one in PERSONAL if one in row.cells)


def as_in_a_field(text: str) -> str:
    """What a form's field makes of a cell: one line, and no more than a cell may be given."""
    return text.replace("\r", "").replace("\n", "")[:LONGEST_CELL]


def masked(name: str, text: str) -> str:
    """What everybody may see of a cell, by the English name of its column."""
    mask = PERSONAL.get(name)
    return mask(text) if mask and text.strip() else text


def typed_cells(draft: Draft, vault: Vault, form: Mapping[str, str]) -> list[CellChange]:
    """The cells that a form of the page gives another text than they have."""
    typed = [(int(name[1]), name[2], text) for field, text in form.items() if (name := CELL.fullmatch(field))]
    if not typed:
        return []
    grid = grid_in(draft, vault)
    rows, places = dict(grid.rows), {column.header: place for place, column in match_header(grid.header).placed}

    def stored(number: int, name: str) -> str:
        if number not in rows:
            raise NotFound(f"this draft has no row {number}")
        place = places.get(name)
        return "" if place is None or place >= len(rows[number]) else cell_text(rows[number][place])

    return [
        CellChange(number, name, text)
        for number, name, text in typed
        if name in BY_HEADER and text != as_in_a_field(stored(number, name))
    ]


def cells_named(fields: Iterable[str]) -> dict[int, list[str]]:
    """Cells as the page's fields are called, by their row's number: the English names of their columns."""
    cells: dict[int, list[str]] = defaultdict(list)
    for field_name in fields:
        if name := CELL.fullmatch(field_name):
            cells[int(name[1])].append(name[2])
    return cells
