"""Signs of a number that is wrong: masks, foreign letters, digits that a spreadsheet has rounded."""

import re
import unicodedata

from customs.validation import Spelt, script_of

MASKED_NUMBER = re.compile(r"^\*$|[*＊]{2,}|[xX]{4,}|[●○█■＊…×]|#{2,}|\.{3,}")
MASKED_CERT_ID = re.compile(r"[*＊●○█■…]|[xX×]{2,}|#{2,}|\.{2,}|-{2,}|_{2,}")
LIKE_LATIN = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
NOT_IN_REGISTRATION = re.compile(r"[^!-~]")
SCIENTIFIC = re.compile(r"[0-9][.,][0-9]+[eE]\+?[0-9]+|[0-9][eE]\+[0-9]+")
# A spreadsheet keeps 15 digits of a number and writes zeros for the others.
ROUNDED = re.compile(r"[0-9]{15}0{5,}")
LIKELY_ROUNDED = re.compile(r"[0-9]{15}0{3,4}")
SURELY_DOUBTFUL = 18
LONG = re.compile(r"[0-9]{16,}")
LOOKS_ROUNDED = re.compile(r"[0-9]{15}0+")


def digits_are_lost(number: str) -> bool:
    """Whether a spreadsheet has certainly rounded a number: it is a power of ten or ends in many zeros."""
    return (SCIENTIFIC.fullmatch(number) or ROUNDED.fullmatch(number)) is not None


def is_long(number: str) -> bool:
    """Whether a spreadsheet that read these digits as a number has rounded them."""
    return LONG.fullmatch(number) is not None


def looks_rounded(number: str) -> bool:
    """Whether all its digits after the 15th are 0. Of 16 or 17 digits that says little by itself."""
    return LOOKS_ROUNDED.fullmatch(number) is not None


def foreign_letter(number: str) -> Spelt | None:
    """Return a letter of another alphabet that looks like a Latin one."""
    for one in () if number.isascii() else number:
        if script_of(one) in LIKE_LATIN:
            return Spelt(one, "")
    return None


def foreign_x(cert_id: str) -> Spelt | None:
    """Return a character that looks like the X or a digit of an ID number but is another."""
    for one in () if cert_id.isascii() else cert_id:
        if not unicodedata.normalize("NFKC", one).isascii() and not one.isdecimal() and one.isprintable():
            return Spelt(one, "")
    return None
