"""The clerk's measure: two hundred rows from a warehouse, eight of them wrong, on their way with five clicks."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, expect

from customs.spreadsheets.reader import read_grid
from tests import make
from tests.browser.browsing import PASSWORD, Browsing
from tests.browser.conftest import SitDown
from tests.imports.clerk import order_row, split_rows
from tests.imports.importing import warehouse_file

MOST_CLICKS, MOST_SECONDS = 5, 60
# The header is the file's first row.
FIRST = 2
PATIENCE = 180_000

Row = dict[str, Any]
Mended = Mapping[str, str]


def faulty_file(rows: int) -> tuple[bytes, Mended]:
    """So many good orders and what warehouses do to some; and what belongs into each faulty cell, by its field's id.

    The last row is a duplicate: without it, so many are left.
    """
    plain = [order_row() for _ in range(rows - 4)]
    sheet = [*plain, *split_rows(2), *split_rows(2)]
    truth: dict[str, str] = {}

    def spoil(at: int, column: str, value: str) -> None:
        truth[f"c-{at + FIRST}-{column}"] = sheet[at][column]
        sheet[at] = sheet[at] | {column: value}

    birthday = make.cert_id(45)
    sheet[4]["cert_id"] = next(one for one in map(make.cert_id, range(1, 100)) if one.endswith("X"))
    spoil(1, "cert_id", birthday[:-1] + ("0" if birthday[-1] != "0" else "1"))
    spoil(2, "office", "亚特兰蒂斯")
    spoil(3, "payment_no", "5.10921E+17")
    # The letter is a Cyrillic one: a small x is made an X without asking.
    spoil(4, "cert_id", sheet[4]["cert_id"].replace("X", "\u0425"))
    spoil(5, "payment_no", "")
    spoil(rows - 4, "sub_order_amount", "10.001")
    spoil(rows - 1, "sub_order_amount", "10.50")
    return warehouse_file(*sheet, sheet[0]), truth


def as_file(content: bytes) -> FilePayload:
    return {"name": "跨境订单.csv", "mimeType": "text/csv", "buffer": content}


def mend_all(browsing: Browsing, truth: Mended) -> list[str]:
    """Go from one faulty cell to the next as the page leads, and put right what is there; returns which those were."""
    mended: list[str] = []
    while (here := browsing.focused()) in truth:
        browsing.press("Control+a")
        browsing.type(truth[here])
        browsing.press("Enter")
        mended.append(here)
        browsing.wait_for("before => document.activeElement.id !== before", here)
    return mended


def row_of(cell: str) -> int:
    return int(cell.split("-")[1])


def is_on_its_way(browsing: Browsing) -> None:
    """The page of a batch is there, and what goes on with it is seen until nothing does."""
    page = browsing.page
    page.wait_for_url("**/batches/bat_*")
    page.evaluate("() => { window.isStillTheSamePage = true; }")
    expect(page.locator("#progress[hx-get]")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("#progress")).to_contain_text("100%")
    assert page.evaluate("window.isStillTheSamePage")


def test_two_hundred_rows_are_on_their_way_within_five_clicks_and_a_minute(sit_down: SitDown, tmp_path: Path):
    content, truth = faulty_file(200)
    browsing = sit_down(merchants=[make.MERCHANT], signs_in=False)
    page, duplicate = browsing.page, 200 + FIRST

    began = time.monotonic()
    browsing.sign_in()
    browsing.click("main a[href='/import']")
    with page.expect_file_chooser() as chooser:
        browsing.click("label[for='f-file']")
    chooser.value.set_files(as_file(content))
    browsing.click(f"#delete-{duplicate} button")
    expect(page.locator(f"#row-{duplicate}")).to_have_count(0)
    mended = mend_all(browsing, truth)
    browsing.click("#submit [data-main-action]")
    page.wait_for_url("**/batches/bat_*")
    seconds = time.monotonic() - began

    print(f"the clerk: {browsing.clicks} clicks, {seconds:.1f} s")
    assert mended == sorted(truth, key=row_of)
    assert browsing.clicks <= MOST_CLICKS
    assert seconds <= MOST_SECONDS
    is_on_its_way(browsing)
    with page.expect_download() as download:
        page.click("a[href$='/result.xlsx']")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    result = read_grid(file.read_bytes(), file.name)
    assert len(result.rows) == 200
    assert [row for _, row in result.rows if "成功" not in row] == []


def test_the_same_goes_without_a_mouse(sit_down: SitDown):
    content, truth = faulty_file(40)
    browsing = sit_down(merchants=[make.MERCHANT], signs_in=False)
    page, duplicate = browsing.page, 40 + FIRST

    browsing.go("/sign-in")
    expect(page.get_by_label("账号")).to_be_focused()
    browsing.type(browsing.person.login)
    browsing.press("Tab")
    browsing.type(PASSWORD)
    browsing.press("Enter")
    page.wait_for_url(f"{browsing.url}/")
    browsing.press("g", "i")
    page.set_input_files("#f-file", as_file(content))
    page.wait_for_url("**/import/draft_*")
    expect(page.locator("[autofocus]")).to_be_focused()
    # The duplicate stands with its order, before the first cell to mend.
    browsing.press("Shift+Tab", "Shift+Tab", "Enter")
    expect(page.locator(f"#row-{duplicate}")).to_have_count(0)
    mended = mend_all(browsing, truth)
    browsing.press("Enter")

    is_on_its_way(browsing)
    assert mended == sorted(truth, key=row_of)
    assert browsing.clicks == 0
