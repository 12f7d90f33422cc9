"""Why pushes fail, as one cause for all that fail alike: channel, customs code, error, and what was explained."""

import hashlib
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from customs.db.bulk import upsert_many
from customs.db.database import Base, UtcDateTime
from customs.declarations.pushes.outcomes import ANOTHERS_NUMBER, HOLDS_EARLIER, NO_END

LONGEST_EXPLANATION = 200
LONGEST_READ = 1000
# A row that everybody writes is waited for: a cause that was seen just now is left alone.
SEEN_WITHIN = timedelta(seconds=10)


class Error(StrEnum):
    """What went wrong, in one word."""

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


# How a case's reason reads, and what of it is an explanation: that of a refund is its merchant's own.
REASONS: tuple[tuple[re.Pattern[str], Error], ...] = tuple(
    (re.compile(reading, re.DOTALL), error)
    for reading, error in (
        (r"FAIL(?:: (.*))?", Error.FAIL),
        (r"EXCEPT(?:: (.*))?", Error.EXCEPT),
        (r"refused: (.*)", Error.REFUSED),
        (r"identity MISMATCH: .*", Error.IDENTITY),
        (r"the gateway answered with an unknown state: (.*)", Error.UNKNOWN_STATE),
        (r"the gateway went back (from .*)", Error.WENT_BACK),
        (re.escape(NO_END), Error.NO_END),
        (re.escape(ANOTHERS_NUMBER), Error.ANOTHERS_NUMBER),
        (r"(\w+) sent \d+ times without effect", Error.NO_EFFECT),
        (re.escape(HOLDS_EARLIER), Error.NO_EFFECT),
        (r"\S+ \w+ of its payment is (?:to be )?refunded: .*", Error.REFUND),
        (r"refunded \S+ \w+ elsewhere", Error.REFUND),
        (r"the sub-orders at \w+ come to .*", Error.OVER_PAID),
        (r"its payment (is \w+|was not made .*)", Error.PAYMENT_ENDED),
        (r"(.*)", Error.OTHER),
    )
)

MASKED_NAME = re.compile(r"[^\x00-\x7f]\*+")
WORD = re.compile(r"[\dA-Za-z_|*@#]+(?:[-.:,/][\dA-Za-z_|*@#]+)*")
SAYS_WHICH = re.compile(r"[\d*]")
REPEATED = re.compile(r"#(?:[\s.:,/-]*#)+")


class Cause(Base):
    """One cause. Its id is made of the other four, so whoever meets it first stores it.

    `explanation` is normalised: numbers and what is masked do not tell two failures apart.
    """

    __tablename__ = "causes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel: Mapped[str] = mapped_column(String(16))
    customs: Mapped[str] = mapped_column(String(32))
    error: Mapped[str] = mapped_column(String(32))
    explanation: Mapped[str] = mapped_column(Text)
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    assignee_id: Mapped[str | None] = mapped_column(String(40))


CAUSES = Base.metadata.tables[Cause.__tablename__]


class CauseKey(NamedTuple):
    """What makes two failures one cause."""

    channel: str
    customs: str
    error: str
    explanation: str

    @property
    def id(self) -> str:
        return f"cause_{hashlib.sha256(chr(0).join(self).encode(errors='replace')).hexdigest()[:32]}"


def cause_of(channel: str, customs: str, case_reason: str) -> CauseKey:
    """The cause of a push's case, by the reason for which that was opened."""
    for reading, error in REASONS:
        if (found := reading.fullmatch(case_reason)) is not None:
            explained = (found.group(1) if reading.groups else None) or ""
            return CauseKey(str(channel), customs, str(error), normalised(explained))
    raise AssertionError("the last reading fits everything")


def normalised(explanation: str) -> str:
    """An explanation without what belongs to one order only: numbers, names, ID numbers and times become #."""
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
