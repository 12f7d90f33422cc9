"""The reviewer's measure: a group that failed alike mended together without a mouse, and everything on record."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from customs.audit.models import AuditEntry
from tests import make
from tests.browser.browsing import Browsing
from tests.browser.conftest import SitDown
from tests.journeys.deployment import Deployment

ALIKE = 4
WHY = "the registration was renewed this morning"
NAME, CERT_ID = "欧阳若兰", make.cert_id(21)
PATIENCE = 180_000


@pytest.fixture
def merchant() -> str:
    return make.number("M")


@pytest.fixture
def failed(deployment: Deployment, merchant: str) -> list[str]:
    """Some orders of one merchant that customs rejected for one cause; their numbers."""
    buyer = make.buyer_row(name=NAME, cert_id=CERT_ID)
    numbers = [make.number("FAIL-") for _ in range(ALIKE)]
    deployment.hand_in(*(make.declaration_row(out_order_no=one, merchant_no=merchant, buyer=buyer) for one in numbers))
    deployment.wait_until_drained()
    return numbers


@pytest.fixture
def reviewer(sit_down: SitDown, merchant: str) -> Browsing:
    return sit_down("reviewer", "en", [merchant])


def correct_them_all(reviewer: Browsing) -> None:
    """From wherever one is to the corrected group, with keys alone."""
    page = reviewer.page
    reviewer.press("g", "r")
    page.wait_for_url("**/review")
    reviewer.press("j", "Enter")
    page.wait_for_url("**/review/causes/cause_*")
    reviewer.press("Control+Enter")
    expect(page.get_by_label("Registration number")).to_be_focused()
    reviewer.type("110396T0099")
    reviewer.press("Control+Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    reviewer.type(WHY)
    reviewer.press("Control+Enter")
    page.wait_for_url("**/review/causes/cause_*")
    expect(page.get_by_text(f"{ALIKE} declarations are corrected.")).to_be_visible()


def rewrite(deployment: Deployment, before: str, after: str) -> int:
    """Write another reason into one entry of the trail, in the database itself; returns the entry's number."""
    with deployment.services.transaction() as db:
        number: int = db.scalars(select(AuditEntry.number).where(AuditEntry.reason == before)).first() or 0
        db.execute(update(AuditEntry).where(AuditEntry.number == number).values(reason=after))
    return number


def test_a_group_is_mended_without_a_mouse_and_seen_to_its_end(reviewer: Browsing, failed: list[str]):
    page, clicks = reviewer.page, reviewer.clicks

    correct_them_all(reviewer)

    page.evaluate("() => { window.isStillTheSamePage = true; }")
    expect(page.locator("#recent[hx-get]")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("#recent").get_by_role("status")).to_have_text(
        re.compile(rf"^\s*Accepted by customs\s*{ALIKE}\s*$")
    )
    assert page.evaluate("window.isStillTheSamePage")
    assert reviewer.clicks == clicks
    reviewer.go("/review")
    expect(page.get_by_text("Nothing needs anybody")).to_be_visible()


def test_the_trail_says_who_did_what_and_why_and_which_entry_was_altered(
    reviewer: Browsing, failed: list[str], deployment: Deployment
):
    page = reviewer.page
    correct_them_all(reviewer)

    reviewer.go("/audit")
    entries = page.get_by_role("row").filter(has_text="corrected a declaration").filter(has_text=WHY)
    expect(entries.filter(has_text=reviewer.person.name)).to_have_count(len(failed))
    reviewer.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="each as it was written")).to_be_visible()

    altered = rewrite(deployment, WHY, "nobody asked for this")
    reviewer.press("Control+Enter")
    words = page.get_by_role("alert").filter(has_text=f"Entry {altered} was altered after it was written.")
    expect(words).to_be_visible()
    reviewer.picture("audit-altered-en-1280")

    rewrite(deployment, "nobody asked for this", WHY)
    reviewer.press("Control+Enter")
    expect(page.get_by_role("status").filter(has_text="each as it was written")).to_be_visible()


def test_a_name_is_shown_to_a_reviewer_for_a_reason_and_to_a_clerk_not_at_all(
    reviewer: Browsing, failed: list[str], sit_down: SitDown, merchant: str
):
    page, why = reviewer.page, "the merchant asks whether it was typed rightly"
    reviewer.go(f"/search?q={failed[0]}")
    case = f"/review/cases/{page.url.rpartition('/')[2]}"
    reviewer.go(case)
    assert NAME not in page.content()

    page.get_by_text("Show the buyer's data").click()
    page.locator("form[action$='/reveal']").get_by_label("Reason").fill(why)
    reviewer.press("Control+Enter")

    expect(page.get_by_role("definition").filter(has_text=NAME)).to_be_visible()
    expect(page.get_by_role("definition").filter(has_text=CERT_ID)).to_be_visible()
    reviewer.go("/audit")
    entry = page.get_by_role("row").filter(has_text="looked at a buyer's data").filter(has_text=why)
    expect(entry.filter(has_text=reviewer.person.name)).to_have_count(1)
    assert NAME not in page.content()

    clerk = sit_down("clerk", "en", [merchant])
    clerk.go(case)
    expect(clerk.page.get_by_text("Only a reviewer sees names and ID numbers")).to_be_visible()
    expect(clerk.page.locator("form[action$='/reveal']")).to_have_count(0)
    insisted = clerk.page.request.post(
        f"{clerk.url}{case}/reveal", form={"reason": why}, headers={"Origin": clerk.url, "Accept": "text/html"}
    )
    assert insisted.status == 403
    assert NAME not in insisted.text()
