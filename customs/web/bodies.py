"""Reading a JSON body strictly: one object, no key twice, no NaN, no text that is not Unicode."""

import json
from typing import Any, NoReturn

from flask import request
from marshmallow import Schema, ValidationError

from customs.declarations.checking import complaints_of
from customs.errors import Fault, Invalid, TooLarge, Unreadable

LARGEST_BODY = 32 * 1024 * 1024


def read_json() -> Any:
    """The request's JSON; raises Unreadable or TooLarge, saying what to do."""
    if request.mimetype != "application/json":
        raise Unreadable("send JSON, with Content-Type: application/json")
    if request.content_length is not None and request.content_length > LARGEST_BODY:
        raise TooLarge(f"a body may have {LARGEST_BODY >> 20} MiB; split the batch")
    return parse_json(request.get_data(cache=False))


def parse_json(raw: bytes) -> Any:
    """Strict JSON in UTF-8, with or without a byte order mark."""
    try:
        text = raw.decode("utf-8-sig")
        parsed = json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
        # \ud800 alone is valid JSON and no text: it could be neither stored nor signed.
        broken = "\\ud" in text.lower() and _holds_surrogate(parsed)
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not UTF-8") from error
    except RecursionError as error:
        raise Unreadable("the body is nested too deeply") from error
    except ValueError as error:
        raise Unreadable(f"the body is not valid JSON: {error}") from error
    if broken:
        raise Unreadable("the body holds half a surrogate pair")
    return parsed


def load(schema: Schema) -> Any:
    """The request's body through a schema; raises Invalid with a pointer for each fault."""
    body = read_json()
    try:
        return schema.load(body)
    except ValidationError as error:
        complaints = list(complaints_of(error.messages))
        raise Invalid(
            f"{complaints[0].place or 'the body'}: {complaints[0].detail}; {complaints[0].action}",
            faults=[Fault(f"/{one.place}" if one.place else "", one.code, one.detail) for one in complaints],
        ) from error


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("an object names one key twice")
    return read


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _holds_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and any(0xD800 <= ord(character) <= 0xDFFF for character in value)
    if isinstance(value, dict):
        return any(_holds_surrogate(one) for pair in value.items() for one in pair)
    return isinstance(value, list) and any(map(_holds_surrogate, value))
