"""The doors through which a draft is mended in place: cells of a row, one word in many rows, columns, whole rows."""

from collections.abc import Callable, Sequence

from flask import Blueprint, flash, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.declarations.services import services
from customs.imports.draft_view import (
    START,
    asked,
    gone_to,
    number_typed,
    revision_seen,
    shown_again,
    working_on,
)
from customs.imports.drafts import Draft, draft_of
from customs.imports.edits import CellChange, Mending, draft_changed
from customs.imports.labels import rows_named
from customs.imports.preview import preview
from customs.imports.preview_model import Alike, wrong_alike
from customs.imports.view_model import Asked, cells_named, typed_cells
from customs.web.forms import SUCCESS, error_sentences, handle_form
from customs.web.idempotency import retry_on_conflict
from customs.web.request import current_caller
from customs.web.session_auth import login_required

pages = Blueprint("draft_edits", __name__, url_prefix=f"{START}/<draft_id>")


@pages.post("/cells")
@login_required(Scope.DECLARATIONS_WRITE)
def change_cells(draft_id: str) -> WerkzeugResponse:
    """What was typed is kept, in whichever cells. Those that stood open stay so."""
    opened = cells_named(request.form.getlist("open"))
    at = [number_typed("row")] if "row" in request.form else []

    def edit(db: Session) -> Draft:
        draft, changes = saved_cells(db, draft_id, revision_seen())
        for one in changes:
            opened[one.row].append(one.column)
        at.extend(one.row for one in changes)
        return draft

    return _mended(draft_id, edit, lambda: working_on(opened), at)


@pages.post("/rows/<int:number>/delete")
@login_required(Scope.DECLARATIONS_WRITE)
def delete_row(draft_id: str, number: int) -> WerkzeugResponse:
    return _mended(draft_id, lambda db: _mending(db, draft_id).delete_rows([number], services().audit), working_on)


@pages.post("/rows/<int:number>/strays")
@login_required(Scope.DECLARATIONS_WRITE)
def clear_strays(draft_id: str, number: int) -> WerkzeugResponse:
    return _mended(draft_id, lambda db: _mending(db, draft_id).clear_strays(number), working_on, [number])


@pages.post("/alike")
@login_required(Scope.DECLARATIONS_WRITE)
def change_alike(draft_id: str) -> WerkzeugResponse:
    """One word in the place of another, in every row of one merchant's where that is wrong."""
    group = _alike(draft_id)
    column, value = group.column.column.header, request.form.get("value", "")
    return _mended(draft_id, lambda db: _mending(db, draft_id).change_alike(column, value, group.rows), asked)


@pages.post("/undo")
@login_required(Scope.DECLARATIONS_WRITE)
def undo_alike(draft_id: str) -> WerkzeugResponse:
    """The last change of many rows is taken back, but for what was edited since; that is told."""
    left: list[str] = []

    def edit(db: Session) -> Draft:
        draft, undone = _mending(db, draft_id).undo_alike()
        if undone.edited:
            left[:] = [gettext("Edited since, and left as they are: %(rows)s.", rows=rows_named(undone.edited))]
        return draft

    return _mended(draft_id, edit, asked, notes=left)


@pages.post("/columns/<int:place>")
@login_required(Scope.DECLARATIONS_WRITE)
def match_column(draft_id: str, place: int) -> WerkzeugResponse:
    """What a column of the file is that nobody knows by its name: one of ours, or nothing that is declared."""
    column = request.form.get("column", "")

    def edit(db: Session) -> Draft:
        mending = _mending(db, draft_id)
        return mending.rename_header(place, column) if column else mending.leave_out(place)

    return _mended(draft_id, edit, Asked)


def saved_cells(db: Session, draft_id: str, revision: int) -> tuple[Draft, list[CellChange]]:
    """The draft with what this request's form has typed into its cells, and which of them that changes."""
    parts, caller = services(), current_caller()
    draft = draft_of(db, draft_id, caller)
    if draft.revision != revision:
        raise draft_changed()
    changes = typed_cells(draft, parts.vault, request.form)
    if not changes:
        return draft, changes
    return Mending(db, parts.vault, caller, draft_id, revision).change_cells(changes), changes


def _mending(db: Session, draft_id: str) -> Mending:
    """Whatever comes next in this draft, after what was typed beside it."""
    draft, _ = saved_cells(db, draft_id, revision_seen())
    return Mending(db, services().vault, current_caller(), draft_id, draft.revision)


def _mended(
    draft_id: str,
    edit: Callable[[Session], Draft],
    rows: Callable[[], Asked],
    at: Sequence[int] = (),
    notes: Sequence[str] = (),
) -> WerkzeugResponse:
    """One deed in one transaction, and the draft as it is then, at the first of the rows that somebody is at.

    The deed fills `told` where there is something to say of it.
    """

    def back(sentences: Sequence[str]) -> WerkzeugResponse:
        # The edit itself fills `at`.
        return shown_again(draft_id, rows(), sentences, f"#row-{at[0]}" if at else "")

    def work() -> WerkzeugResponse:
        draft = retry_on_conflict(edit)
        return back(notes) if draft.row_count else _nothing_left(draft)

    return handle_form(work, lambda error: back(error_sentences(error)))


def _nothing_left(draft: Draft) -> WerkzeugResponse:
    flash(gettext("The draft has no row any more."), SUCCESS)
    return gone_to(f"/batches/{draft.batch_id}" if draft.batch_id else START)


def _alike(draft_id: str) -> Alike:
    """The group that a form means by one of its rows; NotFound when there is none by now."""
    caller, parts = current_caller(), services()
    with parts.reading() as db:
        draft = draft_of(db, draft_id, caller)
    seen = preview(parts.engine, parts.vault, parts.rules, draft, caller, parts.payments)
    column, row = request.form.get("column", ""), number_typed("row")
    for group in wrong_alike(seen):
        if group.column.column.header == column and row in group.rows:
            return group
    raise draft_changed()
