"""Edits of a draft before it is submitted; an edit of an outdated revision is refused.

A text written into many rows at once can be undone, also after a reload, but never over a later edit.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from customs.audit.trail import AuditTrail
from customs.auth.principal import Caller
from customs.db import database
from customs.declarations.fields import Field
from customs.declarations.open_rows import discard_rows_of_draft
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound, ValidationFailed
from customs.imports.cleaning import clean_grid, clean_text
from customs.imports.columns import BY_HEADER, Header, match_header
from customs.imports.drafts import Draft, Replacement, draft_of, put_grid, require_few_enough, unseal_draft
from customs.privacy.vault import Vault
from customs.spreadsheets.reader import Cell, Grid, cell_text

# Twice what the longest column may hold: more was not typed by anybody.
LONGEST_CELL = 400


@dataclass(frozen=True)
class CellChange:
    """A cell's new text: its row's number in the file, its column's English name, and the text."""

    row: int
    column: str
    value: str


@dataclass(frozen=True)
class UndoResult:
    """Rows that an undo restored, and those it left because somebody edited them since."""

    column: str
    restored: Sequence[int]
    edited: Sequence[int]


def draft_changed() -> ActionNotAllowed:
    """Return the refusal of an edit from a page that shows an older revision."""
    why = "the draft was changed in another window since this page was made"
    return ActionNotAllowed(why, errors=[ErrorDetail("", "draft_changed", why)])


class DraftEditor:
    """Edits one person's draft, within one transaction.

    `revision` is the one that the person saw. Methods raise ActionNotAllowed when the draft has another by now,
    NotFound for somebody else's draft, FileUnreadable for an edit that makes more orders than a batch may have. Each
    returns the edited draft; several may follow one another.
    """

    def __init__(self, db: Session, vault: Vault, caller: Caller, draft_id: str, revision: int) -> None:
        self._db = db
        self._vault = vault
        self._caller = caller
        self._draft_id = draft_id
        self._revision = revision

    def change_cells(self, changes: Sequence[CellChange]) -> Draft:
        """Write texts into cells; a column that the file does not have is added to it."""
        for change in changes:
            if len(change.value) > LONGEST_CELL:
                why = f"the text for {change.column} has {len(change.value)} characters"
                raise ValidationFailed(why, errors=[ErrorDetail(f"/rows/{change.row}/{change.column}", "length", why)])

        def changed(grid: Grid) -> Grid:
            for name in dict.fromkeys(change.column for change in changes):
                grid = _with_column(grid, _column_named(name))
            places = {column.header: place for place, column in match_header(grid.header).placed}
            rows = {number: list(cells) for number, cells in grid.rows}
            for change in changes:
                if change.row not in rows:
                    raise NotFound(f"this draft has no row {change.row}")
                _put(rows[change.row], places[change.column], _clean(change.column, change.value))
            return replace(grid, rows=list(rows.items()))

        return self._apply(changed)

    def replace_in_rows(self, column: str, value: str, rows: Collection[int]) -> Draft:
        """Write one text into one column of many rows, and remember the cells before, for an undo."""
        _, before, undo = self._current()
        self.change_cells([CellChange(row, column, value) for row in rows])
        return self._remember([*undo, Replacement(column, _clean(column, value), _cells_at(before, column, rows))])

    def undo_replacement(self) -> tuple[Draft, UndoResult]:
        """Undo the last replacement: each cell is again what it was before.

        Cells that were edited since, and rows that have gone, stay as they are. ActionNotAllowed when nothing is left.
        """
        _, grid, undo = self._current()
        if not undo:
            why = "there is nothing left to undo"
            raise ActionNotAllowed(why, errors=[ErrorDetail("", "nothing_to_undo", why)])
        last = undo.pop()
        present = _cells_at(grid, last.column, last.before)
        restored = {row: last.before[row] for row, cell in present.items() if cell_text(cell) == last.value}

        def back(grid: Grid) -> Grid:
            place = {column.header: place for place, column in match_header(grid.header).placed}[last.column]
            rows = {number: list(cells) for number, cells in grid.rows}
            for number, cell in restored.items():
                _put(rows[number], place, cell)
            return replace(grid, rows=list(rows.items()))

        if restored:
            self._apply(back)
        edited = sorted(present.keys() - restored.keys())
        return self._remember(undo), UndoResult(last.column, sorted(restored), edited)

    def delete_rows(self, numbers: Collection[int], audit: AuditTrail) -> Draft:
        """Delete rows; with the last one the draft goes too (`row_count` 0). Open rows of a batch are discarded."""
        gone = frozenset(numbers)
        draft = self._apply(lambda grid: replace(grid, rows=[row for row in grid.rows if row[0] not in gone]))
        now = database.now(self._db)
        discard_rows_of_draft(self._db, self._draft_id, gone, self._caller, None, audit, now)
        return draft

    def rename_header(self, place: int, column: str) -> Draft:
        """Name the column at a place whose header is unknown."""

        def renamed(grid: Grid) -> Grid:
            header, meant = match_header(grid.header), _column_named(column)
            _require_unmatched(header, place)
            if meant in header.spelt:
                why = f"the file already has the column {column}: {header.spelt[meant]}"
                raise ActionNotAllowed(why, errors=[ErrorDetail("", "column_taken", why)])
            words = [*grid.header]
            words[place] = _spelling(meant, header)
            named = replace(grid, header=words)
            return clean_grid(named, match_header(words))

        return self._apply(renamed)

    def leave_out(self, place: int) -> Draft:
        """Remove a column whose header is unknown, with its cells."""

        def without(grid: Grid) -> Grid:
            _require_unmatched(match_header(grid.header), place)
            return _without_columns(grid, frozenset({place}))

        return self._apply(without)

    def leave_out_unknown(self) -> Draft:
        """Remove every column whose header is unknown, with its cells."""
        return self._apply(
            lambda grid: _without_columns(grid, frozenset(place for place, _ in match_header(grid.header).unknown))
        )

    def clear_strays(self, number: int) -> Draft:
        """Clear the cells of one row that have no header."""

        def cleared(grid: Grid) -> Grid:
            header = match_header(grid.header)
            nameless = frozenset(header.nameless)
            rows = [
                (one, [("" if place in nameless else cell) for place, cell in enumerate(cells[: header.width])])
                if one == number
                else (one, cells)
                for one, cells in grid.rows
            ]
            return replace(grid, rows=rows)

        return self._apply(cleared)

    def _current(self) -> tuple[Draft, Grid, list[Replacement]]:
        """Lock the draft as the person saw it; return it with its cells and its undo list."""
        draft = draft_of(self._db, self._draft_id, self._caller, lock=True)
        if draft.revision != self._revision:
            raise draft_changed()
        return draft, *unseal_draft(draft, self._vault)

    def _apply(self, change: Callable[[Grid], Grid]) -> Draft:
        draft, before, undo = self._current()
        grid = change(before)
        if grid == before:
            return draft
        require_few_enough(grid)
        put_grid(draft, grid, self._vault, database.now(self._db), undo)
        draft.revision += 1
        self._revision = draft.revision
        if not draft.row_count and draft.batch_id is None:
            self._db.delete(draft)
        self._db.flush()
        return draft

    def _remember(self, undo: Sequence[Replacement]) -> Draft:
        """Store the undo list."""
        draft, grid, _ = self._current()
        put_grid(draft, grid, self._vault, database.now(self._db), undo)
        self._db.flush()
        return draft


def _cells_at(grid: Grid, column: str, rows: Collection[int]) -> dict[int, Cell]:
    """Return the cells of one column in those of these rows that exist; blank where a row or the file has none."""
    place = {known.header: place for place, known in match_header(grid.header).placed}.get(column)
    wanted = frozenset(rows)
    return {
        number: cells[place] if place is not None and place < len(cells) else ""
        for number, cells in grid.rows
        if number in wanted
    }


def _clean(column: str, value: str) -> str:
    """Return a typed text as its column has it in a file."""
    return clean_text(value, _column_named(column).kind)[0]


def _column_named(name: str) -> Field:
    column = BY_HEADER.get(name)
    if column is None:
        raise NotFound(f"there is no column {name}")
    return column


def _require_unmatched(header: Header, place: int) -> None:
    if place not in dict(header.unknown):
        raise NotFound("there is no column of an unknown name at this place")


def _without_columns(grid: Grid, places: Collection[int]) -> Grid:
    """Remove columns. Rows that differed in them only were items of one order: its first row stands for all of them."""
    first: dict[str, list[Cell]] = {}
    rows, items = [], list(grid.items)
    for number, cells in grid.rows:
        kept, removed = _parted(cells, places)
        before = first.setdefault(repr(kept), removed)
        if before is not removed and before != removed:
            items.append(number)
        else:
            rows.append((number, kept))
    header, _ = _parted(grid.header, places)
    return replace(grid, header=header, rows=rows, items=items)


def _parted(cells: Sequence[Any], places: Collection[int]) -> tuple[list[Any], list[Any]]:
    """Part cells into those elsewhere and those at these places."""
    kept = [cell for place, cell in enumerate(cells) if place not in places]
    return kept, [cell for place, cell in enumerate(cells) if place in places]


def _with_column(grid: Grid, column: Field) -> Grid:
    header = match_header(grid.header)
    if column in header.spelt:
        return grid
    # Behind everything that any row holds: what stands under no header must not come under this one.
    place = max(len(grid.header), *(len(cells) for _, cells in grid.rows))
    words = [*grid.header]
    _put(words, place, _spelling(column, header))
    return replace(grid, header=words)


def _spelling(column: Field, header: Header) -> str:
    """Spell the column's name in the language of the file's other headers."""
    english = any(word.lower() == known.header for known, word in header.spelt.items())
    return column.header if english else column.chinese


def _put(cells: list[Any], place: int, value: Cell) -> None:
    cells.extend([""] * (place + 1 - len(cells)))
    cells[place] = value
