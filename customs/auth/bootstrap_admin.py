"""The first admin of a desk that somebody only tries out: made by itself, their password kept in the desk's home."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from customs.auth.models import Person
from customs.auth.passwords import Passwords, new_password
from customs.auth.roles import Role
from customs.auth.users import Change, Profile, create_person, find_person
from customs.config import keep_secret

LOGIN = "admin"
FILE = "admin_password"


def is_nobody_here(db: Session) -> bool:
    """Whether nobody was ever put on file."""
    return db.scalar(select(Person.id).limit(1)) is None


def create_first_admin(db: Session, passwords: Passwords, home: Path, now: datetime) -> Change:
    """Put the admin on file with the password kept in this home, which is made when it is not there yet."""
    wanted = Profile(LOGIN, LOGIN, Role.ADMIN)
    return create_person(db, passwords, wanted, now, password=keep_secret(home / FILE, new_password))


def password_shown(db: Session, passwords: Passwords, home: Path) -> str | None:
    """The password kept in this home while it still opens; "" once it was changed; None without such an admin."""
    admin, file = find_person(db, LOGIN), home / FILE
    if admin is None or admin.disabled_at is not None or not file.exists():
        return None
    password = file.read_text().strip()
    return password if passwords.fits(password, admin.password_hash) else ""
