"""Which encoding a Chinese text file is in: what its byte order mark says, else UTF-8, else GB18030."""

import codecs

# Python's own names for encodings whose byte order mark is taken off while decoding.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Chinese text in GB18030 is hardly ever valid UTF-8; the other way round it often is.
ENCODINGS = ("utf-8", "gb18030")


def encoding_of(content: bytes) -> str | None:
    """The encoding in which all of the content is text, as Python names it; None when it is text in none of them."""
    marked = [encoding for mark, encoding in BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    return next(filter(lambda encoding: _is_text(content, encoding), marked or ENCODINGS), None)


def _is_text(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
