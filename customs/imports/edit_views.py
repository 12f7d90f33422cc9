"""Forms that edit a draft: cells of a row, one text in many rows, columns, rows."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from flask import Blueprint, flash, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.declarations.services import services
from customs.errors import NotFound
from customs.imports.columns import BY_HEADER, match_header
from customs.imports.draft_view import (
    START,
    RowSelection,
    field_text,
    form_number,
    kept_rows,
    load_preview,
    redirect_to,
    requested_rows,
    show_again,
    submitted_revision,
)
from customs.imports.drafts import Draft, draft_of, grid_in
from customs.imports.edits import CellChange, DraftEditor, draft_changed
from customs.imports.labels import rows_named
from customs.imports.preview_model import RepeatedError, repeated_errors
from customs.privacy.vault import Vault
from customs.spreadsheets.reader import cell_text
from customs.web.forms import SUCCESS, error_sentences, handle_form
from customs.web.idempotency import retry_on_conflict
from customs.web.request import current_caller
from customs.web.session_auth import login_required

# What a cell's field is called, as its form sends it: its row, and its column's English name.
CELL = re.compile(r"c-([0-9]{1,9})-([a-z_]+)")
pages = Blueprint("draft_edits", __name__, url_prefix=f"{START}/<draft_id>")


@pages.post("/cells")
@login_required(Scope.DECLARATIONS_WRITE)
def change_cells(draft_id: str) -> WerkzeugResponse:
    """Save what was typed into cells. Those that were open stay open."""
    opened = cells_of_fields(request.form.getlist("open"))
    at = [form_number("row")] if "row" in request.form else []

    def edit(db: Session) -> Draft:
        draft, changes = save_typed_cells(db, draft_id, submitted_revision())
        for one in changes:
            opened[one.row].append(one.column)
        at.extend(one.row for one in changes)
        return draft

    return _apply(draft_id, edit, lambda: kept_rows(opened), at)


@pages.post("/rows/<int:number>/delete")
@login_required(Scope.DECLARATIONS_WRITE)
def delete_row(draft_id: str, number: int) -> WerkzeugResponse:
    return _apply(draft_id, lambda db: _editor(db, draft_id).delete_rows([number], services().audit), kept_rows)


@pages.post("/rows/<int:number>/strays")
@login_required(Scope.DECLARATIONS_WRITE)
def clear_strays(draft_id: str, number: int) -> WerkzeugResponse:
    return _apply(draft_id, lambda db: _editor(db, draft_id).clear_strays(number), kept_rows, [number])


@pages.post("/replace")
@login_required(Scope.DECLARATIONS_WRITE)
def replace_in_rows(draft_id: str) -> WerkzeugResponse:
    """Replace one wrong text by another in every row that has it, within one merchant, channel and office."""
    group = _chosen_error(draft_id)
    column, value = group.column.column.header, request.form.get("value", "")
    return _apply(draft_id, lambda db: _editor(db, draft_id).replace_in_rows(column, value, group.rows), requested_rows)


@pages.post("/undo")
@login_required(Scope.DECLARATIONS_WRITE)
def undo_replacement(draft_id: str) -> WerkzeugResponse:
    """Undo the last replacement, but for cells that were edited since; those are named."""
    left: list[str] = []

    def edit(db: Session) -> Draft:
        draft, undone = _editor(db, draft_id).undo_replacement()
        if undone.edited:
            left[:] = [gettext("Edited since, and left as they are: %(rows)s.", rows=rows_named(undone.edited))]
        return draft

    return _apply(draft_id, edit, requested_rows, notes=left)


@pages.post("/columns/<int:place>")
@login_required(Scope.DECLARATIONS_WRITE)
def match_column(draft_id: str, place: int) -> WerkzeugResponse:
    """Match a column of an unknown name to a column of declarations, or leave out it, or all of its kind."""
    column = request.form.get("column", "")

    def edit(db: Session) -> Draft:
        editor = _editor(db, draft_id)
        if "others" in request.form:
            return editor.leave_out_unknown()
        return editor.rename_header(place, column) if column else editor.leave_out(place)

    return _apply(draft_id, edit, RowSelection)


def save_typed_cells(db: Session, draft_id: str, revision: int) -> tuple[Draft, list[CellChange]]:
    """Save the cells that this request's form gives another text; return the draft and the changes."""
    parts, caller = services(), current_caller()
    draft = draft_of(db, draft_id, caller)
    if draft.revision != revision:
        raise draft_changed()
    changes = typed_cells(draft, parts.vault, request.form)
    if not changes:
        return draft, changes
    return DraftEditor(db, parts.vault, caller, draft_id, revision).change_cells(changes), changes


def _editor(db: Session, draft_id: str) -> DraftEditor:
    """Open an editor for the draft, after saving what was typed beside the form."""
    draft, _ = save_typed_cells(db, draft_id, submitted_revision())
    return DraftEditor(db, services().vault, current_caller(), draft_id, draft.revision)


def _apply(
    draft_id: str,
    edit: Callable[[Session], Draft],
    rows: Callable[[], RowSelection],
    at: Sequence[int] = (),
    notes: Sequence[str] = (),
) -> WerkzeugResponse:
    """Apply one edit in one transaction and show the draft, at the first row of `at`.

    The edit itself may fill `at` and `notes`.
    """

    def back(sentences: Sequence[str]) -> WerkzeugResponse:
        return show_again(draft_id, rows(), sentences, f"#row-{at[0]}" if at else "")

    def work() -> WerkzeugResponse:
        draft = retry_on_conflict(edit)
        return back(notes) if draft.row_count else _leave_empty_draft(draft)

    return handle_form(work, lambda error: back(error_sentences(error)))


def _leave_empty_draft(draft: Draft) -> WerkzeugResponse:
    flash(gettext("The draft has no row any more."), SUCCESS)
    return redirect_to(f"/batches/{draft.batch_id}" if draft.batch_id else START)


def _chosen_error(draft_id: str) -> RepeatedError:
    """Return the error that a form names by a column and a row; ActionNotAllowed when it is gone."""
    column, row = request.form.get("column", ""), form_number("row")
    for group in repeated_errors(load_preview(draft_id)):
        if group.column.column.header == column and row in group.rows:
            return group
    raise draft_changed()


def typed_cells(draft: Draft, vault: Vault, form: Mapping[str, str]) -> list[CellChange]:
    """Return the cells that a form of the page gives another text than they have."""
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
        if name in BY_HEADER and text != field_text(stored(number, name))
    ]


def cells_of_fields(fields: Iterable[str]) -> dict[int, list[str]]:
    """Group the page's fields of cells by row: the English names of their columns."""
    cells: dict[int, list[str]] = defaultdict(list)
    for field_name in fields:
        if name := CELL.fullmatch(field_name):
            cells[int(name[1])].append(name[2])
    return cells
