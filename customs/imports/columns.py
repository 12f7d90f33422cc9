"""The header of a sheet: which fields of a declaration its columns are, spelt in English or Chinese."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from customs.declarations.fields import FIELDS, Field
from customs.spreadsheets.reader import unreadable

# A longer header is a cell of prose; findings name it by its beginning.
LONGEST_HEADER = 60


BY_HEADER = {column.header: column for column in FIELDS}
BY_PATH = {column.path: column for column in FIELDS}
BY_SPELLING = BY_HEADER | {column.chinese: column for column in FIELDS}
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


def column_spelt(word: str) -> Field | None:
    """Return the column that a header means; blanks around it and case do not matter."""
    return BY_SPELLING.get(word.strip().lower())


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
