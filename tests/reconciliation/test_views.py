"""The page of reconciliation: heaps with their counts, what stands in them, and the same as a file."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from customs.container import Services
from customs.payments.models import Bill
from customs.payments.states import RefundStatus
from customs.reconciliation.labels import TABS, TROUBLES, UNREADABLE
from customs.reconciliation.match import Concern, Verdict
from customs.reconciliation.parser import Trouble
from customs.reconciliation.views import cell
from tests.gateway.loopback import Loopback, answer, reset
from tests.reconciliation.bill_books import TODAY, YESTERDAY, bill, gateway_that, keep, line_of, payment, refund, sends
from tests.reconciliation.test_bills import NO
from tests.web.visiting import People, Visitor, text_of

PLACE = "/reconciliation"
DAYS = {"start": YESTERDAY.isoformat(), "end": TODAY.isoformat()}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of the database is tested on both where bills are reconciled."""
    return sqlite_url


@pytest.fixture
def gateway(services: Services) -> Iterator[Loopback]:
    with gateway_that(sends(bill([])), services) as loopback:
        yield loopback


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk")


def shown(visitor: Visitor, **more: str):
    return visitor.get(PLACE, query_string=DAYS | more)


def rows_of(file) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.get_data().decode("utf-8-sig"))))


def test_every_heap_and_every_trouble_has_words():
    assert {tab.word for tab in TABS} == {*Verdict, *Concern, UNREADABLE}
    assert {*Trouble} == TROUBLES.keys()


def test_yesterday_is_proposed_and_nothing_fetched(clerk: Visitor, gateway: Loopback):
    page = clerk.get(PLACE)

    assert page.text.count(f'type="date" value="{YESTERDAY}"') == 2
    assert "No bill yet" in text_of(page)
    assert gateway.received == []


def test_a_bill_is_reported_heap_by_heap(clerk: Visitor, services: Services, gateway: Loopback):
    one, missing = payment(), payment()
    back = refund(one)
    keep(services, one, missing, back)
    gateway.respond = sends(bill([line_of(one, amount="88.10"), line_of(back), line_of(one, amount="?")]))

    page = shown(clerk)

    text = text_of(page)
    counts = ("Differing 1", "Only theirs 0", "Only ours 1", "Paid, not declared 2", "Unreadable 1", "Matched 1")
    assert all(count in text for count in counts)
    # What differs comes first, with both values and the way to either side.
    assert "Amount: 88.10 in the bill, 88.00 with us" in text
    assert f'href="/payments/{one.id}"' in page.text
    assert f'href="/declarations?payment_no={one.payment_no}"' in page.text
    assert "CN¥88.10" in text
    assert f"/payments/{missing.id}" not in page.text


def test_each_tab_shows_its_own(clerk: Visitor, services: Services, gateway: Loopback):
    one, missing = payment(), payment()
    back = refund(one)
    keep(services, one, missing, back)
    gateway.respond = sends(bill([line_of(one), line_of(back), line_of(payment()), line_of(one, amount="?")]))

    own, theirs = shown(clerk, show="only_ours"), shown(clerk, show="only_theirs")
    undeclared, unread, matched = (shown(clerk, show=one) for one in ("paid_not_declared", "unreadable", "matched"))

    assert f"/payments/{missing.id}" in own.text and f"/payments/{one.id}" not in own.text
    assert "tone-success" in own.text
    assert "somebody collected or refunded past this desk" in text_of(theirs)
    assert f"/payments/{one.id}" in undeclared.text
    assert "5 Column amount: This is no amount." in text_of(unread)
    assert f"/payments?number={back.id}" in matched.text
    assert len(gateway.received) == 1


def test_a_refund_leads_to_its_payment(clerk: Visitor, services: Services):
    one = payment()
    back = refund(one)
    keep(services, one, back)

    assert clerk.get(f"/payments?number={back.id}").location == f"/payments/{one.id}"


def test_a_heap_goes_on_page_by_page_in_the_same_bill(clerk: Visitor, services: Services, gateway: Loopback):
    own = [payment() for _ in range(3)]
    keep(services, *own)
    gateway.respond = sends(bill(map(line_of, own)))
    first = shown(clerk, show="matched", limit="2")
    cursor = first.text.partition("cursor=bill_")[2].partition('"')[0].partition("&")[0]
    gateway.respond = sends(bill([]))
    clerk.post(PLACE, **DAYS)
    following = first.text.rpartition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")

    second = clerk.get(PLACE + following)

    assert cursor
    assert [f"/payments/{one.id}" in first.text for one in own] == [True, True, False]
    assert [f"/payments/{one.id}" in second.text for one in own] == [False, False, True]


# The gateway away.


def test_a_bill_that_cannot_be_had_is_reported(clerk: Visitor, gateway: Loopback):
    gateway.respond = reset

    page = shown(clerk)

    assert page.status_code == 503
    assert "The gateway did not answer" in text_of(page)
    assert f'value="{YESTERDAY}"' in page.text


def test_an_older_bill_is_reported_as_such(clerk: Visitor, services: Services, gateway: Loopback):
    fresh = shown(clerk)
    gateway.respond = reset
    with services.transaction() as db:
        kept = db.scalars(select(Bill)).one()
        kept.fetched_at -= timedelta(minutes=10)

    old = shown(clerk)

    assert "The gateway did not answer" not in text_of(fresh)
    assert old.status_code == 200
    assert "so this is the bill as it was read before" in text_of(old)
    assert "Read 10 minutes ago" in text_of(old)


def test_reading_again_fetches_a_new_one(clerk: Visitor, gateway: Loopback):
    shown(clerk)

    done = clerk.post(PLACE, **DAYS)

    assert done.location == f"{PLACE}?start={YESTERDAY}&end={TODAY}"
    assert "The bill was read again." in text_of(clerk.follow(done))
    assert len(gateway.received) == 2


def test_reading_again_while_the_gateway_is_away_keeps_the_old_one(clerk: Visitor, gateway: Loopback):
    shown(clerk)
    gateway.respond = reset

    page = clerk.follow(clerk.post(PLACE, **DAYS))

    assert page.status_code == 200
    assert "The gateway did not send the bill just now." in text_of(page)
    assert "Matched 0" in text_of(page)


def test_bills_that_were_read_are_found_again(clerk: Visitor, gateway: Loopback):
    shown(clerk)

    assert f"/reconciliation?start={YESTERDAY}&amp;end={TODAY}" in clerk.get(PLACE).text


# What cannot be.


@pytest.mark.parametrize(
    "change",
    [
        {"start": ""},
        {"end": "2026-02-30"},
        {"start": "1999-12-31"},
        {"end": (TODAY + timedelta(days=2)).isoformat()},
        {"start": TODAY.isoformat(), "end": YESTERDAY.isoformat()},
        {"start": (TODAY - timedelta(days=200)).isoformat()},
    ],
)
def test_days_that_cannot_be_are_reported_at_their_field(clerk: Visitor, gateway: Loopback, change: dict[str, str]):
    page, again = shown(clerk, **change), clerk.post(PLACE, **DAYS | change)

    assert (page.status_code, again.status_code) == (422, 422)
    assert 'aria-invalid="true"' in page.text and 'class="invalid-feedback"' in page.text
    assert gateway.received == []


def test_what_the_gateway_refuses_is_reported(clerk: Visitor, gateway: Loopback):
    gateway.respond = answer(NO, 400)

    page = shown(clerk)

    assert page.status_code == 422
    assert "The gateway refuses this: no bill for these days" in text_of(page)


def test_what_is_no_bill_is_reported(clerk: Visitor, gateway: Loopback):
    gateway.respond = sends(b"come back later")

    page = shown(clerk)

    assert "is no bill that we can read" in text_of(page)
    assert "No line names the number" in text_of(page)


# As a file.


def test_the_file_holds_all_of_one_heap(clerk: Visitor, services: Services, gateway: Loopback):
    one, two = payment(), payment(payment_no="2018051816320384498567689")
    keep(services, one, two)
    gateway.respond = sends(bill([line_of(one, amount="88.10"), line_of(two, amount="1.00")]))

    file = clerk.get(f"{PLACE}/export.csv", query_string=DAYS | {"limit": "1"})

    assert file.content_type == "text/csv; charset=utf-8"
    assert f"reconciliation-{YESTERDAY}-{TODAY}-differing.csv" in file.headers["Content-Disposition"]
    assert file.get_data().startswith(b"\xef\xbb\xbf")
    rows = rows_of(file)
    assert [row["What differs"] for row in rows] == [
        "Amount: 88.10 in the bill, 88.00 with us",
        "Amount: 1.00 in the bill, 88.00 with us",
    ]
    # Excel keeps all digits of a number behind a tab.
    assert rows[1]["Payment number"] == "\t2018051816320384498567689"
    assert (rows[0]["Result"], rows[0]["To be looked at"]) == ("Differing", "Paid, not declared")


def test_the_file_is_of_the_bill_that_was_looked_at(clerk: Visitor, services: Services, gateway: Loopback):
    one = payment()
    keep(services, one)
    gateway.respond = sends(bill([line_of(one)]))
    link = shown(clerk).text.partition('href="/reconciliation/export.csv')[2].partition('"')[0].replace("&amp;", "&")
    gateway.respond = sends(bill([]))
    clerk.post(PLACE, **DAYS)

    assert rows_of(clerk.get(f"{PLACE}/export.csv{link}"))[0]["Line of the bill"] == "2"


def test_unreadable_lines_are_a_file_as_well(people: People, gateway: Loopback):
    gateway.respond = sends(bill([line_of(payment(), amount="?")]))
    visitor = people.signed_in("clerk", language="zh_CN")

    file = visitor.get(f"{PLACE}/export.csv", query_string=DAYS | {"show": "unreadable"})

    assert [(row["账单行号"], row["差异"]) for row in rows_of(file)] == [("2", "amount 列：不是有效金额。")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_taken_for_a_formula(text: str):
    assert cell(text) == f"'{text}"


def test_a_strangers_words_in_a_bill_are_no_formula(clerk: Visitor, gateway: Loopback):
    gateway.respond = sends(bill([line_of(payment(), status="=HYPERLINK(1)", out_order_no="@x")]))

    (row,) = rows_of(clerk.get(f"{PLACE}/export.csv", query_string=DAYS))

    assert (row["State"], row["Order number"]) == ("'=HYPERLINK(1)", "'@x")


# Whose it is.


def test_another_merchants_lines_are_not_shown(people: People, services: Services, gateway: Loopback):
    one, other = payment(), payment(merchant_no="M999")
    keep(services, one, other)
    gateway.respond = sends(bill([line_of(one), line_of(other)]))

    page = shown(people.signed_in("clerk", ["M999"]), show="matched")

    assert f"/payments/{other.id}" in page.text
    assert one.id not in page.text and "M100" not in page.text


def test_who_paid_is_never_shown(clerk: Visitor, services: Services, gateway: Loopback):
    gateway.respond = sends(bill([line_of(payment())]))

    page, file = shown(clerk), clerk.get(f"{PLACE}/export.csv", query_string=DAYS)

    assert "oQx43wJiwtsjv8C0lT5Lj7Mw1QZ4" not in page.text + file.text


def test_nobody_looks_in_without_signing_in(people: People):
    for place in (PLACE, f"{PLACE}/export.csv"):
        assert people.stranger().get(place).location.startswith("/sign-in")
    assert people.stranger().post(PLACE, **DAYS).location.startswith("/sign-in")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_heap_is_there_in_both_languages(people: People, services: Services, gateway: Loopback, language: str):
    one = payment()
    keep(services, one, payment(), refund(one, status=RefundStatus.PENDING, ended_at=None))
    gateway.respond = sends(bill([line_of(one), line_of(one), line_of(payment())]))
    visitor = people.signed_in("reviewer", language=language)

    pages = [shown(visitor, show=tab.word) for tab in TABS]

    assert [page.status_code for page in pages] == [200] * len(TABS)
    assert ("账单中重复出现。" in pages[0].text) is (language == "zh_CN")
