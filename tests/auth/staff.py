"""People at a desk of a test: hired, signing in from browsers, giving codes; time passes when the test says so."""

from datetime import datetime, timedelta

import pyotp
from argon2.profiles import CHEAPEST

from customs.auth import login as auth_login
from customs.auth import sessions, totp, users
from customs.auth.login_throttle import Origin, count_code
from customs.auth.models import Person
from customs.auth.passwords import Passwords
from customs.auth.sessions import LoginSession
from customs.auth.users import Change, Profile
from customs.container import Services
from tests import make

PASSWORD = "a horse and a staple"
ADDRESS = "192.0.2.1"


class Staff:
    """Everybody of one desk, with passwords that are cheap to hash."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.passwords = Passwords(CHEAPEST)
        self.now = make.NOON

    def wait(self, **time: float) -> None:
        """Let this time pass."""
        self.now += timedelta(**time)

    def hire(self, login: str = "zhang", role: str = "clerk", merchants: list[str] | None = None) -> Person:
        wanted = Profile(login, "Zhang", role, merchants)
        with self.services.transaction() as db:
            return users.create_person(db, self.passwords, wanted, self.now, password=PASSWORD).person

    def sign_in(
        self, login: str = "zhang", password: str = PASSWORD, address: str = ADDRESS, device: str | None = None
    ) -> str:
        """A browser's new session: its token."""
        services = self.services
        attempt = auth_login.Attempt(login, password, Origin(address, device))
        proof = auth_login.prove(services.engine, services.vault, self.passwords, attempt, self.now)
        with services.transaction() as db:
            return auth_login.sign_in(db, proof, "a browser", self.now)[0]

    def look(self, token: str) -> LoginSession | None:
        """Who is behind a token, if anybody."""
        with self.services.reading() as db:
            return sessions.session_of(db, token, self.now)

    def session(self, token: str) -> LoginSession:
        session = self.look(token)
        assert session
        return session

    def change_password(self, token: str, old: str, new: str) -> str:
        """Choose another password; returns the token under which the session goes on."""
        services, session = self.services, self.session(token)
        choice = auth_login.Choice(old, new, Origin(ADDRESS))
        proof = auth_login.prove_choice(
            services.engine, services.vault, self.passwords, session.person, choice, self.now
        )
        with services.transaction() as db:
            return auth_login.change_own_password(db, session, proof, self.now)[0]

    def set_up_codes(self, token: str) -> tuple[pyotp.TOTP, str]:
        """The phone that shows the codes, and the token under which the session goes on."""
        session = self.session(token)
        set_up = totp.new_set_up(self.services.vault, session.person)
        phone = pyotp.TOTP(set_up.secret)
        return phone, self.confirm(session, set_up.sealed, phone.at(self.now))

    def confirm(self, session: LoginSession, sealed: str, code: str) -> str:
        with self.services.transaction() as db:
            return totp.confirm_set_up(db, self.services.vault, session, sealed, code, self.now)[0]

    def give_code(self, token: str, code: str) -> str:
        """Pass the second factor; returns the token under which the session goes on."""
        services, session = self.services, self.session(token)
        counted = count_code(services.engine, services.vault, session.person.id, Origin(ADDRESS), self.now)
        with services.transaction() as db:
            return totp.give_code(db, services.vault, session, counted, code, self.now)

    def person(self, login: str = "zhang") -> Person:
        with self.services.reading() as db:
            return users.person_named(db, login)

    def reset(self, login: str = "zhang", *, code_too: bool = False) -> Change:
        services, person_id = self.services, self.person(login).id
        with services.transaction() as db:
            return users.reset_password(db, services.vault, self.passwords, person_id, self.now, code_too=code_too)

    def disable(self, login: str = "zhang") -> Change:
        with self.services.transaction() as db:
            return users.disable(db, users.person_named(db, login).id, self.now)

    def enable(self, login: str = "zhang") -> Change:
        with self.services.transaction() as db:
            return users.enable(db, users.person_named(db, login).id)

    def change_role(self, login: str, role: str) -> Change:
        with self.services.transaction() as db:
            return users.change_role(db, users.person_named(db, login).id, role)

    def change_merchants(self, login: str, merchants: list[str] | None) -> Change:
        with self.services.transaction() as db:
            return users.change_merchants(db, users.person_named(db, login).id, merchants)


def at_step(moment: datetime) -> datetime:
    """The beginning of the 30 seconds that a moment lies in."""
    return moment - timedelta(seconds=moment.timestamp() % 30)
