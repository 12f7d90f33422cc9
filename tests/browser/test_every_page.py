"""Every page in a real browser, in both languages and on a phone: whole, labelled, asking nobody else for anything."""

import os
from collections.abc import Iterator

import pytest

from customs.app import create_app
from customs.auth.users import set_language
from customs.container import Services
from customs.web.i18n import COOKIE
from tests.browser.browsing import DESKTOP, PHONE, Browsing
from tests.browser.conftest import SitDown
from tests.browser.furnishing import draft_of, furnish, give_codes
from tests.browser.pages import ANSWERS, LANGUAGES, NO_PAGES, NOWHERE, PAGES, Sent
from tests.journeys.deployment import Deployment

ROLES = sorted({one.role for one in PAGES})


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_every_page_is_in_the_table(services: Services):
    app = create_app(services)

    rules = {rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}

    pages = {rule for rule in rules if not rule.startswith("/api/")}
    assert pages == {one.rule for one in PAGES} - {NOWHERE} | set().union(*NO_PAGES.values())


def test_what_a_page_may_not_do_is_noticed(sit_down: SitDown):
    stranger = sit_down(signs_in=False)
    stranger.go("/sign-in")

    stranger.page.evaluate(SPOIL)

    assert [error.partition(":")[0] for error in stranger.violations()] == ["image-alt"]
    assert stranger.is_wider_than_the_window()
    assert "style-src" in " ".join(stranger.wrong)
    assert "elsewhere.example" in " ".join(stranger.wrong)
    stranger.wrong.clear()


SPOIL = """() => {
  const image = document.createElement("img");
  image.width = 2000;
  document.querySelector("main").append(image);
  document.querySelector("main").insertAdjacentHTML("beforeend", "<p style='color: red'></p>");
  return fetch("https://elsewhere.example/").catch(() => {});
}"""


@pytest.fixture(scope="module")
def ids(deployment: Deployment, public_address: str) -> dict[str, str]:
    return furnish(deployment, public_address)


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_whole(sit_down: SitDown, deployment: Deployment, ids: dict[str, str], role: str):
    services = deployment.services
    browsing = sit_down("clerk" if role in ("stranger", "unfinished") else role, signs_in=False)
    if role == "unfinished":
        give_codes(services, browsing.person)
    if role != "stranger":
        browsing.sign_in()
    own = ids | {"draft_id": draft_of(services, browsing.person), "person_id": browsing.person.id}
    errors: list[str] = []

    for language in LANGUAGES:
        with services.transaction() as db:
            set_language(db, browsing.person.id, language)
        browsing.context.add_cookies([{"name": COOKIE, "value": language, "url": browsing.url}])
        for opened in (one for one in PAGES if one.role == role and language in one.languages):
            path = opened.path(own)
            found = [f"status {status}"] if (status := browsing.go(path)) != opened.status else []
            found += _faults(browsing, opened.picture, language, on_a_phone=language == opened.languages[-1])
            errors += [f"{path} in {language}: {error}" for error in found]
    for sent in (one for one in ANSWERS if one.on.role == role):
        _send(browsing, sent, sent.on.path(own))
        errors += [f"{sent.name}: {error}" for error in _faults(browsing, sent.name, LANGUAGES[-1], on_a_phone=True)]

    assert errors == []


def _send(browsing: Browsing, sent: Sent, path: str) -> None:
    """Fill a form in and send it, and wait for the page that answers."""
    page = browsing.page
    browsing.go(path)
    page.evaluate("document.querySelectorAll('main details').forEach(one => { one.open = true; })")
    form = page.locator(f"main {sent.form}")
    for name, value in sent.typed.items():
        asked = form.locator(f"[name='{name}']").first
        asked.check() if value is True else asked.fill(str(value))
    with page.expect_navigation():
        form.locator(sent.button).first.click()


def _faults(browsing: Browsing, picture: str, language: str, *, on_a_phone: bool) -> Iterator[str]:
    """Everything that is not as it has to be on the page that is open."""
    page = browsing.page
    if page.locator("html").get_attribute("lang") != language.replace("_", "-"):
        yield "another language"
    if page.title().partition(" · ")[0].strip() == "":
        yield "no title"
    if (count := page.locator("h1").count()) != 1:
        yield f"{count} titles"
    # What axe looks at is the same in both languages but for the words; it takes half of the time.
    if on_a_phone or os.environ.get("CI") == "true":
        yield from browsing.violations()
    yield from _seen(browsing, f"{picture}-{language}", DESKTOP["width"])
    if on_a_phone:
        page.set_viewport_size(PHONE)
        yield from _seen(browsing, f"{picture}-{language}", PHONE["width"])
        page.set_viewport_size(DESKTOP)
    yield from browsing.wrong
    browsing.wrong.clear()


def _seen(browsing: Browsing, picture: str, width: int) -> Iterator[str]:
    if browsing.is_wider_than_the_window():
        yield f"wider than {width} px"
    if not browsing.page.locator("h1").first.is_visible():
        yield f"no title in sight at {width} px"
    browsing.picture(f"{picture}-{width}")
