"""The till: a payment is collected by QR code, the screen turns green by itself, and half of it goes back."""

import requests
from playwright.sync_api import expect

from tests import make
from tests.browser.conftest import SitDown
from tests.journeys.gateway import SandboxGateway

PATIENCE = 180_000


def pay(gateway: SandboxGateway, payment_no: str) -> None:
    """What the payer does at the gateway, with their own telephone."""
    answer = requests.post(f"{gateway.url}/pay/{payment_no}", {"action": "pay"}, timeout=10, allow_redirects=False)
    assert answer.status_code == 303, answer.text


def test_a_payment_is_collected_and_half_of_it_refunded(sit_down: SitDown, payers_gateway: SandboxGateway):
    merchant = make.number("M")
    clerk = sit_down("clerk", "zh_CN", [merchant])
    page = clerk.page

    clerk.press("g", "p")
    page.wait_for_url("**/payments")
    clerk.press("Control+Enter")
    page.wait_for_url("**/payments/new")
    page.get_by_label("金额").fill("88.00")
    page.get_by_label("商品说明").fill("一盒龙井茶")
    clerk.press("Control+Enter")
    page.wait_for_url("**/payments/pay_*")
    expect(page.get_by_role("img", name="88.00")).to_be_visible()
    clerk.picture("till-waiting-zh_CN-1280")
    page.evaluate("() => { window.isStillTheSamePage = true; }")
    link = page.locator(f"a[href^='{payers_gateway.url}/pay/']")
    pay(payers_gateway, str(link.get_attribute("href")).rpartition("/")[2])
    state = page.locator("#payment-state")
    expect(state).to_contain_text("已支付", timeout=PATIENCE)
    expect(state).to_contain_text("88.00")
    red, green, blue = state.evaluate("one => getComputedStyle(one).backgroundColor.match(/\\d+/g).map(Number)")
    assert green > max(red, blue)
    assert page.evaluate("window.isStillTheSamePage")
    clerk.picture("till-paid-zh_CN-1280")

    reviewer = sit_down("reviewer", "zh_CN", [merchant])
    reviewer.go(page.url.removeprefix(clerk.url))
    refunds = reviewer.page.locator("#refunds")
    refunds.get_by_label("退款金额").fill("44.00")
    refunds.get_by_label("原因").fill("少发一盒")
    reviewer.press("Control+Enter")
    expect(refunds.get_by_role("row").filter(has_text="44.00")).to_contain_text("已退款", timeout=PATIENCE)
    expect(refunds.locator("#left")).to_contain_text("¥44.00")
    expect(refunds.locator("#left")).not_to_contain_text("88.00")
    reviewer.picture("till-refunded-zh_CN-1280")
