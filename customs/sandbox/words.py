"""How a word is found in an order number: where no further capital letter touches it, the longest first.

`D20261123FAIL001`, `FAIL-1` and `A_FAIL` carry FAIL; `DFAIL1` and `FAILURE` do not.
"""

import re
from collections.abc import Iterable


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
