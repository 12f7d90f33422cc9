"""The files of importing: the template to fill in, a sample to learn with, and the faulty rows of a draft."""

from urllib.parse import quote

from flask import Blueprint, Response
from flask_babel import gettext

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations.services import services
from customs.errors import NotFound
from customs.imports.drafts import draft_of
from customs.imports.error_workbook import faulty_filename, faulty_workbook
from customs.imports.labels import finding_sentence, picks
from customs.imports.preview import preview
from customs.imports.sample_tutorial import sample_csv
from customs.imports.template import template_workbook
from customs.web.i18n import html_language
from customs.web.request import current_caller
from customs.web.session_auth import login_required

pages = Blueprint("import_downloads", __name__)

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=gb18030"


@pages.get("/import/template.xlsx")
@login_required(Scope.DECLARATIONS_WRITE)
def template() -> Response:
    offered = picks()
    content = template_workbook(html_language(), offered["office"], offered["channel"])
    return _file(content, WORKBOOK, "template.xlsx", gettext("declaration-template.xlsx"))


@pages.get("/import/sample.csv")
@login_required(Scope.DECLARATIONS_WRITE)
def sample() -> Response:
    """Orders that a sandbox ends as their notes say; in front of the real gateway there is no such file."""
    if not services().settings.sandbox:
        raise NotFound
    with services().reading() as db:
        content = sample_csv(database.now(db), sorted(current_caller().merchants or ()))
    return _file(content, CSV, "sample.csv", gettext("sample-orders.csv"))


@pages.get("/import/<draft_id>/faulty.xlsx")
@login_required(Scope.DECLARATIONS_WRITE)
def faulty(draft_id: str) -> Response:
    """What submitting would leave, with the reasons."""
    caller, parts = current_caller(), services()
    with parts.reading() as db:
        draft = draft_of(db, draft_id, caller)
    looked_at = preview(parts.engine, parts.vault, parts.rules, draft, caller, parts.payments)
    name = faulty_filename(draft)
    content = faulty_workbook(looked_at, html_language(), finding_sentence)
    return _file(content, WORKBOOK, name, gettext("faulty-rows-%(name)s", name=name))


def _file(content: bytes, content_type: str, plain_name: str, name: str) -> Response:
    """A file to keep; `plain_name` is for browsers that know ASCII only."""
    named = f"attachment; filename=\"{plain_name}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, headers={"Content-Disposition": named}, content_type=content_type)
