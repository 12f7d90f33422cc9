"""Each tab of the list, and each number of the workbench, counts what one finds behind it."""

import pytest
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import SitDown
from tests.journeys.deployment import Deployment

MERCHANT = "M-TABS"
TABS = {"": "2", "?tab=review": "1", "?tab=running": "0", "?tab=success": "1"}
TILES = ("0", "0", "1", "1")


@pytest.fixture(scope="module")
def declared(deployment: Deployment, public_address: str) -> None:
    """One that ends well, and one of which the gateway takes nothing: customs tells no state of it."""
    words = ("", "REFUSE-")
    rows = [make.declaration_row(merchant_no=MERCHANT, out_order_no=make.number(f"{word}T")) for word in words]
    deployment.erp(public_address).hand_in(*rows)
    deployment.wait_until_drained()


def test_a_tab_counts_what_it_shows(sit_down: SitDown, declared: None):
    clerk = sit_down(merchants=[MERCHANT])

    for query, count in TABS.items():
        clerk.go(f"/declarations{query}")
        expect(clerk.page.locator("nav.tabs a[aria-current] .tab-count")).to_have_text(count)
        expect(clerk.page.locator("table[data-rows] tbody tr")).to_have_count(int(count))


def test_a_number_of_the_workbench_leads_to_as_many(sit_down: SitDown, declared: None):
    clerk = sit_down(merchants=[MERCHANT])

    for place, count in enumerate(TILES[:3]):
        clerk.go("/")
        tile = clerk.page.locator("#today .numbers a").nth(place)
        expect(tile.locator("strong")).to_have_text(count)
        tile.click()
        expect(clerk.page.locator("table[data-rows] tbody tr")).to_have_count(int(count))


def test_what_was_refused_is_shown_as_not_declared_and_not_as_customs_word(sit_down: SitDown, declared: None):
    clerk = sit_down(merchants=[MERCHANT])

    clerk.go("/declarations?tab=review")
    row = clerk.page.locator("table[data-rows] tbody tr")
    expect(row).to_contain_text("未申报")
    expect(row).to_contain_text("网关拒绝")


def test_what_is_typed_into_one_form_of_a_case_is_not_left_behind_by_another(sit_down: SitDown, declared: None):
    clerk = sit_down(merchants=[MERCHANT])
    page = clerk.page
    clerk.go("/declarations?tab=review")
    clerk.click("table[data-rows] a.reason")

    page.fill("#f-text", "asked the merchant")
    clerk.click("form.languages button[value=en]")

    expect(page.locator("#live-message")).to_contain_text("尚未保存")
    expect(page.locator("#f-text")).to_be_focused()
    expect(page.locator("#f-text")).to_have_value("asked the merchant")
    clerk.click("form.languages button[value=en]")
    expect(page.get_by_role("button", name="Add the comment")).to_be_visible()
