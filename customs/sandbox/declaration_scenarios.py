"""What becomes of a declaration, by a word in its order number: one table, printed on the front page.

A word is found where no further capital letter touches it, the longest first: `D20261123FAIL001`, `FAIL-1` and
`A_FAIL` carry FAIL; `DFAIL1` and `FAILURE` do not. A course is a sequence of steps in time. Each epoch (ADD,
correction, re-push) has its course; a row names only those that differ from the usual ones.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import dropwhile
from typing import Generic, Protocol, TypeVar

# Marks a text for the translations; the pages translate it.
_ = str


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


class Epoch(StrEnum):
    """What a filing's present course began with; SETTLED is the re-push of what was corrected before."""

    ADDED = "ADDED"
    CORRECTED = "CORRECTED"
    REPUSHED = "REPUSHED"
    SETTLED = "SETTLED"


@dataclass(frozen=True)
class Step:
    """One state of a course. It lasts `steps` of the sandbox's pace (None: for ever) and, when `asked`,
    until it was reported to somebody. `older` seconds are taken from the modify_time it shows."""

    state: str
    steps: float | None
    asked: bool = False
    older: int = 0


Course = tuple[Step, ...]

UNDECLARED = Step("UNDECLARED", 1)
SUBMITTED = Step("SUBMITTED", 1)
PROCESSING = Step("PROCESSING", 1)
SUCCESS = Step("SUCCESS", None)
FAIL = Step("FAIL", None)
EXCEPT = Step("EXCEPT", None)

WAITING = (UNDECLARED, SUBMITTED, PROCESSING)
NORMAL: Course = (UNDECLARED, PROCESSING, SUCCESS)
MODIFIED: Course = (SUBMITTED, PROCESSING, SUCCESS)
FAILED: Course = (UNDECLARED, PROCESSING, FAIL)

USUAL: Mapping[Epoch, Course] = {
    Epoch.ADDED: NORMAL,
    Epoch.CORRECTED: MODIFIED,
    Epoch.REPUSHED: NORMAL,
    Epoch.SETTLED: NORMAL,
}

HOUR = 3600


def _backwards(older: int) -> Course:
    """Back from PROCESSING, and once more back from SUCCESS for whoever asks again."""
    return (
        UNDECLARED,
        Step("PROCESSING", 1, asked=True),
        Step("UNDECLARED", 1, asked=True, older=older),
        Step("SUCCESS", 1, asked=True),
        Step("PROCESSING", 1, asked=True, older=older),
        SUCCESS,
    )


@dataclass(frozen=True)
class Refusal:
    """The answer to an ADD that is never accepted."""

    status: int
    message: str


@dataclass(frozen=True)
class Scenario:
    """One row. `different`: the buyer is not the payer, until corrected. The first `hidden_reads` queries
    find nothing, the first `strange_reads` name another customs code. `frozen`: modify_time never moves."""

    word: str
    meaning: str
    courses: Mapping[Epoch, Course] = field(default_factory=dict)
    refusal: Refusal | None = None
    different: bool = False
    hidden_reads: int = 0
    strange_reads: int = 0
    frozen: bool = False

    def course(self, epoch: Epoch, *, at_once: bool) -> Course:
        """The steps of an epoch; `at_once` (Alipay) leaves out the ordinary waiting before them."""
        steps = self.courses.get(epoch, USUAL[epoch])
        return tuple(dropwhile(WAITING.__contains__, steps)) if at_once else steps


SCENARIOS = (
    Scenario("SUCCESS", _("declared; also what happens without a word")),
    Scenario(
        "FAIL",
        _("FAIL until corrected: MODIFY, or an Alipay re-push with a changed field; then SUCCESS"),
        {Epoch.ADDED: FAILED, Epoch.REPUSHED: FAILED},
    ),
    Scenario(
        "EXCEPT",
        _("EXCEPT until re-pushed, then SUCCESS"),
        {Epoch.ADDED: (UNDECLARED, EXCEPT)},
    ),
    Scenario(
        "LATE-EXCEPT",
        _("UNDECLARED for 10 steps, then EXCEPT until re-pushed"),
        {Epoch.ADDED: (Step("UNDECLARED", 10), EXCEPT)},
    ),
    Scenario(
        "DIFFERENT",
        _("SUCCESS, but the buyer is not the payer (DIFFERENT / F) until corrected"),
        different=True,
    ),
    Scenario(
        "SLOW",
        _("UNDECLARED for 20 steps, then SUCCESS"),
        {Epoch.ADDED: (Step("UNDECLARED", 20), SUCCESS)},
    ),
    Scenario(
        "STUCK",
        _("SUBMITTED for ever after a correction, until re-pushed"),
        {Epoch.CORRECTED: (Step("SUBMITTED", None),)},
    ),
    Scenario(
        "BACK-OLD",
        _("goes backwards with an older modify_time (a stale answer), ends SUCCESS"),
        {Epoch.ADDED: _backwards(older=HOUR)},
    ),
    Scenario(
        "BACK-NEW",
        _("goes backwards with a newer modify_time, ends SUCCESS"),
        {Epoch.ADDED: _backwards(older=0)},
    ),
    Scenario(
        "UNKNOWN",
        _("a state word that the document does not know (ARCHIVED), until re-pushed"),
        {Epoch.ADDED: (UNDECLARED, Step("ARCHIVED", None))},
    ),
    Scenario(
        "OTHER",
        _("the first two queries name another customs code"),
        strange_reads=2,
    ),
    Scenario("STALE", _("the first two queries find nothing (404)"), hidden_reads=2),
    Scenario("FROZEN", _("modify_time never changes"), frozen=True),
    Scenario(
        "REFUSE",
        _("ADD is refused with 400"),
        refusal=Refusal(400, "refused as the order number asks"),
    ),
    Scenario(
        "BIZ555",
        _("ADD is refused with 555, a business code inside"),
        refusal=Refusal(555, json.dumps({"wx_message": "订单不存在", "wx_code": "ORDERNOTEXIST"}, ensure_ascii=False)),
    ),
)

BY_WORD = {scenario.word: scenario for scenario in SCENARIOS}
WORDS = Words(BY_WORD)


def scenario_of(*order_numbers: str) -> Scenario:
    """The scenario of a filing: the first word found in its sub-order number, else in its order number."""
    found = next(filter(None, map(WORDS.found, order_numbers)), ("", "SUCCESS"))
    return BY_WORD[found[1]]
