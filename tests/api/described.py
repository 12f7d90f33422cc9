"""What an answer of the API has against the OpenAPI document, which may hold nothing undocumented."""

import re
from functools import cache
from http import HTTPStatus
from typing import Any

from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.test import TestResponse

from customs.site.openapi.document import PREFIX, document

# Looking through more takes longer than making it.
LARGEST_CHECKED = 50_000


def deviations(answer: TestResponse, method: str, path: str) -> list[str]:
    """What an answer of a documented path has against its description; no endpoint describes its crash."""
    if answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return []
    described = document()["paths"][path][method.lower()]["responses"].get(str(answer.status_code))
    if described is None:
        return [f"{answer.status_code} is not documented"]
    (content_type,) = described.get("content", {"": None})
    if not content_type:
        return ["a body where none is documented"] if answer.data else []
    reference = described["content"][content_type]["schema"]["$ref"]
    found = [error.message for error in _validator(reference).iter_errors(answer.json)]
    return found if answer.content_type == content_type else [answer.content_type, *found]


def check(answer: TestResponse, urls: MapAdapter) -> None:
    """Hold an answer against the document, wherever its path and method are in it."""
    method = answer.request.method
    try:
        rule, _ = urls.match(answer.request.path, method, return_rule=True)
    except HTTPException:
        return
    path = as_in_the_document(rule.rule)
    if method.lower() in document()["paths"].get(path, {}) and len(answer.data) <= LARGEST_CHECKED:
        assert deviations(answer, method, path) == [], f"{method} {path}"


def as_in_the_document(rule: str) -> str:
    return re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.removeprefix(PREFIX))


@cache
def _validator(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference, "components": _closed(document()["components"])})


def _closed(shape: Any) -> Any:
    """The same schema taking no field that it does not name: an answer may hold nothing undocumented."""
    if isinstance(shape, list):
        return [_closed(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    below = {name: _closed(value) for name, value in shape.items()}
    return {"additionalProperties": False} | below if "properties" in below and below.get("type") == "object" else below
