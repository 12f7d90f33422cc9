"""The doors of the documentation: the OpenAPI document, its page, and the guide."""

import json
import re
from functools import cache

from flask import Blueprint, Response, request
from markupsafe import Markup, escape
from werkzeug import Response as WerkzeugResponse

from customs.sandbox.fates import FATES
from customs.sandbox.payment_fates import PAYMENT_FATES, REFUND_FATES
from customs.web import reference
from customs.web.contract import examples
from customs.web.contract.document import PREFIX, document
from customs.web.rendering import page

docs = Blueprint("docs", __name__, template_folder="templates")

MARKED = re.compile(r"`([^`]+)`")


@docs.app_template_filter("code_marks")
def code_marks(text: str) -> Markup:
    """A text of ours whose `words` are code."""
    return Markup(MARKED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


@docs.get("/api/v1/openapi.json")
def openapi() -> WerkzeugResponse:
    return _kept(Response(_document_text(), content_type="application/json"))


@docs.get("/docs")
def read_reference() -> WerkzeugResponse:
    return _kept(
        page(
            "docs/reference.html",
            desk=_desk(),
            prefix=PREFIX,
            groups=reference.groups(),
            schemas=reference.schemas(),
            fields_of=reference.fields_of,
            parameters_of=reference.parameters_of,
            answers_of=reference.answers_of,
            scope_of=reference.scope_of,
            pretty=reference.pretty,
        )
    )


@docs.get("/docs/guide")
def guide() -> Response:
    order = json.dumps({"declarations": [examples.SPLIT]}, ensure_ascii=False, indent=2)
    return page(
        "docs/guide.html",
        desk=_desk(),
        order=order,
        payment=json.dumps(examples.PAYMENTS["a QR code"], ensure_ascii=False, indent=2),
        fates=FATES,
        payment_fates=[fate for fate in PAYMENT_FATES if fate.word],
        refund_fates=[fate for fate in REFUND_FATES if fate.word],
    )


def _desk() -> str:
    return request.host_url.rstrip("/")


def _kept(response: Response) -> WerkzeugResponse:
    """A browser may keep it and ask whether it is still the same."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@cache
def _document_text() -> str:
    return json.dumps(document(), ensure_ascii=False)
