"""The pages of the error catalogue, to which the `type` of every problem leads; for programs, the same as JSON."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from customs.errors import NotFound
from customs.site.openapi.problems import statuses
from customs.web.error_catalog import ErrorEntry, entries, entries_by_kind
from customs.web.i18n import BY_SUBTAG, html_tag, translate
from customs.web.rendering import render_bare_page

error_pages = Blueprint("error_pages", __name__)

HTML, JSON = "text/html", "application/json"
# The documentation shows all languages on one page.
MULTILINGUAL: dict[str, Any] = {
    "languages": {code: html_tag(code) for code in BY_SUBTAG.values()},
    "translate": translate,
}


@error_pages.get("/errors")
def list_errors() -> Response:
    if _wants_json():
        return jsonify(data=[_json_of(entry) for entry in entries().values()])
    return render_bare_page("docs/errors.html", kinds=entries_by_kind(), statuses=statuses(), **MULTILINGUAL)


@error_pages.get("/errors/<code>")
def read_error(code: str) -> Response:
    entry = entries().get(code)
    if entry is None:
        raise NotFound
    if _wants_json():
        return jsonify(_json_of(entry))
    return render_bare_page("docs/error.html", entry=entry, status=statuses().get(code), **MULTILINGUAL)


def _json_of(entry: ErrorEntry) -> dict[str, object]:
    """Return an entry with its words in every language."""
    described = {
        subtag: {
            "meaning": translate(entry.meaning, language),
            "action": translate(entry.action, language),
        }
        for subtag, language in BY_SUBTAG.items()
    }
    return {"code": entry.code, "type": f"/errors/{entry.code}", **described}


def _wants_json() -> bool:
    """Browsers name HTML; whoever takes anything gets the page."""
    return request.accept_mimetypes.best_match([HTML, JSON], HTML) == JSON
