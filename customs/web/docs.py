"""The doors of the documentation: the OpenAPI document, its page, the guide, and the files these are made of."""

import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, request
from werkzeug import Response as WerkzeugResponse

from customs.errors import NotFound
from customs.sandbox.fates import FATES
from customs.sandbox.payment_fates import PAYMENT_FATES, REFUND_FATES
from customs.web.contract import examples
from customs.web.contract.document import document
from customs.web.pages import page

docs = Blueprint("docs", __name__, template_folder="templates")

STATIC = Path(__file__).parent / "static"
JAVASCRIPT, CSS = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
# What is served from this process, and as what; nothing else in the folder is.
ASSETS = {
    "swagger-ui.css": ("swagger-ui/swagger-ui.css", CSS),
    "swagger-ui-bundle.js": ("swagger-ui/swagger-ui-bundle.js", JAVASCRIPT),
    "docs.css": ("docs.css", CSS),
    "docs.js": ("docs.js", JAVASCRIPT),
}


@docs.get("/api/v1/openapi.json")
def openapi() -> WerkzeugResponse:
    return _kept(Response(_document_text(), content_type="application/json"))


@docs.get("/docs")
def reference() -> Response:
    return page("docs/reference.html")


@docs.get("/docs/guide")
def guide() -> Response:
    order = json.dumps({"declarations": [examples.SPLIT]}, ensure_ascii=False, indent=2)
    desk = request.host_url.rstrip("/")
    return page(
        "docs/guide.html",
        desk=desk,
        order=order,
        payment=json.dumps(examples.PAYMENTS["a QR code"], ensure_ascii=False, indent=2),
        fates=FATES,
        payment_fates=[fate for fate in PAYMENT_FATES if fate.word],
        refund_fates=[fate for fate in REFUND_FATES if fate.word],
    )


@docs.get("/docs/assets/<name>")
def asset(name: str) -> WerkzeugResponse:
    if name not in ASSETS:
        raise NotFound
    file, content_type = ASSETS[name]
    return _kept(Response(_content(file), content_type=content_type))


def _kept(response: Response) -> WerkzeugResponse:
    """A browser may keep it and ask whether it is still the same."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@cache
def _content(file: str) -> bytes:
    return (STATIC / file).read_bytes()


@cache
def _document_text() -> str:
    return json.dumps(document(), ensure_ascii=False)
