"""The pieces that schemas are made of: texts, amounts, times, ids, choices, objects, lists; each as JSON Schema."""

from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]

# What `customs.validation.Text` takes: no blank at either end, nothing that cannot be printed.
TIDY = r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
AMOUNT_IN = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$"
# Yen and won have no places; everything else has two.
AMOUNT_OUT = r"^[0-9]{1,16}(\.[0-9]{2})?$"
YUAN_OUT = r"^[0-9]{1,16}\.[0-9]{2}$"
INSTANT_EXAMPLE = "2026-11-23T08:00:00.000Z"
ID_DIGITS = "019ab1c2f3d45e6f708192a3b4c5d6e7"


def text(description: str = "", **more: Any) -> Json:
    return _described({"type": "string"}, description) | more


def tidy(longest: int, **more: Any) -> Json:
    """Text as the API takes it."""
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": TIDY} | more


def amount_in(description: str = "") -> Json:
    return _described({"type": "string", "pattern": AMOUNT_IN, "examples": ["46.44"]}, description)


def amount_out(description: str = "") -> Json:
    return _described({"type": "string", "pattern": AMOUNT_OUT, "examples": ["46.44"]}, description)


def yuan_out(description: str = "") -> Json:
    return _described({"type": "string", "pattern": YUAN_OUT, "examples": ["46.44"]}, description)


def instant(description: str = "") -> Json:
    """RFC 3339 in UTC with milliseconds."""
    return _described({"type": "string", "format": "date-time", "examples": [INSTANT_EXAMPLE]}, description)


def id_of(prefix: str, description: str = "") -> Json:
    """Opaque, sortable by time."""
    shape = {"type": "string", "pattern": f"^{prefix}_[0-9a-f]{{32}}$", "examples": [f"{prefix}_{ID_DIGITS}"]}
    return _described(shape, description)


def choice(words: Iterable[str], description: str = "") -> Json:
    return _described({"type": "string", "enum": [str(word) for word in words]}, description)


def whole(description: str = "", least: int = 0) -> Json:
    return _described({"type": "integer", "minimum": least}, description)


def flag(description: str = "") -> Json:
    return _described({"type": "boolean"}, description)


def constant(word: str) -> Json:
    return {"type": "string", "enum": [word]}


def null() -> Json:
    return {"type": "null"}


def nullable(shape: Json) -> Json:
    """The same, or null."""
    if "$ref" in shape:
        return {"oneOf": [shape, null()]}
    widened = shape | {"type": [shape["type"], "null"]}
    return widened | {"enum": [*shape["enum"], None]} if "enum" in shape else widened


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(shape: Json, description: str = "", **more: Any) -> Json:
    return _described({"type": "array", "items": shape}, description) | more


def words_by_name(description: str = "") -> Json:
    """An object whose names are not known before, with text for each."""
    return _described({"type": "object", "additionalProperties": {"type": "string"}}, description)


def thing(
    properties: Mapping[str, Json], description: str = "", *, optional: Iterable[str] = (), example: Any = None
) -> Json:
    """An object of an answer; fields may be added to it later, so a reader passes over those it does not know."""
    left_out = set(optional)
    required = [name for name in properties if name not in left_out]
    shape = {"type": "object", "required": required, "properties": dict(properties)}
    return _described(shape, description) | ({} if example is None else {"examples": [example]})


def page_of(name: str) -> Json:
    """One page of a list."""
    return thing(
        {
            "data": list_of(ref(name)),
            "has_more": flag("Whether there is a page after this one."),
            "next_cursor": nullable(text("Send it as `cursor` to get the next page; null at the end.")),
        }
    )


def _described(shape: Json, description: str) -> Json:
    return shape | {"description": description} if description else shape
