"""Keys, languages, coming and going; and a browser in which no script runs."""

import re

import pytest
from playwright.sync_api import expect

from tests import make
from tests.browser.browsing import Browsing
from tests.browser.conftest import SitDown
from tests.imports.clerk import order_row
from tests.imports.importing import warehouse_file
from tests.journeys.deployment import Deployment

PLACES = {"o": "/declarations", "i": "/import", "r": "/review", "p": "/payments", "b": "/reconciliation", "w": "/"}


@pytest.fixture
def merchant(deployment: Deployment) -> str:
    """One with three declarations."""
    merchant = make.number("M")
    deployment.hand_in(*(make.declaration_row(merchant_no=merchant) for _ in range(3)))
    return merchant


def open_declarations(browsing: Browsing) -> None:
    browsing.go("/declarations")
    expect(browsing.page.locator("[data-rows] tbody tr")).to_have_count(3)


def test_g_and_a_letter_go_to_every_place(sit_down: SitDown):
    clerk = sit_down("clerk", "en")

    for letter, path in PLACES.items():
        clerk.press("g", letter)
        clerk.page.wait_for_url(clerk.url + path)

    assert clerk.clicks == 1


def test_the_help_names_every_key_and_goes_away_again(sit_down: SitDown):
    clerk = sit_down("clerk", "en")
    keys = clerk.page.get_by_role("dialog", name="Keyboard shortcuts")

    clerk.press("?")
    expect(keys).to_be_visible()
    for key in ("/", *PLACES, "j", "k", "Enter", "x", "?"):
        expect(keys.locator("kbd").get_by_text(key, exact=True).first).to_be_visible()
    assert clerk.violations() == []
    clerk.press("Escape")
    expect(keys).to_be_hidden()

    clerk.click("button[data-opens='keys']")
    expect(keys).to_be_visible()


def test_keys_are_letters_where_one_writes(sit_down: SitDown):
    clerk = sit_down("clerk", "en")
    search = clerk.page.get_by_role("searchbox")

    clerk.press("/")
    expect(search).to_be_focused()
    clerk.page.keyboard.type("go?jkx/gw")

    expect(search).to_have_value("go?jkx/gw")
    expect(clerk.page.get_by_role("dialog")).to_be_hidden()
    assert clerk.page.url == f"{clerk.url}/"


def test_rows_are_walked_chosen_and_opened(sit_down: SitDown, merchant: str):
    clerk = sit_down("clerk", "en", [merchant])
    page = clerk.page
    open_declarations(clerk)
    links = page.locator("[data-rows] tbody tr td a.mono")
    again = page.get_by_role("button", name=re.compile("Re-push selected"))
    expect(again).to_be_disabled()

    clerk.press("j")
    expect(links.nth(0)).to_be_focused()
    clerk.press("j", "j", "j", "k")
    expect(links.nth(1)).to_be_focused()
    clerk.press("x")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(1)
    expect(again).to_be_enabled()
    clerk.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1")
    assert page.url.endswith("/declarations/redeclare")

    page.go_back()
    open_declarations(clerk)
    clerk.press("j", "Enter")
    page.wait_for_url("**/declarations/decl_*")


def test_the_language_is_switched_on_the_page_and_stays_with_its_person(sit_down: SitDown):
    clerk = sit_down("clerk", "en")
    page = clerk.page
    clerk.go("/declarations?tab=review")

    clerk.click("header button[lang='zh-CN']")
    expect(page.get_by_role("heading", level=1, name="申报单")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.url == f"{clerk.url}/declarations?tab=review"
    clerk.context.clear_cookies()
    clerk.sign_in()

    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_a_wrong_password_is_reported_and_the_right_one_can_be_typed_at_once(sit_down: SitDown):
    clerk = sit_down("clerk", "en", signs_in=False)
    page = clerk.page
    clerk.go("/sign-in")
    expect(page.get_by_label("Login")).to_be_focused()

    page.get_by_label("Login").fill(clerk.person.login)
    page.get_by_label("Password").fill("another password")
    clerk.press("Enter")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Login")).to_have_value(clerk.person.login)
    expect(page.get_by_label("Password")).to_be_focused()


def test_after_signing_out_the_way_back_shows_nothing_of_the_desk(sit_down: SitDown, merchant: str):
    clerk = sit_down("clerk", "en", [merchant])
    page = clerk.page
    open_declarations(clerk)

    clerk.click("header button[aria-label='Sign out']")
    page.wait_for_url("**/sign-in")
    for _ in range(2):
        page.go_back()
        expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
        assert merchant not in page.content()
    clerk.go("/declarations")
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()


def test_without_scripts_one_imports_mends_submits_and_signs_out(sit_down: SitDown):
    merchant = make.number("M")
    clerk = sit_down("clerk", "en", [merchant], scripts=False)
    page = clerk.page
    rows = [order_row(merchant_no=merchant), order_row(merchant_no=merchant, office="Atlantis")]

    clerk.go("/import")
    page.set_input_files("#f-file", {"name": "orders.csv", "mimeType": "text/csv", "buffer": warehouse_file(*rows)})
    page.get_by_role("button", name="Look it over").click()
    page.wait_for_url("**/import/draft_*")
    page.locator("#c-3-office").fill("Hangzhou")
    page.get_by_role("button", name="Save what was typed").click()
    expect(page.get_by_role("status").filter(has_text="All 2 rows are good.")).to_be_visible()
    clerk.picture("import-mended-unscripted-en-1280")
    page.get_by_role("button", name="Submit 2 rows").click()
    page.wait_for_url("**/batches/bat_*")
    expect(page.get_by_text("2 declarations were submitted.")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
