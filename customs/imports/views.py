"""Import pages: a file or pasted rows become a draft, which is shown, submitted or discarded; files to download."""

from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations.fields import FIELDS, REQUIRED
from customs.declarations.services import services
from customs.errors import CustomsError, ErrorDetail, NotFound, PayloadTooLarge, ValidationFailed
from customs.imports import labels
from customs.imports.draft_view import (
    START,
    draft_path,
    kept_rows,
    load_preview,
    redirect_to,
    requested_rows,
    show_again,
    show_draft,
    submitted_revision,
)
from customs.imports.drafts import Draft, discard, drafts_of, open_draft, open_pasted
from customs.imports.edit_views import save_typed_cells
from customs.imports.error_workbook import faulty_filename, faulty_workbook
from customs.imports.labels import finding_sentence, picks
from customs.imports.sample_orders import sample_csv
from customs.imports.submit import ReadyDraft, make_draft_ready, submit
from customs.imports.template import template_workbook
from customs.spreadsheets.xlsx_writer import XLSX_TYPE
from customs.stats.tallies import SHANGHAI
from customs.web.forms import SUCCESS, error_sentences, handle_form
from customs.web.idempotency import idempotent, retry_on_conflict
from customs.web.json_body import LARGEST_BODY, raw_body
from customs.web.rendering import render_page
from customs.web.request import current_caller
from customs.web.session_auth import login_required, request_time

pages = Blueprint("import_pages", __name__)

CREATED = 201
LONGEST_REASON = 500
CSV = "text/csv; charset=gb18030"


@pages.get(START)
@login_required(Scope.DECLARATIONS_WRITE)
def start() -> Response:
    return _start()


@pages.post(START)
@login_required(Scope.DECLARATIONS_WRITE)
def open_rows() -> WerkzeugResponse:
    """Make a draft of a file or pasted rows; what was pasted stays in its field when it cannot be read."""
    # Rows on a clipboard are as large as a file; by itself Flask takes little text from a form.
    request.max_form_memory_size = LARGEST_BODY

    def work() -> WerkzeugResponse:
        draft = retry_on_conflict(lambda db: _opened(db, request.form.get("pasted", "")))
        return redirect(draft_path(draft.id), 303)

    return handle_form(work, _start_again)


@pages.get(f"{START}/<draft_id>")
@login_required(Scope.DECLARATIONS_WRITE)
def show(draft_id: str) -> WerkzeugResponse:
    return show_draft(draft_id, requested_rows())


@pages.post(f"{START}/<draft_id>/submit")
@login_required(Scope.DECLARATIONS_WRITE)
def submit_rows(draft_id: str) -> WerkzeugResponse:
    """Save what was typed, then submit the good rows, once however often the button is pressed.

    The others stay in the draft. Nothing is submitted when what was typed cannot be saved, or leaves its row faulty.
    """

    def work() -> WerkzeugResponse:
        submitted = _submitted(draft_id)
        services().notifier.notify()
        count = submitted["accepted"]
        flash(ngettext("%(num)d declaration was submitted.", "%(num)d declarations were submitted.", count), SUCCESS)
        return redirect_to(f"/batches/{submitted['batch_id']}")

    def again(error: CustomsError) -> WerkzeugResponse:
        errors = [gettext("Nothing was submitted."), *error_sentences(error)]
        return show_again(draft_id, kept_rows(), [" ".join(errors)])

    return handle_form(work, again)


@pages.post(f"{START}/<draft_id>/discard")
@login_required(Scope.DECLARATIONS_WRITE)
def discard_draft(draft_id: str) -> WerkzeugResponse:
    """Discard a draft; rows that a batch left in it are discarded with it, for a reason."""
    why = request.form.get("reason", "").strip()[:LONGEST_REASON] or None

    def work() -> WerkzeugResponse:
        retry_on_conflict(lambda db: discard(db, draft_id, current_caller(), services().audit, why))
        flash(gettext("The draft was discarded. Nothing of it was sent."), SUCCESS)
        return redirect_to(START)

    return handle_form(work, lambda error: show_again(draft_id, requested_rows(), error_sentences(error)))


@pages.get("/import/template.xlsx")
@login_required(Scope.DECLARATIONS_WRITE)
def template() -> Response:
    offered = picks()
    content = template_workbook(offered["office"], offered["channel"])
    return _file(content, XLSX_TYPE, "template.xlsx", gettext("declaration-template.xlsx"))


@pages.get("/import/sample.csv")
@login_required(Scope.DECLARATIONS_WRITE)
def sample() -> Response:
    """Download orders that a sandbox ends as their notes say; there is no such file for the real gateway."""
    if not services().settings.sandbox:
        raise NotFound
    with services().reading() as db:
        content = sample_csv(database.now(db), sorted(current_caller().merchants or ()))
    return _file(content, CSV, "sample.csv", gettext("sample-orders.csv"))


@pages.get("/import/<draft_id>/faulty.xlsx")
@login_required(Scope.DECLARATIONS_WRITE)
def faulty(draft_id: str) -> Response:
    """Download the rows that submitting would leave, with the reasons."""
    shown = load_preview(draft_id)
    name = faulty_filename(shown.draft)
    content = faulty_workbook(shown, finding_sentence)
    return _file(content, XLSX_TYPE, name, gettext("faulty-rows-%(name)s", name=name))


def _start(errors: Sequence[str] = (), *, pasted: str = "") -> Response:
    with services().reading() as db:
        drafts = drafts_of(db, current_caller())
    shown: dict[str, Any] = {"drafts": drafts, "columns": FIELDS, "required": REQUIRED, "words": labels}
    return render_page("import/start.html", errors=errors, pasted=pasted, **shown)


def _start_again(error: CustomsError) -> Response:
    # A body that is too large is not read.
    pasted = "" if isinstance(error, PayloadTooLarge) else request.form.get("pasted", "")
    return _start(error_sentences(error), pasted=pasted)


def _opened(db: Session, pasted: str) -> Draft:
    file = request.files.get("file")
    if file is not None and file.filename:
        return open_draft(db, services().vault, current_caller(), file.read(), file.filename)
    if pasted.strip():
        when = f"{request_time().astimezone(SHANGHAI):%m-%d %H:%M}"
        name = gettext("Pasted rows %(when)s", when=when)
        return open_pasted(db, services().vault, current_caller(), pasted, name)
    why = "choose a file, or paste rows"
    raise ValidationFailed(why, errors=[ErrorDetail("/file", "nothing_chosen", why)])


def _submitted(draft_id: str) -> dict[str, Any]:
    """Submit a draft; return the id of the batch, and how many declarations it accepted."""
    ready: list[tuple[ReadyDraft, Collection[int]]] = []

    def work(db: Session) -> tuple[dict[str, Any], int]:
        parts = services()
        draft, edited = ready[0]
        taken = submit(db, parts.vault, draft, current_caller(), parts.payments, parts.audit, edited)
        return {"batch_id": taken.batch.id, "accepted": len(taken.accepted)}, CREATED

    answer, _ = idempotent(raw_body(), work, before=lambda: ready.append(_ready(draft_id)))
    return answer


def _ready(draft_id: str) -> tuple[ReadyDraft, Collection[int]]:
    """Make the draft ready to be stored as the person left it; return also the rows that they edited last."""
    caller, parts = current_caller(), services()
    draft, changes = retry_on_conflict(lambda db: save_typed_cells(db, draft_id, submitted_revision()))
    ready = make_draft_ready(parts.engine, parts.vault, parts.rules, draft, caller)
    return ready, {one.row for one in changes}


def _file(content: bytes, content_type: str, plain_name: str, name: str) -> Response:
    """Send a file to keep; `plain_name` is for browsers that know ASCII only."""
    named = f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, headers={"Content-Disposition": named}, content_type=content_type)
