"""The doors of the documentation: the OpenAPI document, its page, and the guide."""

import json
import re
from functools import cache

from flask import Blueprint, Response, request
from markupsafe import Markup, escape
from werkzeug import Response as WerkzeugResponse

from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.payment_scenarios import PAYMENT_SCENARIOS, REFUND_SCENARIOS
from customs.site import api_reference
from customs.site.openapi import examples
from customs.site.openapi.document import PREFIX, document, schema_name
from customs.web.i18n import BY_SUBTAG
from customs.web.rendering import render_bare_page

docs = Blueprint("docs", __name__)

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
        render_bare_page(
            "docs/reference.html",
            desk=_address(),
            prefix=PREFIX,
            groups=api_reference.groups(),
            schema_name=schema_name,
            schemas=api_reference.schemas(),
            fields_of=api_reference.fields_of,
            parameters_of=api_reference.parameters_of,
            response_of=api_reference.response_of,
            pretty=api_reference.pretty,
        )
    )


@docs.get("/docs/guide")
def guide() -> Response:
    order = json.dumps({"declarations": [examples.SPLIT]}, ensure_ascii=False, indent=2)
    return render_bare_page(
        "docs/guide.html",
        desk=_address(),
        languages=list(BY_SUBTAG),
        order=order,
        payment=json.dumps(examples.PAYMENTS["a QR code"], ensure_ascii=False, indent=2),
        scenarios=SCENARIOS,
        payment_scenarios=[scenario for scenario in PAYMENT_SCENARIOS if scenario.word],
        refund_scenarios=[scenario for scenario in REFUND_SCENARIOS if scenario.word],
    )


def _address() -> str:
    return request.host_url.rstrip("/")


def _kept(response: Response) -> WerkzeugResponse:
    """A browser may keep it and ask whether it is still the same."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@cache
def _document_text() -> str:
    return json.dumps(document(), ensure_ascii=False)
