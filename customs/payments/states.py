"""The states of payments and refunds, and the gateway's words for them (11.1, 11.2)."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum


class Status(StrEnum):
    """Where a payment stands (11.1); only a query makes it move."""

    INIT = "INIT"
    PAID = "PAID"
    FAIL = "FAIL"
    EXPIRED = "EXPIRED"

    @property
    def is_final(self) -> bool:
        return self is not Status.INIT


class Refunded(StrEnum):
    """How much of a payment was refunded (11.1)."""

    NONE = "NONE"
    PART = "PART"
    FULL = "FULL"


class RefundStatus(StrEnum):
    """Where a refund stands. The document shows one word only, SUCCESS."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


class PaymentCase(StrEnum):
    """Why a person should look at a payment or a refund; a word that only a newer version knows reads as NO_ANSWER."""

    NO_END = "NO_END"
    NO_ANSWER = "NO_ANSWER"
    NO_EFFECT = "NO_EFFECT"
    ANOTHERS_NUMBER = "ANOTHERS_NUMBER"

    @classmethod
    def _missing_(cls, value: object) -> "PaymentCase":
        return cls.NO_ANSWER

    def sentence(self, detail: Mapping[str, str] | None) -> str:
        """Return why, in English, as the API says it."""
        return CASE_SENTENCES[self].format_map({"count": "many"} | dict(detail or {}))


CASE_SENTENCES: Mapping[PaymentCase, str] = {
    PaymentCase.NO_END: "no end after 24 hours of asking",
    PaymentCase.NO_ANSWER: "nobody knows what became of it: the gateway was asked for 24 hours",
    PaymentCase.NO_EFFECT: "sent {count} times without effect",
    PaymentCase.ANOTHERS_NUMBER: "the gateway answers about somebody else's record under this number",
}
# Any other word is neither: the refund goes on being asked for.
REFUND_WORDS = {
    "SUCCESS": RefundStatus.SUCCESS,
    "FAIL": RefundStatus.FAIL,
    "FAILED": RefundStatus.FAIL,
    "REFUSED": RefundStatus.FAIL,
    "CLOSED": RefundStatus.FAIL,
}


def read_status(word: str | None) -> Status | None:
    """The gateway's word as a Status; None for a word the document does not know."""
    return Status.__members__.get((word or "").strip().upper())


def read_refund_status(word: str | None) -> RefundStatus:
    return REFUND_WORDS.get((word or "").strip().upper(), RefundStatus.PENDING)


def refunded_so_far(amount: Decimal, refunded: Decimal) -> Refunded:
    """NONE, PART or FULL for an amount of which so much was refunded."""
    if refunded <= 0:
        return Refunded.NONE
    return Refunded.FULL if refunded >= amount else Refunded.PART
