"""One-time codes (TOTP): a second factor, each code good once, its seed encrypted by the vault."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import pyotp
from pyotp.exceptions import OTPVerificationError
from sqlalchemy.orm import Session

from customs.audit.actions import AuditAction
from customs.auth.login_throttle import Counted, take_back
from customs.auth.models import Person
from customs.auth.roles import NEEDS_CODE, Role
from customs.auth.sessions import LoginSession, end_other_sessions, rotate_session
from customs.auth.users import Change, locked_person
from customs.config import Settings
from customs.errors import ActionNotAllowed, DecryptionKeyMissing, ErrorDetail, OneTimeCodeRejected, ValidationFailed
from customs.privacy.vault import Vault

ISSUER = "Customs Desk"
STEP_SECONDS = 30
# Phones' clocks may be off by one step.
WINDOW = 1
CODE = re.compile(r"[0-9]{6}", re.ASCII)
STALE = "this QR code was made for somebody else, or with a key that is not there any more"
ALREADY = "one-time codes were set up already: give one of them first, or ask an admin to take them away"


class CodeStep(StrEnum):
    """Step about codes that a session lacks before anything else opens."""

    NOTHING = "nothing"
    ASK = "ask"
    SET_UP = "set_up"


@dataclass(frozen=True)
class SetUp:
    """A seed not in use yet. `uri` is for the QR code; `sealed` travels through the form and comes back."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    sealed: str


def code_step_of(session: LoginSession, settings: Settings) -> CodeStep:
    """Return the step that this session lacks: who set codes up is always asked, and some roles have to set them up."""
    if session.person.code_secret is not None:
        return CodeStep.NOTHING if session.code_given else CodeStep.ASK
    required = settings.mfa == "required" and Role(session.person.role) in NEEDS_CODE
    return CodeStep.SET_UP if required else CodeStep.NOTHING


def new_set_up(vault: Vault, person: Person) -> SetUp:
    """Make a seed for a person; nothing of it is stored until a code of it confirms that they have it."""
    return _set_up(vault, person, pyotp.random_base32())


def same_set_up(vault: Vault, person: Person, sealed: str) -> SetUp:
    """Return the seed that a form brought back. Raises ValidationFailed for one that is not this person's."""
    try:
        return _set_up(vault, person, vault.open(sealed, secret_place(person.id)))
    except (ValueError, DecryptionKeyMissing) as error:
        raise ValidationFailed("nothing was changed", errors=[ErrorDetail("/sealed", "set_up_stale", STALE)]) from error


def confirm_set_up(
    db: Session, vault: Vault, session: LoginSession, sealed: str, code: str, now: datetime
) -> tuple[str, Change]:
    """Use this seed from now on; end other sessions; return the token under which this one goes on.

    Raises ValidationFailed, OneTimeCodeRejected, and ActionNotAllowed for who has a seed and did not give a code of it.
    """
    person = locked_person(db, session.person.id)
    if person.code_secret is not None and not session.code_given:
        raise ActionNotAllowed("nothing was changed", errors=[ErrorDetail("/code", "code_set_up_already", ALREADY)])
    wanted = same_set_up(vault, person, sealed)
    person.code_step = _step_of(wanted.secret, code, now)
    person.code_secret = sealed
    end_other_sessions(db, person.id, session.session_id, now)
    return rotate_session(db, session, code_given=True), Change(AuditAction.PERSON_SET_UP_CODE, person)


def give_code(db: Session, vault: Vault, session: LoginSession, counted: Counted, code: str, now: datetime) -> str:
    """Pass the second factor; return the token under which the session goes on. Raises OneTimeCodeRejected.

    `counted`: the attempt, which was counted before.
    """
    # Held until the end: of two who bring the same code at once, the second finds it used.
    person = locked_person(db, session.person.id)
    if person.code_secret is None:
        raise OneTimeCodeRejected
    step = _step_of(vault.open(person.code_secret, secret_place(person.id)), code, now)
    if person.code_step is not None and step <= person.code_step <= _last_step(now):
        raise OneTimeCodeRejected
    person.code_step = step
    take_back(db, counted)
    return rotate_session(db, session, code_given=True)


def secret_place(person_id: str) -> str:
    """Return the place of a seed for the vault: moved to somebody else it does not open."""
    return f"people.code_secret:{person_id}"


def _set_up(vault: Vault, person: Person, secret: str) -> SetUp:
    uri = pyotp.TOTP(secret).provisioning_uri(name=person.login, issuer_name=ISSUER)
    return SetUp(secret, uri, vault.seal(secret, secret_place(person.id)))


def _last_step(now: datetime) -> int:
    """Return the last time step whose code can be good now: a later one was noted by a clock that was ahead."""
    return int(now.timestamp()) // STEP_SECONDS + WINDOW


def _step_of(secret: str, code: str, now: datetime) -> int:
    """Return the time step of this code. Raises OneTimeCodeRejected when it is none of now."""
    digits = "".join(unicodedata.normalize("NFKC", code).split())
    if not CODE.fullmatch(digits):
        raise OneTimeCodeRejected
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(digits, for_time=now, valid_window=WINDOW)
    except OTPVerificationError as error:
        raise OneTimeCodeRejected from error
