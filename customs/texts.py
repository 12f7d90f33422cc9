"""What a text may hold: the form of order, payment and refund numbers (R6), and characters that nobody can see."""

import re
import unicodedata
from typing import NamedTuple

NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,32}", re.ASCII)
WHAT_A_NUMBER_IS = "a number has 1 to 32 characters of 0-9 A-Z a-z _ - | * @"

# Controls, invisible formatting, lone surrogates, private use and unassigned: no name on an ID card holds one.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# The planes of ideographs: names hold some that Unicode has given out since this Python was made.
IDEOGRAPHS = re.compile("[\U00020000-\U0002fffd\U00030000-\U0003fffd]")


def is_unprintable(character: str) -> bool:
    """Whether a character is invisible, or stands for nothing that could be printed."""
    return unicodedata.category(character) in UNPRINTABLE and not IDEOGRAPHS.match(character)


class Spelt(NamedTuple):
    """A character that stands in a text, and the one that belongs there."""

    wrong: str
    right: str


def script_of(character: str) -> str:
    """The first word of a character's name, which is its script's for letters."""
    name = unicodedata.name(unicodedata.normalize("NFKC", character)[0], "")
    return name.partition(" ")[0]
