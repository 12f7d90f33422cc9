"""The reference of the API as a page: the same rows that make the OpenAPI document, in words and tables."""

import json
from typing import Any, NamedTuple

from customs.site.openapi import examples
from customs.site.openapi.document import OPERATIONS, TAGS, document, schema_name
from customs.site.openapi.operation import Operation
from customs.web.response_fields import Json

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


def groups() -> list[tuple[str, str, list[Operation]]]:
    """The operations by what they are about: the group's name, its sentence, its rows."""
    return [(name, about, [row for row in OPERATIONS if row.docs.tag == name]) for name, about in TAGS.items()]


def schemas() -> dict[str, Json]:
    """Every schema by its name."""
    found: dict[str, Json] = document()["components"]["schemas"]
    return found


def fields_of(schema: Json) -> list[Field]:
    """The fields of an object's schema; none for what is no object."""
    required = schema.get("required", ())
    return [_field(name, shape, name in required) for name, shape in schema.get("properties", {}).items()]


def parameters_of(row: Operation) -> list[Field]:
    """What an operation takes in its address, its query and its headers."""
    named = [(one["name"], {**one["schema"], "description": one["description"]}, one) for one in row.parameters]
    return [_field(name, shape, bool(one["required"]))._replace(of=one["in"]) for name, shape, one in named]


def response_of(row: Operation) -> tuple[str | None, str | None]:
    """What it answers when all is well: the schema's name and an example."""
    example = examples.RESPONSES.get(row.name)
    name = schema_name(row.docs.schema) if row.docs.schema else None
    return name, None if example is None else pretty(example)


def pretty(value: Any) -> str:
    """An example as it is sent."""
    return json.dumps(value, ensure_ascii=False, indent=2)


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
