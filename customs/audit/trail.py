"""Audit trail: who did what to which thing and why, in a hash chain with a seal on its end."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from customs.audit.actions import Actor, AuditAction, AuditEvent, audit_event
from customs.audit.hash_chain import START, ChainDefect, Link, WalkResult, hash_of, walk
from customs.audit.models import ENDS, ENTRIES
from customs.db import database
from customs.errors import ActionNotAllowed
from customs.privacy.masking import mask_free_text, mask_text

THE_END = 1
HIGHEST = select(func.max(ENTRIES.c.number)).scalar_subquery()
LOWEST = select(func.min(ENTRIES.c.number)).scalar_subquery()
IS_THE_END = ENDS.c.id == THE_END
LOCK = select(ENDS, HIGHEST.label("highest")).where(IS_THE_END).with_for_update(of=ENDS)
# One statement is one moment: with two, an entry in between would look like tampering.
AT_ONE_MOMENT = select(
    LOWEST.label("lowest"),
    HIGHEST.label("highest"),
    *(select(ENDS.c[name]).where(IS_THE_END).scalar_subquery().label(name) for name in ("number", "hash", "seal")),
)
MOVE = (
    update(ENDS)
    .where(IS_THE_END)
    .values({name: bindparam(f"new_{name}", type_=ENDS.c[name].type) for name in ("number", "hash", "seal")})
)


@dataclass(frozen=True)
class ChainVerdict:
    """Result of verifying the trail: how many entries fit, and `what` is wrong after them.

    `first_bad` is the number of the first entry that does not fit, None when only the end's seal does not.
    """

    entries: int
    first_bad: int | None = None
    what: ChainDefect | None = None

    @property
    def ok(self) -> bool:
        return self.what is None


class AuditTrail:
    """Records audit events, each chained to the one before, and finds entries that were changed later.

    The hashes show which entry was altered; the seal, which needs the secret, that nobody made all of them anew. What
    no trail can show by itself is that all of the database was put back to an earlier day: its anchors do.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"customs audit seal", "sha256")

    def append(self, db: Session, event: AuditEvent, now: datetime) -> int:
        """Record one event in the transaction of the action; return its number.

        By convention the last that a transaction writes: it holds the end of the chain until it commits, and whoever
        waits for that end while holding something else never holds what this transaction still wants. So nobody
        deadlocks, and others wait only for a commit. What acts on many things is one transaction for each of them.
        """
        return self.append_many(db, [event], now)

    def append_many(self, db: Session, events: Sequence[AuditEvent], now: datetime) -> int:
        """Record one event or more at once; return the number of the last."""
        # What the session still holds back would be written after the end was locked.
        db.flush()
        connection = db.connection()
        end = _locked_end(connection, self._sealed(START))
        # After an entry that nobody here added one goes on all the same: it shows, and events are not lost for it.
        number: int = max(end.number, end.highest or 0)
        last, rows = Link(end.number, end.hash), []
        for event in events:
            number += 1
            row = _row(event, number, last, now)
            rows.append(row)
            last = Link(number, row["hash"])
        connection.execute(insert(ENTRIES), rows)
        self._move(connection, last, end.seal if self._is_broken(end) else self._sealed(last))
        return number

    def verify(self, db: Session) -> ChainVerdict:
        """Verify every entry, some thousands at a time; entries that are added meanwhile do no harm."""
        return self._verify(db.connection())[1]

    def seal_anew(self, engine: Engine, by: Actor) -> ChainVerdict:
        """Seal the end with the present secret if only the seal does not fit, as after a change of the secret.

        Returns what was found before; it is on the record. Others wait only while what came after that is looked at.
        Raises ActionNotAllowed when the end is not that of the last entry.
        """
        with database.reading(engine) as db:
            walked, verdict = self._verify(db.connection())
        if verdict.what is not ChainDefect.SEAL:
            return verdict
        with database.transaction(engine) as db:
            connection = db.connection()
            end = _locked_end(connection, self._sealed(START))
            last = walk(connection, end.number, walked.last).last
            if last != Link(end.number, end.hash):
                raise ActionNotAllowed("the end of the audit trail is not that of its last entry: look into a backup")
            self._move(connection, last, self._sealed(last))
            self.append(
                db, audit_event(by, AuditAction.AUDIT_SEAL, "trail", entries=str(last.number)), database.now(db)
            )
        return verdict

    def sealed_end(self, db: Session) -> Link | None:
        """Return the end of the chain; None while there is none, and where its seal does not fit."""
        end = db.execute(select(ENDS).where(IS_THE_END)).one_or_none()
        return None if end is None or self._is_broken(end) else Link(end.number, end.hash)

    def _verify(self, db: Connection) -> tuple[WalkResult, ChainVerdict]:
        found = db.execute(AT_ONE_MOMENT).one()
        walked = walk(db, found.highest or 0 if found.number is None else found.number)
        return walked, ChainVerdict(walked.last.number, *self._defect_of(found, walked))

    def _defect_of(self, found: Row[Any], walked: WalkResult) -> tuple[int | None, ChainDefect | None]:
        """Return the number of the first entry that does not fit, and what is wrong with it."""
        last = walked.last
        if found.lowest is not None and found.lowest < 1:
            return found.lowest, ChainDefect.ADDED
        if walked.what is not None:
            return walked.first_bad, walked.what
        if found.number is None:
            # Nothing was ever done here, or the end is gone.
            return (last.number + 1, ChainDefect.CUT_OFF) if last.number else (None, None)
        if self._is_broken(found):
            return None, ChainDefect.SEAL
        if last.number < found.number:
            return last.number + 1, ChainDefect.CUT_OFF
        if found.highest is not None and found.highest > found.number:
            return found.number + 1, ChainDefect.ADDED
        return (None, None) if last.hash == found.hash else (last.number, ChainDefect.ALTERED)

    def _sealed(self, last: Link) -> str:
        return hmac.digest(self._key, f"{last.number}|{last.hash}".encode(), "sha256").hex()

    def _is_broken(self, end: Row[Any]) -> bool:
        return not hmac.compare_digest(str(end.seal).encode(), self._sealed(Link(end.number, end.hash)).encode())

    @staticmethod
    def _move(db: Connection, last: Link, seal: str) -> None:
        db.execute(MOVE, {"new_number": last.number, "new_hash": last.hash, "new_seal": seal})


def _locked_end(db: Connection, seal: str) -> Row[Any]:
    """Return the end of the chain, locked until the commit; make it at first use."""
    end = db.execute(LOCK).one_or_none()
    if end is not None:
        return end
    insert_it = insert_sqlite if db.dialect.name == "sqlite" else insert_postgresql
    fresh = insert_it(ENDS).values(id=THE_END, number=START.number, hash=START.hash, seal=seal)
    # Of two at once the second waits here, and then finds what the first one made.
    db.execute(fresh.on_conflict_do_nothing(index_elements=["id"]))
    return db.execute(LOCK).one()


def _row(event: AuditEvent, number: int, last: Link, now: datetime) -> dict[str, Any]:
    """Return an event as a row. ID numbers in typed text are masked here for good."""
    row = {
        "number": number,
        "at": now,
        "actor_id": event.actor_id,
        "actor": event.actor,
        "action": str(event.action),
        "subject": event.subject,
        "subject_id": event.subject_id,
        "merchant_no": event.merchant_no,
        "reason": None if event.reason is None else mask_free_text(event.reason),
        "detail": {name: mask_text(words, None) for name, words in event.detail.items()},
        "previous": last.hash,
    }
    return row | {"hash": hash_of(row)}
