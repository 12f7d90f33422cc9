"""How a word is found in an order number: where no further capital letter touches it, the longest first.

`D20261123FAIL001`, `FAIL-1` and `A_FAIL` carry FAIL; `DFAIL1` and `FAILURE` do not.
"""

import re
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar


class Words:
    """A table's words as one pattern; with `prefixes`, one of them and a `-` may stand before the word."""

    def __init__(self, words: Iterable[str], prefixes: Iterable[str] = ()) -> None:
        longest_first = sorted(words, key=len, reverse=True)
        prefix = f"(?:({'|'.join(prefixes)})-)?" if prefixes else "()"
        self._pattern = re.compile(f"(?<![A-Z]){prefix}({'|'.join(map(re.escape, longest_first))})(?![A-Z])")

    def found(self, number: str) -> tuple[str, str] | None:
        """The prefix ("" when there is none) and the word that `number` carries, or None."""
        match = self._pattern.search(number)
        return (match[1] or "", match[2]) if match else None


class Row(Protocol):
    """A row that is found by its word; the row of every number without a word has ""."""

    @property
    def word(self) -> str: ...


AnyRow = TypeVar("AnyRow", bound=Row)


class Table(Generic[AnyRow]):
    """Rows to be found by the words in our numbers."""

    def __init__(self, rows: tuple[AnyRow, ...]) -> None:
        self._rows = {row.word: row for row in rows}
        self._words = Words(filter(None, self._rows))

    def row(self, *numbers: str) -> AnyRow:
        """The row of the first word found in these numbers, else the row without a word."""
        return self._rows[next(filter(None, map(self._words.found, numbers)), ("", ""))[1]]
