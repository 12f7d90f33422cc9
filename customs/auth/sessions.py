"""Sessions of browsers: a token shown once and stored as a digest; they expire, are ended, or end with their person."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, case, func, select, update
from sqlalchemy.orm import Session

from customs.auth.models import Person, UserSession
from customs.auth.principal import Caller
from customs.auth.roles import caller_of_person
from customs.errors import NotFound
from customs.ids import new_id

LONGEST = timedelta(hours=12)
LONGEST_IDLE = timedelta(hours=2)
# How exactly it is known when a browser was last seen: more would be a write for each request.
SEEN_NOTED_EVERY = timedelta(minutes=1)
LONGEST_BROWSER = 200


@dataclass(frozen=True)
class LoginSession:
    """A live session and its person, as of this request. `code_given`: the second factor was passed."""

    session_id: str
    person: Person
    code_given: bool
    last_seen_at: datetime

    @property
    def caller(self) -> Caller:
        return caller_of_person(self.person)


def begin_session(db: Session, person_id: str, browser: str, now: datetime) -> str:
    """Begin a session; return its token, for the only time. `browser`: what it calls itself."""
    token = _new_token()
    db.add(
        UserSession(
            id=new_id("ses"),
            person_id=person_id,
            digest=_digest(token),
            code_given=False,
            browser="".join(one if one.isprintable() else "?" for one in browser[:LONGEST_BROWSER]),
            created_at=now,
            last_seen_at=now,
            expires_at=now + LONGEST,
        )
    )
    db.flush()
    return token


def session_of(db: Session, token: str, now: datetime) -> LoginSession | None:
    """Return the session behind a token; None when it is unknown or over, or its person is disabled."""
    # As for keys: the digest of what came is looked up, and how long that takes tells nothing.
    asked = select(UserSession, Person).join(Person, Person.id == UserSession.person_id)
    found = db.execute(asked.where(UserSession.digest == _digest(token), is_live(now))).one_or_none()
    if found is None or found.Person.disabled_at is not None:
        return None
    session = found.UserSession
    return LoginSession(session.id, found.Person, session.code_given, session.last_seen_at)


def is_seen_anew(session: LoginSession, now: datetime) -> bool:
    """Whether it is time to note that this session is in use."""
    return session.last_seen_at <= now - SEEN_NOTED_EVERY


def note_seen(db: Session, session_id: str, now: datetime) -> None:
    """Note that a session is in use, unless somebody did within the minute."""
    is_old = UserSession.last_seen_at <= now - SEEN_NOTED_EVERY
    db.execute(update(UserSession).where(UserSession.id == session_id, is_old).values(last_seen_at=now))


def rotate_session(db: Session, session: LoginSession, *, code_given: bool) -> str:
    """Return a new token for a session; the old one opens nothing. Raises NotFound once the session ended."""
    token = _new_token()
    present = UserSession.id == session.session_id, UserSession.ended_at.is_(None)
    rotated = update(UserSession).where(*present).values(digest=_digest(token), code_given=code_given)
    done: CursorResult[Any] = db.execute(rotated)  # type: ignore[assignment]
    if done.rowcount != 1:
        raise NotFound("this session is over")
    return token


def list_sessions(db: Session, person_id: str, now: datetime) -> Sequence[UserSession]:
    """Return a person's live sessions, the newest first."""
    theirs = select(UserSession).where(UserSession.person_id == person_id, is_live(now))
    return db.scalars(theirs.order_by(UserSession.created_at.desc(), UserSession.id)).all()


def end_session(db: Session, person_id: str, session_id: str, now: datetime) -> None:
    """End one session of this person; one that is over stays over. Raises NotFound."""
    session = db.get(UserSession, session_id)
    if session is None or session.person_id != person_id:
        raise NotFound(f"there is no session {session_id}")
    session.ended_at = session.ended_at or now


def end_other_sessions(db: Session, person_id: str, keep_session_id: str, now: datetime) -> int:
    """End every session of this person but one; return how many live ones that were."""
    return _end(db, now, UserSession.person_id == person_id, UserSession.id != keep_session_id)


def end_all_sessions(db: Session, person_id: str, now: datetime) -> int:
    """End every session of this person; return how many live ones that were."""
    return _end(db, now, UserSession.person_id == person_id)


def _end(db: Session, now: datetime, *which: ColumnElement[bool]) -> int:
    ended: CursorResult[Any] = db.execute(update(UserSession).where(*which, is_live(now)).values(ended_at=now))  # type: ignore[assignment]
    return ended.rowcount


def is_live(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a session is not over."""
    in_use = UserSession.last_seen_at > now - LONGEST_IDLE
    return and_(UserSession.ended_at.is_(None), UserSession.expires_at > now, in_use)


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Presence:
    """When one person was last seen, and their live sessions."""

    last_seen_at: datetime
    sessions: int


def presences(db: Session, now: datetime) -> dict[str, Presence]:
    """Return presences by the person's id; who never signed in is not among them."""
    live = func.sum(case((is_live(now), 1), else_=0))
    seen = select(UserSession.person_id, func.max(UserSession.last_seen_at), live).group_by(UserSession.person_id)
    return {person_id: Presence(at, int(sessions)) for person_id, at, sessions in db.execute(seen)}
