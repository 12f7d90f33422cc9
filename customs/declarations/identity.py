"""Who the buyer is: the rules for names and resident ID numbers (R7), and the gateway's verdict on them (R8)."""

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from stdnum.cn import ric

from customs.validation import is_unprintable


class Identity(StrEnum):
    """Verdict of the payment company on whether the order's buyer is the payer."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    UNCHECKED = "UNCHECKED"


# WeChat answers in words, Alipay in letters (9.1, 9.4).
VERDICTS = {
    "SAME": Identity.MATCH,
    "DIFFERENT": Identity.MISMATCH,
    "UNCHECKED": Identity.UNCHECKED,
    "T": Identity.MATCH,
    "F": Identity.MISMATCH,
}

CERT_ID_LENGTH = 18
LONGEST_NAME = 100
# Nobody has lived as long.
OLDEST_BUYER = 130
# How an ID number begins by the region that gave it out, whatever its counties are called by now: provinces, Taiwan,
# residence permits of Hong Kong, Macao and Taiwan, and cards of foreigners.
REGION = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9")


def read_verdict(word: str | None) -> Identity | None:
    """One verdict from either channel's word; None when absent or unknown."""
    return VERDICTS.get((word or "").strip().upper())


def fold_identities(verdicts: Iterable[Identity]) -> Identity:
    """Any MISMATCH wins, then UNCHECKED."""
    known = set(verdicts)
    for worst in (Identity.MISMATCH, Identity.UNCHECKED):
        if worst in known:
            return worst
    return Identity.MATCH if known else Identity.UNCHECKED


def cert_id_shape_error(cert_id: str) -> str | None:
    """Return why this cannot be a resident ID number; None when its shape is right."""
    if len(cert_id) != CERT_ID_LENGTH:
        return f"an ID number has {CERT_ID_LENGTH} characters, this one has {len(cert_id)}"
    if not (cert_id.isascii() and cert_id[:-1].isdigit() and cert_id[-1] in "0123456789Xx"):
        return "an ID number has 17 digits and a last digit or X"
    if cert_id[-1] == "x":
        return "the last X of an ID number is upper case"
    return None


def cert_id_truth_error(cert_id: str, today: date) -> str | None:
    """Return why a well-shaped ID number is not a real one by GB 11643: check character or birth date.

    `today` is Shanghai's.
    """
    if cert_id[-1] != ric.calc_check_digit(cert_id):
        return "the check character does not fit the other 17"
    try:
        born = date(int(cert_id[6:10]), int(cert_id[10:12]), int(cert_id[12:14]))
    except ValueError:
        return "the birth date in it does not exist"
    if born > today:
        return "the birth date in it lies in the future"
    return "nobody is as old as the birth date in it" if today.year - born.year > OLDEST_BUYER else None


def names_a_region(cert_id: str) -> bool:
    """Return whether a well-shaped ID number begins with a region's code."""
    return REGION.match(cert_id) is not None


def name_error(name: str) -> str | None:
    """Return why this cannot be sent as a person's name; None when it can."""
    if not 1 <= len(name) <= LONGEST_NAME:
        return f"a name has 1 to {LONGEST_NAME} characters"
    if name != name.strip():
        return "the name begins or ends with a blank"
    if any(map(is_unprintable, name)):
        return "the name holds an invisible or unprintable character"
    return None
