"""Somebody in front of a browser: goes to pages, and notes what no page may do."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from argon2.profiles import CHEAPEST
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, Request
from playwright.sync_api import TimeoutError as TooLate

from customs.auth.passwords import Passwords
from customs.auth.users import Profile, create_person, set_language
from customs.container import Services
from customs.db import database
from tests import make

PASSWORD = "a password of the tests"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 800}
# Kept as output of the build, for whoever wants to look.
PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
TALLEST = 4000
FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PATIENCE_WITH_CHARTS = 30_000
# All its rules; of its results only what is wrong, for the others are many and come slowly.
FIND_FAULT = """axe.run({resultTypes: ["violations"]}).then(({violations}) =>
  violations.flatMap(({id, nodes}) => nodes.map(({html}) => `${id}: ${html.slice(0, 120)}`)))"""
# What the browser says by itself of an answer that the test asked for.
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass(frozen=True)
class Somebody:
    """A person on file, as a test knows them."""

    id: str
    login: str
    name: str


def on_file(services: Services, role: str, language: str, merchants: Sequence[str] | None = None) -> Somebody:
    """Put somebody of this role on file, with the password of the tests."""
    login = make.number("p").lower()
    with services.transaction() as db:
        profile = Profile(login, f"{role} {login}", role, merchants)
        made = create_person(db, Passwords(CHEAPEST), profile, database.now(db), password=PASSWORD)
        set_language(db, made.person.id, language)
        return Somebody(made.person.id, login, made.person.name)


class Browsing:
    """One person's browser window. `wrong` is what pages did that they must not: errors said in the console, among
    them everything that the policy forbade, and requests to other hosts."""

    def __init__(self, browser: Browser, url: str, person: Somebody, language: str, *, scripts: bool = True) -> None:
        self.url = url
        self.person = person
        self.wrong: list[str] = []
        self.clicks = 0
        locale = language.replace("_", "-")
        self.context = browser.new_context(viewport=DESKTOP, locale=locale, java_script_enabled=scripts)
        self.page: Page = self.context.new_page()
        self._protocol = self.context.new_cdp_session(self.page)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.context.on("request", self._asked)

    def sign_in(self) -> None:
        """From the sign-in page to whatever comes then, with one click."""
        self.go("/sign-in")
        self.page.fill("input[name=login]", self.person.login)
        self.page.fill("input[name=password]", PASSWORD)
        with self.page.expect_navigation():
            self.click("main form button.btn-primary")

    def go(self, path: str) -> int:
        """Open a page of the desk; returns the status of the answer."""
        answer = self.page.goto(self.url + path)
        return answer.status if answer else 0

    def click(self, selector: str) -> None:
        """A click of the mouse, counted."""
        self.clicks += 1
        self.page.click(selector)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type over what is selected where the focus is."""
        self.page.keyboard.insert_text(text)

    def wait_for(self, claim: str, argument: str = "") -> None:
        """Until a function of the page's own says so."""
        self.page.wait_for_function(claim, arg=argument)

    def focused(self, attribute: str = "id") -> str:
        """An attribute of what has the focus; "" when it has none."""
        words: str = self.page.evaluate("name => document.activeElement.getAttribute(name) ?? ''", attribute)
        return words

    def picture(self, name: str) -> None:
        """Keep how the page looks, as far down as anybody reads."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        width, height = self.page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        seen = {"x": 0, "y": 0, "width": width, "height": min(height, TALLEST), "scale": 1}
        # A quarter faster than Playwright's own way, which asks for the smallest file.
        quickly = {"captureBeyondViewport": True, "optimizeForSpeed": True, "clip": seen}
        taken = self._protocol.send("Page.captureScreenshot", quickly)
        (PICTURES / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))

    def violations(self) -> list[str]:
        """What axe finds fault with: the rule, and where."""
        self.page.evaluate(AXE_SCRIPT)
        found: list[str] = self.page.evaluate(FIND_FAULT)
        return found

    def is_wider_than_the_window(self) -> bool:
        """Whether it stays so: charts follow a window that has become smaller, a moment later."""
        try:
            self.page.wait_for_function(FITS, timeout=PATIENCE_WITH_CHARTS)
        except TooLate:
            return True
        return False

    def close(self) -> None:
        self.context.close()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.match(message.text):
            self.wrong.append(message.text)

    def _asked(self, request: Request) -> None:
        target = urlsplit(request.url)
        if target.scheme not in ("data", "blob", "about") and target.netloc != urlsplit(self.url).netloc:
            self.wrong.append(f"asked {request.url}")
