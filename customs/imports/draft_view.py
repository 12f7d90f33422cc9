"""How a draft is shown after whatever was done with it: the whole page, or for htmx the part of it that has changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask import Response, flash, redirect, request
from werkzeug import Response as WerkzeugResponse

from customs.declarations.fields import FIELDS
from customs.declarations.services import services
from customs.errors import ErrorDetail, FileUnreadable, NotFound, ValidationFailed
from customs.ids import new_id
from customs.imports import labels, view_model
from customs.imports.drafts import draft_of, submitted_as
from customs.imports.preview import preview
from customs.imports.view_model import MEND, ROWS_A_PAGE, TABS, Asked, View
from customs.web.forms import DANGER, error_sentences
from customs.web.rendering import render_fragment, render_page
from customs.web.request import current_caller, number_in_cursor, text_argument

START = "/import"
# Digits of a row's number, or of a revision.
LONGEST_NUMBER = 9


def place_of(draft_id: str) -> str:
    """Where a draft is looked over."""
    return f"{START}/{draft_id}"


def asked() -> Asked:
    """The rows that this request's address asks for."""
    return Asked(text_argument("show", tuple(TABS)), number_in_cursor(request.args.get("offset")))


def working_on(opened: Mapping[int, Collection[str]] | None = None) -> Asked:
    """The rows that are on the page stay there while somebody works on them."""
    numbers = request.form.get("kept", "").split(",")[: ROWS_A_PAGE[MEND]]
    kept = [int(one) for one in numbers if one.isascii() and one.isdigit() and len(one) <= LONGEST_NUMBER]
    at = asked()
    return Asked(at.show, at.offset, kept, opened or {})


def revision_seen() -> int:
    """The revision of the draft that a form was made from."""
    return number_typed("revision")


def number_typed(name: str) -> int:
    """A whole number that a form of ours carries."""
    text = request.form.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        why = f"{name}: use a whole number"
        raise ValidationFailed(why, errors=[ErrorDetail(f"/{name}", "parameter_invalid", why)])
    return int(text)


def is_part_wanted() -> bool:
    """Whether the page itself asks, and needs no more than what has changed."""
    return "HX-Request" in request.headers


def gone_to(place: str) -> WerkzeugResponse:
    """On to another page, also for a page that asks by itself."""
    return Response(headers={"HX-Redirect": place}) if is_part_wanted() else redirect(place, 303)


def shown_again(draft_id: str, rows: Asked, errors: Sequence[str] = (), anchor: str = "") -> WerkzeugResponse:
    """The draft after a form was sent; `errors` are the sentences of what was refused."""
    if is_part_wanted():
        return looked_over(draft_id, rows, errors)
    for sentence in errors:
        flash(sentence, DANGER)
    query = f"?{request.query_string.decode('ascii', 'ignore')}" if request.query_string else ""
    return redirect(f"{place_of(draft_id)}{query}{anchor}", 303)


def looked_over(draft_id: str, rows: Asked, errors: Sequence[str] = ()) -> WerkzeugResponse:
    """A draft as it stands; one whose rows were all submitted leads to their batch."""
    caller, parts = current_caller(), services()
    try:
        with parts.reading() as db:
            draft = draft_of(db, draft_id, caller)
        seen = preview(parts.engine, parts.vault, parts.rules, draft, caller, parts.payments)
    except NotFound:
        return _to_its_batch(draft_id)
    except FileUnreadable as error:
        return _to_start(error)
    return _shown(View(seen, rows), errors)


def _to_its_batch(draft_id: str) -> WerkzeugResponse:
    with services().reading() as db:
        batch_id = submitted_as(db, draft_id, current_caller())
    if batch_id is None:
        raise NotFound
    return gone_to(f"/batches/{batch_id}")


def _to_start(error: FileUnreadable) -> WerkzeugResponse:
    """A draft that has become what no batch can hold."""
    for sentence in error_sentences(error):
        flash(sentence, DANGER)
    return gone_to(START)


def _shown(view: View, errors: Sequence[str]) -> Response:
    shown: dict[str, Any] = {
        "view": view,
        "preview": view.preview,
        "draft": view.preview.draft,
        "errors": errors,
        "once": new_id("form"),
        "words": labels,
        "cells": view_model,
        "columns": FIELDS,
        "offered": labels.picks(),
    }
    return (
        render_fragment("import/preview.html", **shown)
        if is_part_wanted()
        else render_page("import/draft.html", **shown)
    )
