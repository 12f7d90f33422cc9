"""People at the desk, to test its pages with: each signs in as a browser does, and says where its forms come from."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pyotp
from argon2.profiles import CHEAPEST
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from customs.auth.passwords import Passwords
from customs.auth.roles import NEEDS_CODE
from customs.auth.users import Profile, create_person, set_language
from customs.container import Services
from customs.db import database
from tests import make
from tests.application import application

SECRET = re.compile(r"<code[^>]*>([A-Z2-7]{32})</code>")
SEALED = re.compile(r'name="sealed" value="([^"]+)"')
HOST = "http://localhost"
PASSWORD = "a password of the tests"


class Visitor:
    """Somebody in front of a browser. `person_id` is None until they are on file."""

    def __init__(self, client: FlaskClient, person_id: str = "") -> None:
        self.client = client
        self.person_id = person_id

    def get(self, path: str, **options: Any) -> TestResponse:
        headers = {"Accept": "text/html"} | options.pop("headers", {})
        return self.client.get(path, headers=headers, buffered=True, **options)

    def post(self, path: str, files: Any = None, headers: dict[str, str] | None = None, **form: Any) -> TestResponse:
        """Send a form of one of the desk's own pages."""
        words = {"Accept": "text/html", "Origin": HOST, "Sec-Fetch-Site": "same-origin"} | (headers or {})
        return self.client.post(path, data=form | (files or {}), headers=words, buffered=True)

    def follow(self, answer: TestResponse) -> TestResponse:
        """The page that a form's answer leads to."""
        assert answer.status_code == 303, (answer.status_code, answer.text[:500])
        return self.get(answer.location)


class People:
    """Makes people of a desk and lets them sign in."""

    def __init__(self, services: Services) -> None:
        self.services = services
        # Hashing takes its time on purpose; here nobody guesses.
        services.passwords = Passwords(CHEAPEST)
        self.app = application(services)

    def on_file(self, role: str, merchants: Sequence[str] | None = None, language: str = "en") -> tuple[str, str]:
        """Put somebody of this role on file; returns id and login."""
        login = make.number("p").lower()
        with self.services.transaction() as db:
            profile = Profile(login, f"a {role}", role, merchants)
            made = create_person(db, self.services.passwords, profile, database.now(db), password=PASSWORD)
            set_language(db, made.person.id, language)
        return made.person.id, login

    def stranger(self) -> Visitor:
        """Somebody who has not signed in."""
        return Visitor(self.app.test_client())

    def signed_in(self, role: str, merchants: Sequence[str] | None = None, language: str = "en") -> Visitor:
        """Somebody of this role who has signed in."""
        person_id, login = self.on_file(role, merchants, language)
        visitor = Visitor(self.app.test_client(), person_id)
        answer = visitor.post("/sign-in", login=login, password=PASSWORD)
        assert answer.status_code == 303, answer.text
        if role in NEEDS_CODE and self.services.settings.mfa == "required":
            set_up_code(visitor)
        return visitor


def set_up_code(visitor: Visitor) -> str:
    """Set up one-time codes as a person does; returns the seed that their phone has from now on."""
    form = visitor.get("/sign-in/code/set-up").text
    secret, sealed = (re.search(pattern, form)[1] for pattern in (SECRET, SEALED))  # type: ignore[index]
    answer = visitor.post("/sign-in/code/set-up", sealed=sealed, code=pyotp.TOTP(secret).now())
    assert answer.status_code == 303, answer.text
    return secret


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def text_of(answer: TestResponse) -> str:
    """What a page says, its blanks made one."""
    parser = _Text()
    parser.feed(answer.text)
    return " ".join(" ".join(parser.texts).split())


def markup_of(answer: TestResponse) -> str:
    """A page's HTML on one line: where its source breaks lines says nothing."""
    return " ".join(answer.text.split())
