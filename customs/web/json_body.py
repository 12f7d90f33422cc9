"""Read JSON bodies strictly: plain or gzip, no key twice, no NaN, no text that is not Unicode."""

import json
import zlib
from typing import Any, NoReturn

from flask import g, request
from marshmallow import Schema, ValidationError

from customs.errors import ErrorDetail, MalformedRequest, PayloadTooLarge, UnsupportedEncoding, ValidationFailed
from customs.validation import placed_errors

LARGEST_BODY = 32 * 1024 * 1024
# Of a request that nobody signed in, or no valid key, stands behind.
LARGEST_ANONYMOUS_BODY = 64 * 1024
TOO_LARGE = f"a body may have {LARGEST_BODY >> 20} MiB, also once it is decompressed; split the batch"
GZIP = {"gzip", "x-gzip"}
GZIP_MAGIC = b"\x1f\x8b"
# zlib's word for "with the header and checksum of gzip".
GZIP_WINDOW = zlib.MAX_WBITS | 16
# A gzip file ends with the size of what it holds.
SIZE_BYTES = 4
# How many bytes one byte of deflate can stand for at most.
MOST_PACKED = 1032


def read_json() -> Any:
    """Parse the request's JSON; raises MalformedRequest or PayloadTooLarge, which say what to do."""
    if request.mimetype != "application/json":
        raise MalformedRequest("send JSON, with Content-Type: application/json")
    return parse_json(raw_body())


def raw_body() -> bytes:
    """Return the request's body, decompressed when it came as gzip.

    Raises PayloadTooLarge, UnsupportedEncoding or MalformedRequest.
    """
    if "body" not in g:
        if request.content_length is not None and request.content_length > LARGEST_BODY:
            raise PayloadTooLarge(TOO_LARGE)
        encoding = request.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in GZIP | {"", "identity"}:
            raise UnsupportedEncoding(f"Content-Encoding: {encoding[:30]!r} is not known here; use gzip, or none")
        sent = request.get_data()
        g.body = decompressed(sent) if encoding in GZIP else sent
    body: bytes = g.body
    return body


def decompressed(packed: bytes) -> bytes:
    """Decompress a gzip file, up to LARGEST_BODY; one that states a larger size is not read at all."""
    stated_size = int.from_bytes(packed[-SIZE_BYTES:], "little") if packed.startswith(GZIP_MAGIC) else 0
    # What no packing could reach is not a size, but the end of a broken file.
    if LARGEST_BODY < stated_size <= len(packed) * MOST_PACKED:
        raise PayloadTooLarge(TOO_LARGE)
    file = zlib.decompressobj(GZIP_WINDOW)
    try:
        read = file.decompress(packed, LARGEST_BODY + 1)
    except zlib.error as error:
        raise MalformedRequest("the body is not gzip, though Content-Encoding says so") from error
    if len(read) > LARGEST_BODY:
        raise PayloadTooLarge(TOO_LARGE)
    # A second member may hide behind the first: there is no end to them.
    if not file.eof or file.unused_data:
        raise MalformedRequest("the body is not one whole gzip file")
    return read


def parse_json(raw: bytes) -> Any:
    """Parse strict JSON in UTF-8, with or without a byte order mark."""
    try:
        text = raw.decode("utf-8-sig")
        parsed = json.loads(text, object_pairs_hook=_no_key_twice, parse_constant=_no_constant)
        # \ud800 alone is valid JSON and no text: it could be neither stored nor signed.
        broken = "\\ud" in text.lower() and _holds_surrogate(parsed)
    except UnicodeDecodeError as error:
        raise MalformedRequest("the body is not UTF-8") from error
    except RecursionError as error:
        raise MalformedRequest("the body is nested too deeply") from error
    except ValueError as error:
        raise MalformedRequest(f"the body is not valid JSON: {error}") from error
    if broken:
        raise MalformedRequest("the body holds half a surrogate pair")
    return parsed


def allow_large_body() -> None:
    """Let this request have a body of LARGEST_BODY: it is known who sends it."""
    request.max_content_length = LARGEST_BODY


def validate_json(schema: Schema) -> Any:
    """Load the request's body with a schema; raises ValidationFailed with a pointer for each error."""
    return validate(schema, read_json())


def validate(schema: Schema, body: Any) -> Any:
    """Load what was read with a schema; raises ValidationFailed with a pointer for each error."""
    try:
        return schema.load(body)
    except ValidationError as error:
        placed = list(placed_errors(error.messages))
        place, first = placed[0]
        raise ValidationFailed(
            f"{place or 'the body'}: {first}; {first.action}",
            errors=[ErrorDetail(f"/{place}" if place else "", one.code, str(one)) for place, one in placed],
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
