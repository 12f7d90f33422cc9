"""Encoding of a Chinese text file: by its byte order mark, else UTF-8, else GB18030; or none that is certain.

GB18030 reads nearly any bytes as Chinese: text in another encoding would come out as names of other people.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

# Python's own names for encodings whose byte order mark is taken off while decoding.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Chinese text in GB18030 is hardly ever valid UTF-8, and then by pairs of bytes; the other way round it often is.
ENCODINGS = ("utf-8", "gb18030")

# What stands between the cells of delimited text. No second byte of GB18030 or Big5 is a comma, a quote or a tab.
BETWEEN = re.compile(rb"[\t\r\n,;\"]+")
# Three bytes and more, as every Chinese character has in UTF-8; and letters beside what is not ASCII, as in José.
LONG_IN_UTF8 = re.compile(rb"[\xe0-\xff]")
LETTER = re.compile(rb"[A-Za-z]")
HAN = re.compile("[\u4e00-\u9fff]")
NOT_ASCII = re.compile("[^\0-\x7f]")
KANA = re.compile("[\u3041-\u30ff]")
# Of one name in 50,000 the bytes in GB18030 are common Chinese in UTF-8 too; of two joined files, more cells are.
LEAST_JOINED = 1 / 500
# In its own encoding nearly all characters of a text are among those used most: how many more than in GB18030, and the
# least there have to be. Of GB18030 these are the 6,763 of GB2312; most rare ones are in names, beside common ones.
MOST_COMMON, LEAST_USUAL, MARGIN = 0.9, 0.6, 0.2


def encoding_of(content: bytes) -> str | None:
    """Return Python's name of the encoding in which all of the content is text, None when there is none."""
    marked = [encoding for mark, encoding in BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    known = next(filter(lambda encoding: _is_text(content, encoding), marked or ENCODINGS), None)
    return "gb18030" if known == "utf-8" and _is_utf8_by_chance(content) else known


def holds_two(content: bytes) -> bool:
    """Whether delimited text that is not UTF-8 holds cells that are: then two files were joined."""
    cells = _foreign_cells(content)
    return sum(map(_is_utf8_alone, cells)) > LEAST_JOINED * len(cells)


def rival_of_gb18030(content: bytes) -> str | None:
    """Return the familiar name of the encoding that fits better than GB18030, None when GB18030 fits."""
    common = _share(content, "gb18030", lambda one: not _is_rare(one))
    if common > MOST_COMMON:
        return None
    least = max(LEAST_USUAL, common + MARGIN)
    return next((rival.name for rival in RIVALS if rival.usual(content) >= least), None)


@dataclass(frozen=True)
class Rival:
    """An encoding whose texts GB18030 can read too; `is_usual` judges a character by itself and its first byte."""

    name: str
    encoding: str
    is_usual: Callable[[str, int], bool]

    def usual(self, content: bytes) -> float:
        """Return the share of common characters, 0 when the content is not text in this encoding."""
        try:
            return _share(content, self.encoding, lambda one: self.is_usual(one, one.encode(self.encoding)[0]))
        except UnicodeDecodeError:
            return 0.0


RIVALS = (
    # Big5 orders its characters by how often they are used: 5,401 from A4 on.
    Rival("Big5", "cp950", lambda _, lead: 0xA1 <= lead <= 0xC6),
    Rival("Shift-JIS", "cp932", lambda one, lead: 0x88 <= lead <= 0x98 or KANA.match(one) is not None),
)


def _share(content: bytes, encoding: str, known: Callable[[str], bool]) -> float:
    """Return the known share of non-ASCII characters, from 0 to 1; 1 if there are none. Raises UnicodeDecodeError."""
    counts = Counter(NOT_ASCII.findall(content.decode(encoding)))
    return sum(count for one, count in counts.items() if known(one)) / counts.total() if counts else 1.0


def _is_utf8_by_chance(content: bytes) -> bool:
    """Whether all that is not ASCII is common Chinese in GB18030, but Greek, Arabic and the like in UTF-8."""
    if content.isascii() or LONG_IN_UTF8.search(content):
        return False
    cells = _foreign_cells(content)
    return bool(cells) and all(_is_common(cell) and not LETTER.search(cell) for cell in cells)


def _foreign_cells(content: bytes) -> set[bytes]:
    """Return the different cells of delimited text that are not ASCII."""
    return {cell for cell in BETWEEN.split(content) if not cell.isascii()}


def _is_utf8_alone(cell: bytes) -> bool:
    """Whether a cell is common Chinese in UTF-8, but not in GB18030."""
    try:
        read = cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return HAN.search(read) is not None and _is_text(read, "gb2312") and not _is_common(cell)


def _is_common(cell: bytes) -> bool:
    try:
        return all(not _is_rare(one) for one in cell.decode("gb18030"))
    except UnicodeDecodeError:
        return False


def _is_rare(character: str) -> bool:
    """Whether a character is outside GB2312, or one of its letters that Chinese texts do not use."""
    return not (character.isascii() or _is_text(character, "gb2312")) or KANA.match(character) is not None


def _is_text(content: bytes | str, encoding: str) -> bool:
    try:
        content.decode(encoding) if isinstance(content, bytes) else content.encode(encoding)
    except UnicodeError:
        return False
    return True
