"""The header of a sheet: which fields of a declaration its columns are, spelt in English or Chinese."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from customs.declarations.fields import FIELDS, Field
from customs.spreadsheets.reader import unreadable

# A longer header is a cell of prose; findings name it by its beginning.
LONGEST_HEADER = 60


BY_HEADER = {column.header: column for column in FIELDS}
BY_PATH = {column.path: column for column in FIELDS}
BY_SPELLING = BY_HEADER | {column.chinese: column for column in FIELDS}
# What exports write around a header: marks of what is required, and notes in brackets that change no meaning. Another
# unit, such as fen, or another person, such as the recipient, does: such a header is not ours.
MARKS = re.compile(r"[*※★●:]+")
NOTES = re.compile(
    r"[(\[【][^()\[\]【】]*?(?:必填|必输|必选|必录|必须|选填|可选|可空|可不填|为空|重复|唯一|文本|数字|位|元|人民币|cny|rmb|"
    r"required|optional|mandatory|unique|text)[^()\[\]【】]*?[)\]】]"
)
OTHER_MEANING = re.compile("分|角|美|欧|港|usd|eur|hkd|收|recipient|receiver")
# Traditional characters of our headers' spellings.
SIMPLIFIED = str.maketrans("關號訂單備稱購證額費價幣戶渠貨運務碼類稅", "关号订单备称购证额费价币户渠货运务码类税")
# A file of faulty rows says in this column what is wrong; sent again, the column says nothing.
REASONS = ("reason", "原因")


@dataclass(frozen=True)
class Header:
    """The header of one file: the known columns with place and spelling there, and the words nobody knows, with theirs.

    `nameless` are the places left of `width` whose header is blank.
    """

    placed: tuple[tuple[int, Field], ...]
    spelt: dict[Field, str]
    unknown: tuple[tuple[int, str], ...]
    nameless: tuple[int, ...]
    width: int

    def lacks(self, names: Iterable[str]) -> list[Field]:
        """Return those of these columns, by their English names, that the file lacks."""
        return [column for column in map(BY_HEADER.__getitem__, names) if column not in self.spelt]


def plain_header(word: str) -> str:
    """Return a header without what exports decorate it with: case, blanks, marks, notes in brackets, width, script."""
    text = unicodedata.normalize("NFKC", word).lower()
    text = "".join(one for one in text if not one.isspace() and one != "_" and unicodedata.category(one) not in ODD)
    text = NOTES.sub(lambda note: note[0] if OTHER_MEANING.search(note[0]) else "", text)
    return MARKS.sub("", text).translate(SIMPLIFIED)


def column_spelt(word: str) -> Field | None:
    """Return the column that a header means."""
    return BY_PLAIN_HEADER.get(plain_header(word))


# Control characters and those of no width.
ODD = ("Cc", "Cf")
BY_PLAIN_HEADER = {plain_header(word): column for word, column in BY_SPELLING.items()}


def read_header(cells: Sequence[str], required: Iterable[str]) -> Header:
    """Read a file's header; FileUnreadable when a required column is missing or one is named twice."""
    header = match_header(cells)
    if missing := header.lacks(required):
        raise unreadable(
            "columns_missing",
            "The first row must name the columns, and these are missing: "
            + "; ".join(f"{column.header} (write {column.spellings})" for column in missing)
            + ".",
        )
    return header


def match_header(cells: Sequence[str]) -> Header:
    """Read a header in which columns may be missing; FileUnreadable when one is named twice."""
    words = [cell.strip()[:LONGEST_HEADER] for cell in cells]
    placed: list[tuple[int, Field]] = []
    spelt: dict[Field, str] = {}
    unknown: list[tuple[int, str]] = []
    for place, word in enumerate(words):
        column = column_spelt(word)
        if column is None:
            unknown += [(place, word)] if word and word.lower() not in REASONS else []
            continue
        if column in spelt:
            raise unreadable(
                "column_twice",
                f"The header names one column twice: {spelt[column]} and {word}. Keep the one that is meant.",
            )
        placed.append((place, column))
        spelt[column] = word
    width = max((place for place, word in enumerate(words) if word), default=-1) + 1
    nameless = tuple(place for place in range(width) if not words[place])
    return Header(tuple(placed), spelt, tuple(unknown), nameless, width)
