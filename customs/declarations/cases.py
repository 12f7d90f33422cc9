"""Cases: why a push is before a reviewer, as a kind and its detail; every sentence about it is made of these."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from flask_babel import LazyString

# The facts of a case by their names: amounts, states and what was explained, all as text.
Detail = Mapping[str, str]


class CaseKind(StrEnum):
    """The kind of a case; a word that only a newer version knows reads as OTHER."""

    FAIL = "FAIL"
    EXCEPT = "EXCEPT"
    REFUSED = "REFUSED"
    IDENTITY = "IDENTITY"
    UNKNOWN_STATE = "UNKNOWN_STATE"
    WENT_BACK = "WENT_BACK"
    NO_END = "NO_END"
    NO_EFFECT = "NO_EFFECT"
    ANOTHERS_NUMBER = "ANOTHERS_NUMBER"
    REFUND = "REFUND"
    OVER_PAID = "OVER_PAID"
    PAYMENT_ENDED = "PAYMENT_ENDED"
    OTHER = "OTHER"

    @classmethod
    def _missing_(cls, value: object) -> "CaseKind":
        return cls.OTHER


class Contacted(StrEnum):
    """Whom somebody spoke to about a case: a kind of people, never a name."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    CUSTOMS = "customs"
    PAYMENT_COMPANY = "payment_company"
    GATEWAY = "gateway"
    SOMEBODY = "somebody"


# The sentence of the API, of the command line and of the audit log; the first whose facts are known counts.
SENTENCES: Mapping[CaseKind, Sequence[str]] = {
    CaseKind.FAIL: ("FAIL: %(explanation)s", "FAIL"),
    CaseKind.EXCEPT: ("EXCEPT: %(explanation)s", "EXCEPT"),
    CaseKind.REFUSED: ("refused: %(explanation)s",),
    CaseKind.IDENTITY: ("identity MISMATCH: the order's buyer is not the payer",),
    CaseKind.UNKNOWN_STATE: ("the gateway answered with an unknown state: %(state)s",),
    CaseKind.WENT_BACK: ("the gateway went back from %(before)s to %(after)s",),
    CaseKind.NO_END: ("no end after 24 hours of asking",),
    CaseKind.NO_EFFECT: (
        "%(action)s sent %(count)s times without effect",
        "the gateway may hold what was sent before this correction",
    ),
    CaseKind.ANOTHERS_NUMBER: ("the gateway answers about another payment under this number",),
    CaseKind.REFUND: (
        "%(amount)s %(currency)s of its payment is to be refunded: %(reason)s",
        "refunded %(amount)s %(currency)s elsewhere",
    ),
    CaseKind.OVER_PAID: ("the sub-orders at %(customs)s come to %(declared)s, and %(paid)s was paid",),
    CaseKind.PAYMENT_ENDED: ("its payment is %(status)s", "its payment was not made within a day"),
    CaseKind.OTHER: ("%(reason)s",),
}
FACT = re.compile(r"%\((\w+)\)s")


def fill_in(wordings: Sequence[LazyString | str], detail: Detail) -> str:
    """Fill the first wording whose facts are all known; "" where each needs one that is not."""
    for text in map(str, wordings):
        if detail.keys() >= set(FACT.findall(text)):
            return text % detail
    return ""


def case_sentence(kind: str, detail: Detail | None) -> str:
    """Return why a case is open, in English."""
    return fill_in(SENTENCES[CaseKind(kind)], detail or {}) or str(kind)


def case_entry(kind: str, detail: Detail | None) -> dict[str, str]:
    """A case as an event of the timeline keeps it."""
    return {"kind": str(kind), **(detail or {})}


def entry_sentence(entry: Mapping[str, str]) -> str:
    """Return the English sentence of a case that an event of the timeline keeps."""
    return case_sentence(entry["kind"], entry)
