"""Show the documentation: the OpenAPI document, the reference made of it, the guide, the error catalogue."""

import json
from functools import cache
from typing import Any, NamedTuple

from flask import Blueprint, Response, jsonify, request
from werkzeug import Response as WerkzeugResponse

from customs.errors import NotFound
from customs.sandbox.declaration_scenarios import SCENARIOS
from customs.sandbox.payment_scenarios import PAYMENT_SCENARIOS, REFUND_SCENARIOS
from customs.site.openapi import examples
from customs.site.openapi.document import OPERATIONS, PREFIX, TAGS, document, schema_name
from customs.site.openapi.operation import Operation, statuses
from customs.web.error_catalog import ErrorEntry, entries, entries_by_kind
from customs.web.i18n import BY_SUBTAG, html_tag, translate
from customs.web.rendering import render_bare_page
from customs.web.response_fields import Json
from customs.web.template_filters import readable

docs = Blueprint("docs", __name__)

HTML, JSON = "text/html", "application/json"
# The documentation shows all languages on one page.
MULTILINGUAL: dict[str, Any] = {
    "languages": {code: html_tag(code) for code in BY_SUBTAG.values()},
    "translate": translate,
}
# Schemas that only wrap another one in a page of a list say nothing of their own.
REF = "#/components/schemas/"
BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matches {}",
    "format": "{}",
    "default": "default {}",
}


class Field(NamedTuple):
    """One field of an object. `kind`: what it holds; `of`: the schema it consists of, if that has a name."""

    name: str
    kind: str
    of: str | None
    required: bool
    about: str
    bounds: str


@docs.get("/api/v1/openapi.json")
def openapi() -> WerkzeugResponse:
    return _revalidated(Response(_document_text(), content_type="application/json"))


@docs.get("/docs")
def read_reference() -> WerkzeugResponse:
    return _revalidated(
        render_bare_page(
            "docs/reference.html",
            desk=_address(),
            prefix=PREFIX,
            groups=groups(),
            schema_name=schema_name,
            schemas=schemas(),
            fields_of=fields_of,
            parameters_of=parameters_of,
            response_of=response_of,
        )
    )


@docs.get("/docs/guide")
def guide() -> Response:
    order = readable({"declarations": [examples.SPLIT]})
    return render_bare_page(
        "docs/guide.html",
        desk=_address(),
        languages=list(BY_SUBTAG),
        order=order,
        payment=readable(examples.PAYMENTS["a QR code"]),
        scenarios=SCENARIOS,
        payment_scenarios=[scenario for scenario in PAYMENT_SCENARIOS if scenario.word],
        refund_scenarios=[scenario for scenario in REFUND_SCENARIOS if scenario.word],
        translate=translate,
    )


@docs.get("/errors")
def list_errors() -> Response:
    if _wants_json():
        return jsonify(data=[_json_of(entry) for entry in entries().values()])
    return render_bare_page("docs/errors.html", kinds=entries_by_kind(), statuses=statuses(), **MULTILINGUAL)


@docs.get("/errors/<code>")
def read_error(code: str) -> Response:
    entry = entries().get(code)
    if entry is None:
        raise NotFound
    if _wants_json():
        return jsonify(_json_of(entry))
    return render_bare_page("docs/error.html", entry=entry, status=statuses().get(code), **MULTILINGUAL)


def groups() -> list[tuple[str, str, list[Operation]]]:
    """Return the operations by their tag: its name, its sentence, its rows."""
    return [(name, about, [row for row in OPERATIONS if row.docs.tag == name]) for name, about in TAGS.items()]


def schemas() -> dict[str, Json]:
    """Return every schema by its name."""
    found: dict[str, Json] = document()["components"]["schemas"]
    return found


def fields_of(schema: Json) -> list[Field]:
    """Return the fields of an object's schema; none for what is no object."""
    required = schema.get("required", ())
    return [_field(name, shape, name in required) for name, shape in schema.get("properties", {}).items()]


def parameters_of(row: Operation) -> list[Field]:
    """Return what an operation takes in its path, its query and its headers."""
    named = [(one["name"], {**one["schema"], "description": one["description"]}, one) for one in row.parameters]
    return [_field(name, shape, bool(one["required"]))._replace(of=one["in"]) for name, shape, one in named]


def response_of(row: Operation) -> tuple[str | None, Any]:
    """Return the name of the schema of a good answer, and an example."""
    return schema_name(row.docs.schema) if row.docs.schema else None, examples.RESPONSES.get(row.name)


def _field(name: str, shape: Json, required: bool) -> Field:
    kind, of = _kind(shape)
    bounds = [words.format(_word(shape[key])) for key, words in BOUNDS.items() if key in shape]
    return Field(name, kind, of, required, shape.get("description", ""), ", ".join(bounds))


def _kind(shape: Json) -> tuple[str, str | None]:
    if "$ref" in shape:
        return "object", shape["$ref"].removeprefix(REF)
    if "enum" in shape:
        return " | ".join(map(_word, shape["enum"])), None
    if "const" in shape:
        return _word(shape["const"]), None
    for several in ("anyOf", "oneOf"):
        if several in shape:
            kinds = [_kind(one) for one in shape[several]]
            return " or ".join(kind for kind, _ in kinds), next((of for _, of in kinds if of), None)
    kind = shape.get("type", "any")
    if kind == "array":
        inner, of = _kind(shape.get("items", {}))
        return f"list of {inner}", of
    return (" or ".join(kind) if isinstance(kind, list) else str(kind)), None


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _address() -> str:
    return request.host_url.rstrip("/")


def _revalidated(response: Response) -> WerkzeugResponse:
    """Let a browser keep it and ask whether it is still the same."""
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response.make_conditional(request)


@cache
def _document_text() -> str:
    return json.dumps(document(), ensure_ascii=False)


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
    """Whether the client asks for JSON: browsers name HTML, and who accepts anything gets the page."""
    return request.accept_mimetypes.best_match([HTML, JSON], HTML) == JSON
