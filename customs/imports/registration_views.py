"""The page of registrations: looked up by merchant, channel and office, put on file one by one or as a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request
from flask_babel import ngettext
from werkzeug import Response as WerkzeugResponse

from customs.auth.principal import Scope
from customs.db import database
from customs.declarations.offices import OFFICES
from customs.declarations.registrations import NARROWED_BY, list_registrations
from customs.errors import CustomsError, ErrorDetail, ValidationFailed
from customs.gateway import Channel
from customs.imports.registration_file import COLUMNS, RegistrationFile, read_registration_file, sample_file
from customs.web.forms import SUCCESS, error_sentences, handle_form
from customs.web.idempotency import retry_on_conflict
from customs.web.rendering import render_page
from customs.web.request import allow_only_arguments, current_caller, given_filters, page_arguments
from customs.web.services import services
from customs.web.session_auth import login_required

pages = Blueprint("registration_pages", __name__, url_prefix="/admin/registrations")

CSV = "text/csv; charset=utf-8"
MOST_WRONG = 100


@pages.get("")
@login_required(Scope.DECLARATIONS_READ)
def show_registrations() -> Response:
    allow_only_arguments("cursor", *NARROWED_BY)
    limit, cursor = page_arguments()
    narrowed = given_filters(*NARROWED_BY)
    with services().reading() as db:
        page = list_registrations(db, current_caller(), narrowed, limit=limit, cursor=cursor)
    return render_page(
        "admin/registrations.html", page=page, narrowed=narrowed, channels=list(Channel), offices=list(OFFICES)
    )


@pages.get("/put")
@login_required(Scope.DECLARATIONS_WRITE)
def put_form() -> Response:
    allow_only_arguments(*COLUMNS)
    return _form(typed=request.args)


@pages.post("")
@login_required(Scope.DECLARATIONS_WRITE)
def put_one() -> WerkzeugResponse:
    typed = {name: text for name in COLUMNS if (text := request.form.get(name, "").strip())}
    one = RegistrationFile([typed], [1])
    return handle_form(lambda: _put(one), lambda error: _form(error_sentences(error), typed=typed))


@pages.post("/file")
@login_required(Scope.DECLARATIONS_WRITE)
def put_file() -> WerkzeugResponse:
    def work() -> WerkzeugResponse:
        file = _uploaded()
        return handle_form(lambda: _put(file), lambda error: _wrong_rows(file, error))

    return handle_form(work, lambda error: _form(error_sentences(error)))


@pages.get("/sample.csv")
@login_required(Scope.DECLARATIONS_READ)
def sample() -> Response:
    named = {"Content-Disposition": 'attachment; filename="registrations.csv"'}
    return Response(sample_file(), headers=named, content_type=CSV)


def _uploaded() -> RegistrationFile:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        detail = "choose a file"
        raise ValidationFailed(detail, errors=[ErrorDetail("/file", "required", detail)])
    return read_registration_file(upload.read(), upload.filename)


def _put(file: RegistrationFile) -> WerkzeugResponse:
    """Put it on file, and show what is on file then."""
    count = retry_on_conflict(lambda db: file.put(db, current_caller(), services().audit, database.now(db)))
    flash(ngettext("%(num)d registration is on file.", "%(num)d registrations are on file.", count), SUCCESS)
    merchants = {row["merchant_no"] for row in file.rows}
    only = f"?{urlencode({'merchant_no': merchants.pop()})}" if len(merchants) == 1 else ""
    return redirect(f"{pages.url_prefix}{only}", 303)


def _wrong_rows(file: RegistrationFile, error: CustomsError) -> Response:
    if not error.errors:
        return _form(error_sentences(error))
    wrong = [(file.place_of(one.pointer), one.code, one.detail) for one in error.errors[:MOST_WRONG]]
    return _form(wrong=wrong, count=len(error.errors))


def _form(errors: Sequence[str] = (), *, typed: Mapping[str, str] | None = None, **wrong: Any) -> Response:
    """One registration to be typed, or a file of them; `wrong`: what a file was refused for, and how often."""
    shown: dict[str, Any] = {"wrong": (), "count": 0} | wrong
    return render_page(
        "admin/registration_form.html",
        errors=errors,
        typed=typed or {},
        merchants=sorted(current_caller().merchants or ()),
        offices=list(OFFICES),
        channels=list(Channel),
        **shown,
    )
