"""Pages of batches: their list, their progress, their open rows, and the result as a workbook."""

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations.actions.action_views import reason_typed
from customs.declarations.open_rows import discard_rows, discardings_of, open_rows_of, order_no_shown
from customs.declarations.reading.dashboard import batch_progress, count_running, earlier_submissions
from customs.declarations.reading.queries import batch_of, list_batches, progress_of, replays_of
from customs.declarations.reading.result_export import ResultWords, result_filename, result_workbook
from customs.imports.drafts import Draft, draft_of_batch, open_draft
from customs.spreadsheets.xlsx_writer import XLSX_TYPE
from customs.web.forms import submit_action
from customs.web.rendering import render_fragment, render_page
from customs.web.request import current_caller, page_arguments, text_argument
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("batch_pages", __name__)

BATCHES_A_PAGE = 20
MINE, ALL = "mine", "all"
MOST_FINDINGS = 200
# Digits of a row's id: as many as the database has room for.
LONGEST_ID = 18


@pages.get("/batches")
@login_required(Scope.DECLARATIONS_READ)
def list_page() -> Response:
    whose = text_argument("whose", ("", MINE, ALL)) or MINE
    limit, cursor = page_arguments(BATCHES_A_PAGE)
    caller = current_caller()
    sender_id = caller.id if whose == MINE else None
    with services().reading() as db:
        found = list_batches(db, caller, limit=limit, cursor=cursor, sender_id=sender_id)
        batches = [(batch, progress_of(db, batch.id)) for batch in found.rows]
    return render_page("batches/list.html", batches=batches, whose=whose, next_cursor=found.next_cursor)


@pages.get("/batches/<batch_id>")
@login_required(Scope.DECLARATIONS_READ)
def show(batch_id: str) -> Response:
    with services().reading() as db:
        shown = _shown(db, batch_id)
        caller = current_caller()
        left: dict[str, Any] = {
            "draft": draft_of_batch(db, caller, batch_id),
            "open_rows": [(row, order_no_shown(row, caller)) for row in open_rows_of(db, batch_id, MOST_FINDINGS)],
            "discardings": discardings_of(db, batch_id, MOST_FINDINGS),
            "earlier": earlier_submissions(db, replays_of(db, batch_id), caller),
        }
    return render_page("batches/detail.html", most_findings=MOST_FINDINGS, **left, **shown)


@pages.get("/batches/<batch_id>/progress")
@login_required(Scope.DECLARATIONS_READ)
def progress(batch_id: str) -> Response:
    """Render the part of the page that a running batch polls."""
    with services().reading() as db:
        return render_fragment("batches/progress.html", **_shown(db, batch_id))


@pages.get("/batches/<batch_id>/result.xlsx")
@login_required(Scope.DECLARATIONS_READ)
def result(batch_id: str) -> Response:
    with services().reading() as db:
        now = database.now(db)
        content = result_workbook(db, services().vault, batch_id, current_caller(), ResultWords(), now)
    named = {"Content-Disposition": f'attachment; filename="{result_filename(batch_id)}"'}
    return Response(content, headers=named, content_type=XLSX_TYPE)


@pages.post("/batches/<batch_id>/rows")
@login_required(Scope.DECLARATIONS_WRITE)
def add_rows(batch_id: str) -> WerkzeugResponse:
    """Make a draft of corrected rows, which completes this batch when it is submitted."""
    file = request.files.get("file")
    content, filename = (file.read(), file.filename or "") if file else (b"", "")

    def action(db: Session) -> Draft:
        return open_draft(db, services().vault, current_caller(), content, filename, batch_id)

    message = gettext("Look the rows over: nothing is sent before you press submit.")
    return submit_action(action, lambda draft: f"/import/{draft.id}", message, back=f"/batches/{batch_id}")


@pages.post("/batches/<batch_id>/rows/discard")
@login_required(Scope.DECLARATIONS_WRITE)
def discard_open_rows(batch_id: str) -> WerkzeugResponse:
    """Discard the chosen open rows, or all of them; by whom, when and why stays on record."""
    every = request.form.get("which") == ALL
    named = (one for one in request.form.getlist("row") if one.isascii() and one.isdigit())
    chosen = [int(one) for one in named if len(one) <= LONGEST_ID]

    def action(db: Session) -> int:
        parts = current_caller(), reason_typed(), services().audit, database.now(db)
        return discard_rows(db, batch_id, None if every else chosen[:MOST_FINDINGS], *parts)

    def message(count: int) -> str:
        return str(ngettext("%(num)d row was discarded.", "%(num)d rows were discarded.", count))

    return submit_action(action, f"/batches/{batch_id}", message, back=f"/batches/{batch_id}")


def _shown(db: Session, batch_id: str) -> dict[str, Any]:
    batch, now = batch_of(db, batch_id, current_caller()), database.now(db)
    status = progress_of(db, batch_id)
    running = count_running(db, batch_id)
    return {
        "batch": batch,
        "progress": status,
        "course": batch_progress(status.total, running, batch.created_at, now, status.open_rows),
    }
