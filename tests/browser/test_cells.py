"""What a clerk types into a cell is never left behind: whatever is pressed next, whatever else is under way."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests import make
from tests.browser.browsing import Browsing
from tests.browser.conftest import SitDown
from tests.browser.test_clerk import as_file
from tests.imports.clerk import order_row
from tests.imports.importing import warehouse_file

BATCH = re.compile(r"/batches/bat_")
REPLACEMENT = "form.replacement input[name=value]"
REPLACEMENT_FORM = "form.replacement:has(input[name=value])"


def opened(sit_down: SitDown, *offices: str, language: str = "zh_CN", scripts: bool = True) -> Browsing:
    """Somebody at a draft of one order for each of these offices."""
    browsing = sit_down(merchants=[make.MERCHANT], language=language, scripts=scripts)
    browsing.go("/import")
    browsing.page.set_input_files("#f-file", as_file(warehouse_file(*(order_row(office=one) for one in offices))))
    if not scripts:
        browsing.page.click("[data-unscripted]")
    browsing.page.wait_for_url("**/import/draft_*")
    return browsing


def all_went(page: Page, rows: int) -> None:
    page.wait_for_url(BATCH)
    expect(page.locator("main .alert-success")).to_contain_text(str(rows))


@pytest.mark.parametrize("way", ["key", "button"])
def test_the_cell_that_one_is_in_goes_with_the_others(sit_down: SitDown, way: str):
    browsing = opened(sit_down, "杭州", "杭洲")
    page = browsing.page

    page.fill("#c-3-office", "深圳")
    if way == "key":
        browsing.press("Control+Enter")
    else:
        browsing.click("#submit [data-main-action]")

    all_went(page, 2)


def test_the_only_faulty_cell_goes_although_no_row_was_good_yet(sit_down: SitDown):
    browsing = opened(sit_down, "杭洲")

    browsing.page.fill("#c-2-office", "深圳")
    browsing.press("Control+Enter")

    all_went(browsing.page, 1)


def test_it_goes_without_a_script_too(sit_down: SitDown):
    browsing = opened(sit_down, "杭州", "杭洲", "杭洲", scripts=False)

    browsing.page.fill("#c-3-office", "深圳")
    browsing.page.fill("#c-4-office", "杭州")
    browsing.click("#submit [data-main-action]")

    all_went(browsing.page, 3)


def test_what_is_typed_while_another_cell_is_being_saved_goes_too(sit_down: SitDown):
    browsing = opened(sit_down, "杭洲", "杭洲", "杭洲")
    page = browsing.page
    waiting: list[Route] = []
    page.route("**/cells*", lambda route: waiting.append(route), times=1)

    page.fill("#c-2-office", "杭州")
    browsing.press("Enter")
    while not waiting:
        page.wait_for_timeout(20)
    page.fill("#c-2-office", "深圳")
    page.fill("#c-3-office", "深圳")
    page.fill("#c-4-office", "杭州")
    browsing.press("Control+Enter")
    waiting[0].continue_()

    all_went(page, 3)


@pytest.mark.parametrize("fault", ["away", "refused"])
def test_nothing_is_submitted_when_a_cell_could_not_be_saved(sit_down: SitDown, fault: str):
    browsing = opened(sit_down, "杭州", "杭洲", language="en")
    page = browsing.page
    waiting: list[Route] = []
    page.route("**/cells*", lambda route: waiting.append(route), times=1)

    page.fill("#c-3-office", "深圳")
    browsing.press("Enter")
    while not waiting:
        page.wait_for_timeout(20)
    browsing.press("Control+Enter")
    waiting[0].fulfill(status=503, body="") if fault == "refused" else waiting[0].abort()

    expect(page.locator("#live-message")).to_have_text("Nothing was submitted: what you typed could not be saved.")
    assert page.input_value("#c-3-office") == "深圳"
    browsing.press("Control+Enter")
    all_went(page, 2)
    browsing.wrong.clear()


def test_a_row_that_is_still_wrong_is_shown_before_the_others_go(sit_down: SitDown):
    browsing = opened(sit_down, "杭州", "杭洲")
    page = browsing.page

    page.fill("#c-3-office", "杭川")
    browsing.press("Control+Enter")

    expect(page.locator("[role=alert]")).to_contain_text("刚修改的行仍未通过校验")
    expect(page.locator("#c-3-office")).to_be_focused()
    browsing.press("Control+Enter")
    all_went(page, 1)


def test_a_link_waits_until_what_was_typed_is_kept(sit_down: SitDown):
    browsing = opened(sit_down, "杭州", "杭洲")
    page = browsing.page

    page.fill("#c-3-office", "深圳")
    browsing.click("a[href$='?show=rest']")

    expect(page.locator("table.rows")).to_contain_text("深圳")


def test_a_word_for_many_rows_that_is_being_typed_is_not_left_behind(sit_down: SitDown):
    browsing = opened(sit_down, "杭州", "杭洲", "杭洲", language="en")
    page = browsing.page

    page.fill(REPLACEMENT, "深圳")
    browsing.click("#submit [data-main-action]")

    expect(page.locator("#live-message")).to_contain_text("is not saved")
    expect(page.locator(REPLACEMENT)).to_be_focused()
    browsing.press("Control+Enter")
    expect(page.locator("#undo")).to_contain_text("rows 3, 4")
    browsing.picture("import-undo-en")
    browsing.click("#undo button")
    expect(page.locator(REPLACEMENT_FORM)).to_contain_text("杭洲")
    page.reload()
    expect(page.locator("#c-4-office")).to_have_value("杭洲")


def test_what_was_written_for_one_merchant_does_not_wait_in_the_box_of_the_next(sit_down: SitDown):
    browsing = sit_down(merchants=["M100", "M200"], language="zh_CN")
    rows = [order_row(office="杭洲", merchant_no=merchant) for merchant in ("M100", "M100", "M200", "M200")]
    browsing.go("/import")
    browsing.page.set_input_files("#f-file", as_file(warehouse_file(*rows)))
    boxes = browsing.page.locator(REPLACEMENT)
    expect(boxes).to_have_count(2)

    boxes.first.fill("深圳")
    browsing.press("Enter")

    expect(boxes).to_have_count(1)
    expect(boxes).to_have_value("")
    expect(browsing.page.locator(REPLACEMENT_FORM)).to_contain_text("M200")
