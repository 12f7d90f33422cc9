"""The pages of the catalogue of codes, to which the `type` of every problem leads; for programs, the same as JSON."""

from flask import Blueprint, Response, jsonify, request

from customs.errors import NotFound
from customs.site.openapi.problems import statuses
from customs.web.error_catalog import BY_CODE, GROUPS
from customs.web.rendering import render_bare_page

error_pages = Blueprint("error_pages", __name__)

HTML, JSON = "text/html", "application/json"


@error_pages.get("/errors")
def list_errors() -> Response:
    if _wants_json():
        return jsonify(data=[entry.as_json() for entry in BY_CODE.values()])
    return render_bare_page("docs/errors.html", groups=GROUPS, statuses=statuses())


@error_pages.get("/errors/<code>")
def read_error(code: str) -> Response:
    entry = BY_CODE.get(code)
    if entry is None:
        raise NotFound
    if _wants_json():
        return jsonify(entry.as_json())
    return render_bare_page("docs/error.html", entry=entry, status=statuses().get(code))


def _wants_json() -> bool:
    """Browsers name HTML; whoever takes anything gets the page."""
    return request.accept_mimetypes.best_match([HTML, JSON], HTML) == JSON
