"""The doors through which a draft is mended in place: cells of a row, one word in many rows, columns, whole rows."""

from collections.abc import Callable, Collection, Mapping

from flask import Blueprint, flash, request
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.access.callers import Scope
from customs.drafts.alike import wrong_alike
from customs.drafts.draft_page import (
    LONGEST_NUMBER,
    START,
    asked,
    gone_to,
    number_typed,
    revision_seen,
    shown_again,
    told_in_place,
)
from customs.drafts.drafts import Draft, draft_of
from customs.drafts.import_view import MEND, ROWS_A_PAGE, Asked, as_in_a_field, retyped
from customs.drafts.mending import CellChange, Mending
from customs.drafts.previewing import preview
from customs.errors import CustomsError
from customs.web.deeds import DONE
from customs.web.doors import current_caller, services
from customs.web.once import beginning_again
from customs.web.visitors import opens

pages = Blueprint("mending_pages", __name__, url_prefix=f"{START}/<draft_id>")


@pages.post("/cells")
@opens(Scope.DECLARATIONS_WRITE)
def change_row(draft_id: str) -> WerkzeugResponse:
    """A row's form sends all its cells; the text of some is another one now. Those that stood open stay so."""
    number, opened = number_typed("row"), request.form.getlist("open")

    def deed(db: Session) -> Draft:
        draft = draft_of(db, draft_id, current_caller())
        changes = retyped(draft, services().vault, number, request.form)
        opened.extend(one.column for one in changes)
        return _mending(db, draft_id).change_cells(changes) if changes else draft

    return _mended(draft_id, deed, lambda: _working_on({number: opened}), number)


@pages.post("/rows/<int:number>/delete")
@opens(Scope.DECLARATIONS_WRITE)
def delete_row(draft_id: str, number: int) -> WerkzeugResponse:
    return _mended(draft_id, lambda db: _mending(db, draft_id).delete_rows([number]), _working_on)


@pages.post("/rows/<int:number>/strays")
@opens(Scope.DECLARATIONS_WRITE)
def clear_strays(draft_id: str, number: int) -> WerkzeugResponse:
    return _mended(draft_id, lambda db: _mending(db, draft_id).clear_strays(number), _working_on, number)


@pages.post("/alike")
@opens(Scope.DECLARATIONS_WRITE)
def change_alike(draft_id: str) -> WerkzeugResponse:
    """One word in the place of another, in every row where that is wrong."""
    changes = _alike(draft_id)
    return _mended(draft_id, lambda db: _mending(db, draft_id).change_cells(changes), asked)


@pages.post("/columns/<int:place>")
@opens(Scope.DECLARATIONS_WRITE)
def match_column(draft_id: str, place: int) -> WerkzeugResponse:
    """What a column of the file is that nobody knows by its name: one of ours, or nothing that is declared."""
    column = request.form.get("column", "")

    def deed(db: Session) -> Draft:
        mending = _mending(db, draft_id)
        return mending.rename_header(place, column) if column else mending.leave_out(place)

    return _mended(draft_id, deed, Asked)


def _mending(db: Session, draft_id: str) -> Mending:
    return Mending(db, services().vault, current_caller(), draft_id, revision_seen())


def _mended(
    draft_id: str, deed: Callable[[Session], Draft], rows: Callable[[], Asked], number: int | None = None
) -> WerkzeugResponse:
    """One deed in one transaction, and the draft as it is then, at the row that somebody is at."""
    faults: list[str] = []
    try:
        draft = beginning_again(deed)
    except CustomsError as error:
        faults = told_in_place(error)
    else:
        if not draft.row_count:
            return _nothing_left(draft)
    return shown_again(draft_id, rows(), faults, f"#row-{number}" if number else "")


def _nothing_left(draft: Draft) -> WerkzeugResponse:
    flash(gettext("The draft has no row any more."), DONE)
    return gone_to(f"/batches/{draft.batch_id}" if draft.batch_id else START)


def _working_on(opened: Mapping[int, Collection[str]] | None = None) -> Asked:
    """The rows that are on the page stay there while somebody works on them."""
    numbers = request.form.get("kept", "").split(",")[: ROWS_A_PAGE[MEND]]
    kept = [int(one) for one in numbers if one.isascii() and one.isdigit() and len(one) <= LONGEST_NUMBER]
    at = asked()
    return Asked(at.show, at.offset, kept, opened or {})


def _alike(draft_id: str) -> list[CellChange]:
    caller, parts = current_caller(), services()
    with parts.reading() as db:
        draft = draft_of(db, draft_id, caller)
    seen = preview(parts.engine, parts.vault, parts.rules, draft, caller, parts.payments)
    column, text, value = (request.form.get(name, "") for name in ("column", "text", "value"))
    groups = (one for one in wrong_alike(seen) if (one.column.column.header, as_in_a_field(one.text)) == (column, text))
    return [change for group in groups for change in group.mended(value)]
