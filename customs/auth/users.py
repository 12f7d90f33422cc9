"""Users: created, given a role and merchants, disabled, helped back in; one admin always stays."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction, AuditEvent, audit_event
from customs.auth.api_keys import end_keys_of
from customs.auth.login_throttle import forget_failures
from customs.auth.models import Person
from customs.auth.passwords import Passwords, new_password
from customs.auth.principal import Caller
from customs.auth.roles import Role
from customs.auth.sessions import end_all_sessions
from customs.config import keep_secret
from customs.errors import ActionNotAllowed, ErrorDetail, NotFound, ValidationFailed
from customs.ids import new_id
from customs.privacy.masking import refuse_personal_number
from customs.privacy.vault import Vault
from customs.validation import is_unprintable

LOGIN = re.compile(r"[a-z0-9._@-]{3,64}", re.ASCII)
LONGEST_NAME = 100
LONGEST_MERCHANT_NO = 64
# Of the first admin, in the home of a desk that somebody only tries out.
FIRST_LOGIN = "admin"
PASSWORD_FILE = "admin_password"  # noqa: S105 - a file's name


@dataclass(frozen=True)
class Profile:
    """A user as an admin describes them. `merchants`: None means all of them."""

    login: str
    name: str
    role: str
    merchants: Sequence[str] | None = None


@dataclass(frozen=True)
class Change:
    """A change of a user. `password`: generated for them, to be shown this once."""

    action: AuditAction
    person: Person
    detail: Mapping[str, str] = field(default_factory=dict)
    password: str | None = field(default=None, repr=False)

    def audit_event_of(self, by: Caller) -> AuditEvent:
        """Return the event for the audit trail."""
        return audit_event(by, self.action, self.person.id, **self.detail)


def create_person(
    db: Session, passwords: Passwords, wanted: Profile, now: datetime, *, password: str | None = None
) -> Change:
    """Create a user. `password`: one that they know; without it one is generated, and they choose their own first.

    Raises ValidationFailed, naming each field.
    """
    profile = _checked(wanted)
    refuse_personal_number(profile.name, "/name")
    if db.scalar(select(Person.id).where(Person.login == profile.login)) is not None:
        raise _invalid(ErrorDetail("/login", "login_taken", "somebody has this login"))
    given = password or new_password()
    person = Person(
        id=new_id("per"),
        login=profile.login,
        name=profile.name,
        role=profile.role,
        merchants=None if profile.merchants is None else list(profile.merchants),
        password_hash=passwords.hashed(given),
        must_change_password=password is None,
        created_at=now,
    )
    db.add(person)
    db.flush()
    detail = {"role": person.role, "merchants": _named(person.merchants)}
    return Change(AuditAction.PERSON_CREATE, person, detail, given)


def list_people(db: Session) -> Sequence[Person]:
    """Return everybody there ever was, by login."""
    return db.scalars(select(Person).order_by(Person.login)).all()


def person_of(db: Session, person_id: str) -> Person:
    """Return the person with this id. Raises NotFound."""
    return _found(db.get(Person, person_id))


def person_named(db: Session, login: str) -> Person:
    """Return the person with this login, however it was typed. Raises NotFound."""
    return _found(find_person(db, normal_login(login)))


def find_person(db: Session, login: str) -> Person | None:
    """Return the person with exactly this login, if there is one."""
    # No other text is a login, and some texts are none that every database can look for.
    return db.scalar(select(Person).where(Person.login == login)) if LOGIN.fullmatch(login) else None


def locked_person(db: Session, person_id: str) -> Person:
    """Return a person, locked until the commit. Raises NotFound."""
    locked = select(Person).where(Person.id == person_id).with_for_update()
    return _found(db.scalar(locked, execution_options={"populate_existing": True}))


def normal_login(text: str) -> str:
    """Return a login as it is stored: keyboards write letters small or large, and full-width."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def change_role(db: Session, person_id: str, role: str) -> Change:
    """Give somebody another role; it counts from their next request.

    Raises ValidationFailed, or ActionNotAllowed for the last admin.
    """
    wanted, errors = _role(role)
    if errors:
        raise _invalid(*errors)
    if wanted is not Role.ADMIN:
        _see_that_an_admin_stays(db, person_id)
    person = locked_person(db, person_id)
    before, person.role = person.role, str(wanted)
    return Change(AuditAction.PERSON_CHANGE_ROLE, person, {"from": before, "to": person.role})


def change_merchants(db: Session, person_id: str, merchants: Sequence[str] | None) -> Change:
    """Change the merchants that somebody works for from their next request on; None means all of them.

    Raises ValidationFailed.
    """
    wanted, errors = _merchants(merchants)
    if errors:
        raise _invalid(*errors)
    person = locked_person(db, person_id)
    before, person.merchants = person.merchants, wanted
    return Change(AuditAction.PERSON_CHANGE_MERCHANTS, person, {"from": _named(before), "to": _named(wanted)})


def disable(db: Session, person_id: str, now: datetime) -> Change:
    """Disable somebody, and end their sessions and the API keys they made for good.

    Raises ActionNotAllowed for the last admin.
    """
    _see_that_an_admin_stays(db, person_id)
    person = locked_person(db, person_id)
    person.disabled_at = person.disabled_at or now
    end_all_sessions(db, person_id, now)
    keys = end_keys_of(db, person_id, now)
    return Change(AuditAction.PERSON_DISABLE, person, {"api_keys": ", ".join(keys)} if keys else {})


def enable(db: Session, person_id: str) -> Change:
    """Enable somebody again, with the password they had; their API keys stay ended."""
    person = locked_person(db, person_id)
    person.disabled_at = None
    return Change(AuditAction.PERSON_ENABLE, person)


def reset_password(
    db: Session, vault: Vault, passwords: Passwords, person_id: str, now: datetime, *, code_too: bool
) -> Change:
    """Generate a password for somebody who lost theirs, to be changed when they come in; end their sessions.

    `code_too`: they lost what shows their one-time codes as well.
    """
    person, given = locked_person(db, person_id), new_password()
    person.password_hash, person.must_change_password = passwords.hashed(given), True
    forget_failures(db, vault, person.login, person.id)
    _end_what_was_proven(db, person, now, code_too=code_too)
    return Change(
        AuditAction.PERSON_RESET_PASSWORD, person, {"one_time_codes": "removed" if code_too else "kept"}, given
    )


def reset_code(db: Session, person_id: str, now: datetime) -> Change:
    """Remove the one-time codes of somebody who lost what shows them, to be set up again; end their sessions."""
    person = locked_person(db, person_id)
    _end_what_was_proven(db, person, now, code_too=True)
    return Change(AuditAction.PERSON_RESET_CODE, person)


def end_sessions(db: Session, person_id: str, now: datetime) -> Change:
    """Sign somebody out wherever they are signed in."""
    person = locked_person(db, person_id)
    return Change(AuditAction.PERSON_END_SESSIONS, person, {"sessions": str(end_all_sessions(db, person_id, now))})


def set_language(db: Session, person_id: str, language: str) -> None:
    """Set the language of a user's pages."""
    locked_person(db, person_id).language = language


def has_no_users(db: Session) -> bool:
    """Whether there never was a user."""
    return db.scalar(select(Person.id).limit(1)) is None


def create_first_admin(db: Session, passwords: Passwords, home: Path, now: datetime) -> Change:
    """Create the admin with the password kept in this home, which is generated when it is not there yet."""
    wanted = Profile(FIRST_LOGIN, FIRST_LOGIN, Role.ADMIN)
    return create_person(db, passwords, wanted, now, password=keep_secret(home / PASSWORD_FILE, new_password))


def first_admin_password(db: Session, passwords: Passwords, home: Path) -> str | None:
    """Return the password kept in this home while it opens; "" once it was changed; None without such an admin."""
    admin, file = find_person(db, FIRST_LOGIN), home / PASSWORD_FILE
    if admin is None or admin.disabled_at is not None or not file.exists():
        return None
    password = file.read_text().strip()
    return password if passwords.fits(password, admin.password_hash) else ""


def _end_what_was_proven(db: Session, person: Person, now: datetime, *, code_too: bool) -> None:
    end_all_sessions(db, person.id, now)
    if code_too:
        person.code_secret = person.code_step = None


def _see_that_an_admin_stays(db: Session, person_id: str) -> None:
    enabled = select(Person.id).where(Person.role == Role.ADMIN, Person.disabled_at.is_(None))
    # Held before the one who goes: of two admins who disable each other at once, the second finds themself alone.
    if db.scalars(enabled.order_by(Person.id).with_for_update()).all() == [person_id]:
        detail = "this is the last admin: make another person an admin first"
        raise ActionNotAllowed("nothing was changed", errors=[ErrorDetail("/person", "last_admin", detail)])


def _checked(wanted: Profile) -> Profile:
    """Return the profile as it is stored. Raises ValidationFailed with all that is wrong."""
    login, name = normal_login(wanted.login), wanted.name.strip()
    role, errors = _role(wanted.role)
    merchants, more = _merchants(wanted.merchants)
    errors += more
    if not LOGIN.fullmatch(login):
        errors.append(ErrorDetail("/login", "login_invalid", "a login has 3 to 64 characters of a-z 0-9 . _ - @"))
    if not _is_text(name, LONGEST_NAME):
        errors.append(ErrorDetail("/name", "person_name_invalid", f"a name has 1 to {LONGEST_NAME} visible characters"))
    if errors:
        raise _invalid(*errors)
    return Profile(login, name, str(role), merchants)


def _role(text: str) -> tuple[Role | None, list[ErrorDetail]]:
    if text in set(Role):
        return Role(text), []
    return None, [ErrorDetail("/role", "choice", f"a role is {', '.join(Role)}")]


def _merchants(numbers: Sequence[str] | None) -> tuple[list[str] | None, list[ErrorDetail]]:
    if numbers is None:
        return None, []
    chosen = sorted({number.strip() for number in numbers})
    if chosen and all(_is_text(number, LONGEST_MERCHANT_NO) for number in chosen):
        return chosen, []
    detail = f"name one merchant or more, each with 1 to {LONGEST_MERCHANT_NO} visible characters"
    return None, [ErrorDetail("/merchants", "merchants_invalid", detail)]


def _is_text(text: str, longest: int) -> bool:
    return 1 <= len(text) <= longest and not any(map(is_unprintable, text))


def _named(merchants: Sequence[str] | None) -> str:
    return "all" if merchants is None else ", ".join(merchants)


def _invalid(*errors: ErrorDetail) -> ValidationFailed:
    return ValidationFailed("this cannot be kept of a person", errors=errors)


def _found(person: Person | None) -> Person:
    if person is None:
        raise NotFound("there is nobody of that kind: `customs user list`")
    return person
