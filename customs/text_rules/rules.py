"""Rules for names and numbers as one table, for API, files and forms alike; each row lists the texts it is for."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from customs.text_rules.signs import (
    CIPHER,
    LIKELY_ROUNDED,
    MASKED_CERT_ID,
    MASKED_COMPANY,
    MASKED_NAME,
    MASKED_NUMBER,
    NOT_IN_REGISTRATION,
    TITLE,
    UNSEEN,
    digits_are_lost,
    foreign_letter,
    foreign_x,
    has_no_letter,
    holds_blank,
    holds_digits,
    holds_phone,
    is_nobody,
    is_not_composed,
    is_unusual,
    is_wrongly_decoded,
    look_alike,
    look_alike_in_name,
    mixes_scripts,
    stands_for_nothing,
    wrong_dot,
)
from customs.validation import Spelt


class Holds(StrEnum):
    """Kind of text to check. NUMBER: of an order, a payment, a merchant.

    REGISTRATION: what customs gave a merchant (备案号).
    """

    NAME = "name"
    COMPANY = "company"
    CERT_ID = "cert_id"
    NUMBER = "number"
    REGISTRATION = "registration"


class Objection(NamedTuple):
    """One error or warning about a text; never repeats more of it than single characters."""

    code: str
    is_error: bool
    detail: str
    action: str


Found = bool | Spelt | None


@dataclass(frozen=True)
class Rule:
    """One row of the table. `find` tells whether a text breaks the rule, and may name the characters that do."""

    code: str
    is_error: bool
    holds: frozenset[Holds]
    find: Callable[[str], Found]
    detail: str
    action: str

    def objection(self, found: Found) -> Objection:
        if not isinstance(found, Spelt):
            return Objection(self.code, self.is_error, self.detail, self.action)
        wrong, right = map(_named, found)
        detail, action = self.detail.format(wrong=wrong), self.action.format(right=right)
        return Objection(self.code, self.is_error, detail, action)


def objections_to(text: str, holds: Holds) -> Sequence[Objection]:
    """Return what is wrong with a text of this kind: the first error alone, else every warning."""
    if holds in ORDINARY and ORDINARY[holds].fullmatch(text):
        return ()
    # A company's name stands in all rows of a batch; what is a person's is not kept.
    return _looked_up(text, holds) if holds in REPEATED else _looked_at(text, holds)


@lru_cache(maxsize=1024)
def _looked_up(text: str, holds: Holds) -> Sequence[Objection]:
    return _looked_at(text, holds)


def _looked_at(text: str, holds: Holds) -> Sequence[Objection]:
    found = []
    for rule in RULES_FOR[holds]:
        broken = rule.find(text)
        if broken and rule.is_error:
            return [rule.objection(broken)]
        if broken:
            found.append(rule.objection(broken))
    return found


def _named(characters: str) -> str:
    return " ".join(f"“{one}” (U+{ord(one):04X})" for one in characters)


# Signs that a program or a font put in the place of a character that it could not write.
LOST = re.compile("[?？\ufffd□▯▢☐⍰〓\u2500-\u257f]|锟斤|斤拷|錕斤|烫烫|屯屯")
# A character as HTML, a URL, JSON, Excel's XML or a mail's header writes it.
ESCAPED = re.compile(
    r"&#x?[0-9a-f]{2,6};?|&[a-z]{2,8};|%u[0-9a-f]{4}|(?:%[0-9a-f]{2}){2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}"
    r"|_x[0-9a-f]{4}_|(?:=[0-9a-f]{2}){3}|<br ?/?>",
    re.IGNORECASE,
)


def _characters_lost(text: str) -> bool:
    return LOST.search(text) is not None or ESCAPED.search(text) is not None


def _searching(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.search(text) is not None


def _fitting(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


ERROR, WARNING = True, False
NAME, COMPANY, CERT_ID, PLAIN_NUMBER, REGISTRATION = (frozenset({one}) for one in Holds)
NAMES = NAME | COMPANY
NUMBER = PLAIN_NUMBER | REGISTRATION
NUMBERS = NUMBER | CERT_ID
ALL = NAMES | NUMBERS
NOTHING_MEANT = "this is a word or a sign that stands for nothing"
FROM_SOURCE = "enter it from its source"
FROM_CARD = "write the name as the ID card has it"
MASKED = "a part of this is masked"
UNMASKED = "export it unmasked, or ask whoever has the whole of it"
DIGITS_DOUBTFUL = Objection(
    "digits_doubtful",
    WARNING,
    "all digits after the 15th are 0, as a spreadsheet leaves them when it rounds",
    "compare with the source; if digits are lost, format the column as text and enter the value again",
)
# Errors before warnings, and the plainest cause first.
RULES: tuple[Rule, ...] = (
    Rule("placeholder", ERROR, NAME, is_nobody, NOTHING_MEANT, "write the buyer's name, or leave the buyer out"),
    Rule("placeholder", ERROR, COMPANY, stands_for_nothing, NOTHING_MEANT, f"{FROM_SOURCE}, or leave it out"),
    Rule("placeholder", ERROR, NUMBERS, stands_for_nothing, NOTHING_MEANT, f"{FROM_SOURCE}, or leave it out"),
    Rule(
        "characters_lost",
        ERROR,
        ALL,
        _characters_lost,
        "characters of this were lost on the way: a question mark, a box or a code stands in their place",
        f"{FROM_SOURCE}; export the file as UTF-8",
    ),
    Rule(
        "wrongly_decoded",
        ERROR,
        NAMES,
        is_wrongly_decoded,
        "this was read in the wrong encoding before it came here, so it is other characters",
        f"{FROM_SOURCE}; export the file as UTF-8",
    ),
    Rule("encrypted", ERROR, NAME, _searching(CIPHER), "this is the cipher of a name, not the name", UNMASKED),
    Rule("masked", ERROR, NAME, _searching(MASKED_NAME), MASKED, UNMASKED),
    Rule("masked", ERROR, COMPANY, _searching(MASKED_COMPANY), MASKED, UNMASKED),
    Rule("masked", ERROR, NUMBER, _searching(MASKED_NUMBER), MASKED, UNMASKED),
    Rule("masked", ERROR, CERT_ID, _searching(MASKED_CERT_ID), MASKED, UNMASKED),
    Rule("placeholder", ERROR, NAME, has_no_letter, NOTHING_MEANT, "write the buyer's name, or leave the buyer out"),
    Rule(
        "invisible",
        ERROR,
        NAMES,
        _searching(UNSEEN),
        "this holds a character that shows nothing",
        "type it anew instead of copying it",
    ),
    Rule("phone_in_name", ERROR, NAME, holds_phone, "a phone number stands in the name", FROM_CARD),
    Rule("title_in_name", ERROR, NAME, _searching(TITLE), "a title stands in the name", FROM_CARD),
    Rule("digits_in_name", ERROR, NAME, holds_digits, "a digit stands in a Chinese name", FROM_CARD),
    Rule("scripts_mixed", ERROR, NAME, mixes_scripts, "letters of two alphabets stand in one name", FROM_CARD),
    Rule(
        "foreign_letter",
        ERROR,
        CERT_ID,
        foreign_x,
        "{wrong} is a character of another alphabet that only looks right",
        "type digits, and X as a Latin letter",
    ),
    Rule(
        "foreign_letter",
        ERROR,
        NUMBER,
        foreign_letter,
        "{wrong} is a letter of another alphabet that only looks right",
        "type it as a Latin letter",
    ),
    Rule(
        "registration_invalid",
        ERROR,
        REGISTRATION,
        _searching(NOT_IN_REGISTRATION),
        "a customs number has letters and digits, and no blanks in it",
        FROM_SOURCE,
    ),
    Rule(
        "digits_lost",
        ERROR,
        NUMBERS,
        digits_are_lost,
        "a spreadsheet has rounded it: digits are lost",
        "format the column as text, then enter the value again from its source",
    ),
    Rule("digits_doubtful", WARNING, NUMBERS, _fitting(LIKELY_ROUNDED), *DIGITS_DOUBTFUL[2:]),
    Rule(
        "wrong_dot",
        WARNING,
        NAME,
        wrong_dot,
        "{wrong} is not the dot that stands between the parts of a name",
        "write {right}, if that is how the ID card has it",
    ),
    Rule(
        "blank_inside",
        WARNING,
        NAME,
        holds_blank,
        "a blank stands where names have none",
        "take the blank out; between the parts of a name write “·” (U+00B7), in a foreign name one plain space",
    ),
    Rule(
        "look_alike",
        WARNING,
        NAME,
        look_alike_in_name,
        "{wrong} only looks like the character that is meant",
        "write {right}",
    ),
    Rule(
        "look_alike",
        WARNING,
        COMPANY,
        look_alike,
        "{wrong} only looks like the character that is meant",
        "write {right}",
    ),
    Rule(
        "not_composed",
        WARNING,
        NAMES,
        is_not_composed,
        "a letter and its accent are two characters here",
        "write each letter with its accent as one character (Unicode NFC)",
    ),
    Rule(
        "name_unusual",
        WARNING,
        NAME,
        is_unusual,
        "this holds a sign that hardly any ID card has",
        "compare it with the ID card",
    ),
)
# What no rule can object to, so that a large batch is not checked by every one of them.
ORDINARY = {
    Holds.CERT_ID: re.compile("[0-9]{17}[1-9X]", re.ASCII),
    Holds.NUMBER: re.compile(r"(?=[^1-9]*[1-9])[0-9A-DF-WYZ_|-]*[1-9A-DF-WYZ]", re.ASCII),
}
# What stands in many rows alike, and is nobody's own.
REPEATED = {Holds.COMPANY, Holds.REGISTRATION}
RULES_FOR = {holds: tuple(rule for rule in RULES if holds in rule.holds) for holds in Holds}
