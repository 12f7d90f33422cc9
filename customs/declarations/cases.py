"""Cases: why a push is before a reviewer, as a kind and its detail, and the cause that cases alike share.

Every sentence about a case is made of kind and detail; a cause is a channel, customs code, kind and explanation.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from flask_babel import LazyString
from sqlalchemy import JSON, Connection, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.bulk import upsert_many
from customs.db.database import Base, UtcDateTime

LONGEST_EXPLANATION = 200
LONGEST_READ = 1000
# A row that everybody writes is waited for: a cause that was seen just now is left alone.
SEEN_WITHIN = timedelta(seconds=10)

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
    """Return a case as an event of the timeline keeps it."""
    return {"kind": str(kind), **(detail or {})}


def entry_sentence(entry: Mapping[str, str]) -> str:
    """Return the English sentence of a case that an event of the timeline keeps."""
    return case_sentence(entry["kind"], entry)


# What of a case's detail distinguishes its cause from others of its kind; a refund's reason is its merchant's own.
EXPLANATIONS: Mapping[CaseKind, Sequence[str]] = {
    CaseKind.FAIL: ("%(explanation)s",),
    CaseKind.EXCEPT: ("%(explanation)s",),
    CaseKind.REFUSED: ("%(explanation)s",),
    CaseKind.UNKNOWN_STATE: ("%(state)s",),
    CaseKind.WENT_BACK: ("from %(before)s to %(after)s",),
    CaseKind.NO_EFFECT: ("%(action)s",),
    CaseKind.PAYMENT_ENDED: ("is %(status)s", "was not made within a day"),
    CaseKind.OTHER: ("%(reason)s",),
}

MASKED_NAME = re.compile(r"[^\x00-\x7f]\*+")
WORD = re.compile(r"[\dA-Za-z_|*@#]+(?:[-.:,/][\dA-Za-z_|*@#]+)*")
SAYS_WHICH = re.compile(r"[\d*]")
REPEATED = re.compile(r"#(?:[\s.:,/-]*#)+")


class Cause(Base):
    """One cause. Its id is made of channel, customs, error and explanation, so whoever meets it first stores it.

    `error` is the kind of its cases, `detail` what all their details share. Both it and `explanation` are normalised:
    numbers and what is masked do not tell two failures apart.
    """

    __tablename__ = "causes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    customs: Mapped[str] = mapped_column(String(32))
    error: Mapped[str] = mapped_column(String(32))
    explanation: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, str]] = mapped_column(JSON, server_default="{}")
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assignee_id: Mapped[str | None] = mapped_column(String(40))


CAUSES = Base.metadata.tables[Cause.__tablename__]


class CauseKey(NamedTuple):
    """The key of a cause: failures with the same key share it."""

    channel: str
    customs: str
    error: str
    explanation: str
    detail: Detail

    @property
    def id(self) -> str:
        return f"cause_{hashlib.sha256(chr(0).join(self[:4]).encode(errors='replace')).hexdigest()[:32]}"


def cause_of(channel: str, customs: str, kind: CaseKind, detail: Detail | None) -> CauseKey:
    """Return the cause of a push's case."""
    wordings = EXPLANATIONS.get(kind, ())
    named = {name for text in wordings for name in FACT.findall(text)}
    distinguishing = {name: normalised(fact) for name, fact in (detail or {}).items() if name in named}
    return CauseKey(str(channel), customs, str(kind), normalised(fill_in(wordings, detail or {})), distinguishing)


def normalised(explanation: str) -> str:
    """Return an explanation without what belongs to one order: numbers, names, ID numbers and times become #."""
    text = MASKED_NAME.sub("#", explanation[:LONGEST_READ])
    text = WORD.sub(lambda word: "#" if SAYS_WHICH.search(word.group()) else word.group(), text)
    return " ".join(REPEATED.sub("#", text).split())[:LONGEST_EXPLANATION]


def remember(db: Session | Connection, met: Collection[CauseKey], now: datetime) -> None:
    """Store causes that cases were opened for, and when they were seen last, in the transaction that opens those."""
    if not met:
        return
    connection = db.connection() if isinstance(db, Session) else db
    by_id = {cause.id: cause for cause in met}
    fresh = select(CAUSES.c.id).where(CAUSES.c.id.in_(by_id), CAUSES.c.last_seen_at > now - SEEN_WITHIN)
    unseen = sorted(by_id.keys() - set(connection.scalars(fresh)))
    rows = [{"id": id_, **by_id[id_]._asdict(), "first_seen_at": now, "last_seen_at": now} for id_ in unseen]
    upsert_many(connection, CAUSES, rows, {"last_seen_at": "excluded.last_seen_at"})
