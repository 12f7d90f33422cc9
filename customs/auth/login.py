"""Log in, and choose a password of one's own: proven outside of any transaction, for hashing takes its time."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction
from customs.auth.login_throttle import Counted, Origin, count_password, take_back
from customs.auth.models import Person
from customs.auth.passwords import Passwords, check_password
from customs.auth.sessions import LoginSession, begin_session, end_other_sessions, rotate_session
from customs.auth.users import Change, find_person, locked_person, normal_login
from customs.db import database
from customs.errors import ErrorDetail, InvalidCredentials, ValidationFailed
from customs.privacy.vault import Vault

UNCHANGED = "the new password is the present one"
WRONG = "the present password is another one"


@dataclass(frozen=True)
class Attempt:
    """A login attempt."""

    login: str
    password: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True)
class Choice:
    """A new password that a user chose, and the present one."""

    old: str = field(repr=False)
    new: str = field(repr=False)
    origin: Origin


@dataclass(frozen=True)
class Proof:
    """Proof of a password: it fitted `hash_seen`. `fresh_hash`: the hash that is stored from now on."""

    person_id: str
    hash_seen: str = field(repr=False)
    fresh_hash: str = field(repr=False)
    counted: Counted


def prove(engine: Engine, vault: Vault, passwords: Passwords, attempt: Attempt, now: datetime) -> Proof:
    """Verify a password, and take as long when there is no such login.

    Raises LoginThrottled, or InvalidCredentials: the same for a wrong password, an unknown login and a disabled person.
    """
    counted = count_password(engine, vault, normal_login(attempt.login), attempt.origin, now)
    person = _fitting(engine, passwords, attempt)
    if person is None:
        raise InvalidCredentials
    seen = person.password_hash
    fresh = passwords.hashed(attempt.password) if passwords.is_outdated(seen) else seen
    return Proof(person.id, seen, fresh, counted)


def sign_in(db: Session, proof: Proof, browser: str, now: datetime) -> tuple[str, Person]:
    """Begin a session for a proven login; return its token, for the only time. Raises InvalidCredentials."""
    person = _still_proven(db, proof)
    person.password_hash = proof.fresh_hash
    take_back(db, proof.counted)
    return begin_session(db, person.id, browser, now), person


def prove_choice(
    engine: Engine, vault: Vault, passwords: Passwords, person: Person, choice: Choice, now: datetime
) -> Proof:
    """Check a new password against the rules, and verify the present one.

    Raises ValidationFailed, naming what is wrong with either, and LoginThrottled.
    """
    check_password(choice.new, not_like=(person.login, person.name))
    if choice.new == choice.old:
        raise ValidationFailed(
            "this password cannot be taken", errors=[ErrorDetail("/password", "password_unchanged", UNCHANGED)]
        )
    counted = count_password(engine, vault, person.login, choice.origin, now)
    present = _fitting(engine, passwords, Attempt(person.login, choice.old, choice.origin))
    if present is None:
        raise ValidationFailed("nothing was changed", errors=[ErrorDetail("/old_password", "password_wrong", WRONG)])
    return Proof(present.id, present.password_hash, passwords.hashed(choice.new), counted)


def change_own_password(db: Session, session: LoginSession, proof: Proof, now: datetime) -> tuple[str, Change]:
    """Store the new password; end other sessions; return the token under which this one goes on.

    Raises InvalidCredentials when the password was changed meanwhile.
    """
    person = _still_proven(db, proof)
    person.password_hash, person.must_change_password = proof.fresh_hash, False
    take_back(db, proof.counted)
    end_other_sessions(db, person.id, session.session_id, now)
    token = rotate_session(db, session, code_given=session.code_given)
    return token, Change(AuditAction.PERSON_CHANGE_PASSWORD, person)


def _fitting(engine: Engine, passwords: Passwords, attempt: Attempt) -> Person | None:
    """Return the person who may sign in with this login and password."""
    with database.reading(engine) as db:
        person = find_person(db, normal_login(attempt.login))
    fits = passwords.fits(attempt.password, person.password_hash if person else None)
    return person if fits and person and person.disabled_at is None else None


def _still_proven(db: Session, proof: Proof) -> Person:
    """Return the person, locked, if the password is still the one that was proven."""
    person = locked_person(db, proof.person_id)
    if person.disabled_at is not None or person.password_hash != proof.hash_seen:
        raise InvalidCredentials
    return person
