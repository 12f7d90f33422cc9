"""The door of the desk's files: stylesheets, scripts and icons, kept by browsers for as long as they stay the same."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug import Response as WerkzeugResponse

from customs.errors import NotFound

static_files = Blueprint("static_files", __name__)

STATIC = Path(__file__).parent / "static"
# What may be served, and as what; licences and lists of versions stay in the folder.
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
KEPT_FOREVER, ASKED_AGAIN = "public, max-age=31536000, immutable", "no-cache"


@static_files.get("/static/<path:name>")
def static_file(name: str) -> WerkzeugResponse:
    if name not in servable():
        raise NotFound
    response = Response(_content(name), content_type=CONTENT_TYPES[Path(name).suffix])
    response.headers["Cache-Control"] = KEPT_FOREVER if request.args.get("v") == version(name) else ASKED_AGAIN
    response.set_etag(version(name))
    return response.make_conditional(request)


def asset_url(name: str) -> str:
    """Where a page finds this file of the static folder, by an address that changes when the file does.

    KeyError for a file that is not served: a page that asks for one is not finished.
    """
    if name not in servable():
        raise KeyError(name)
    return f"/static/{name}?v={version(name)}"


@cache
def servable() -> frozenset[str]:
    """The names, below the static folder, of every file that is served."""
    return frozenset(file.relative_to(STATIC).as_posix() for file in STATIC.rglob("*") if file.suffix in CONTENT_TYPES)


@cache
def version(name: str) -> str:
    """Ten hexadecimal digits that stand for the content of a file."""
    return hashlib.sha256(_content(name)).hexdigest()[:10]


@cache
def _content(name: str) -> bytes:
    return (STATIC / name).read_bytes()
