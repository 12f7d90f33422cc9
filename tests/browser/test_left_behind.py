"""Rows that a batch leaves behind, and a file that comes a second time: both are seen, by colleagues too."""

from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import SitDown
from tests.browser.test_clerk import PATIENCE, as_file
from tests.imports.clerk import order_row
from tests.imports.importing import warehouse_file

GOOD, FAULTY = 30, 2


def test_a_batch_with_rows_left_behind_is_not_green_until_somebody_discards_them(sit_down: SitDown):
    merchant = make.number("M")
    rows = [
        order_row(merchant_no=merchant, **({} if at < GOOD else {"office": "亚特兰蒂斯"}))
        for at in range(GOOD + FAULTY)
    ]
    clerk = sit_down(merchants=[merchant])
    clerk.go("/import")
    clerk.page.set_input_files("#f-file", as_file(warehouse_file(*rows)))
    clerk.page.wait_for_url("**/import/draft_*")
    clerk.click("#submit [data-main-action]")
    clerk.page.wait_for_url("**/batches/bat_*")
    batch = clerk.page.url.removeprefix(clerk.url)

    expect(clerk.page.locator("#progress[hx-get]")).to_have_count(0, timeout=PATIENCE)
    progress = clerk.page.locator("#progress")
    expect(progress).to_contain_text("需处理")
    expect(progress).not_to_contain_text("100%")
    expect(progress).to_contain_text(f"文件中还有 {FAULTY} 行未提交")

    colleague = sit_down("reviewer", merchants=[merchant])
    colleague.click("section:has(#left-behind) a")
    expect(colleague.page).to_have_url(f"{colleague.url}{batch}#open-rows")
    expect(colleague.page.locator("section:has(#open-rows)")).to_contain_text(rows[-1]["out_order_no"])
    assert colleague.violations() == []
    colleague.page.fill("#f-reason", "订单已取消")
    colleague.click("button[value=all]")
    expect(colleague.page.locator("#progress")).to_contain_text("100%")
    expect(colleague.page.locator("section:has(#discarded)")).to_contain_text("订单已取消")


def test_a_file_that_comes_again_is_shown_with_its_batch_and_makes_no_other(sit_down: SitDown):
    merchant = make.number("M")
    file = as_file(warehouse_file(*(order_row(merchant_no=merchant) for _ in range(3))))
    clerk = sit_down(merchants=[merchant])

    def hand_in() -> None:
        clerk.go("/import")
        clerk.page.set_input_files("#f-file", file)
        clerk.page.wait_for_url("**/import/draft_*")

    hand_in()
    clerk.click("#submit [data-main-action]")
    clerk.page.wait_for_url("**/batches/bat_*")
    batch = clerk.page.url.removeprefix(clerk.url)
    hand_in()

    response = clerk.page.locator("#earlier")
    expect(response).to_contain_text("3 笔订单")
    expect(response).to_contain_text(clerk.person.name)
    expect(response.locator(f"a[href='{batch}']")).to_have_count(1)
    expect(clerk.page.locator("#submit [data-main-action]")).to_be_disabled()
    assert clerk.violations() == []
    clerk.go("/batches")
    expect(clerk.page.locator("tbody a[href^='/batches/bat_']")).to_have_count(1)
