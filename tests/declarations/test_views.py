"""The pages of declarations: the list and its filters, one declaration as it moves, and who sees what of it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from customs.container import Services
from customs.gateway.errors import Refused
from customs.stats.tallies import day_of
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, markup_of, text_of

ROLES = ["clerk", "reviewer", "developer", "admin"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Doors are the same on both."""
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def clerk(people: People) -> Visitor:
    return people.signed_in("clerk", [make.MERCHANT])


def tabs_of(page: str) -> dict[str, str]:
    """The tabs of the list by name, with what is counted behind each."""
    row = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert row
    found = re.findall(r"<a [^>]*>([^<]+?)(?: <span[^>]*>([\d,]+)</span>)?</a>", row.group())
    return {name.strip(): count for name, count in found}


def numbers_on(page: str) -> list[str]:
    """The order numbers of the list, from top to bottom."""
    return re.findall(r'<a\s+class="mono"\s+href="/declarations/[^"]+">([^<]+)</a>', page)


def section(page: str, name: str) -> str:
    """The part of a page with this id."""
    return page.partition(f'id="{name}"')[2]


# The list


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("role", ROLES)
def test_everybody_at_the_desk_reads_the_list(people: People, desk: Desk, role: str, language: str):
    declared = desk.declaration(desk.declare())

    page = people.signed_in(role, language=language).get("/declarations")

    assert page.status_code == 200
    assert declared.out_order_no in page.text
    assert ("杭州" if language == "zh_CN" else "Hangzhou") in page.text


def test_a_stranger_signs_in_first(people: People):
    assert people.stranger().get("/declarations").location.startswith("/sign-in")


def test_the_list_holds_what_is_ones_own(clerk: Visitor, desk: Desk):
    mine, other = desk.declare(), desk.declare(merchant_no="M999")

    page = clerk.get("/declarations")

    assert mine in page.text
    assert other not in page.text
    assert tabs_of(page.text) == {"All": "1", "Needs attention": "0", "Under way": "1", "Accepted by customs": "0"}


def test_each_tab_shows_what_it_counts(clerk: Visitor, desk: Desk):
    cleared = desk.declare()
    desk.end(cleared)
    failed = desk.declare()
    desk.end(failed, "FAIL")
    running = desk.declare()

    shown = {tab: numbers_on(clerk.get(f"/declarations?tab={tab}").text) for tab in ("review", "running", "success")}

    expected = {"review": failed, "running": running, "success": cleared}
    assert shown == {tab: [desk.declaration(one).out_order_no] for tab, one in expected.items()}
    counted = tabs_of(clerk.get("/declarations").text)
    assert counted == {"All": "3", "Needs attention": "1", "Under way": "1", "Accepted by customs": "1"}


def test_what_was_refused_is_not_under_way_though_customs_knows_no_state_of_it(clerk: Visitor, desk: Desk):
    for _ in range(2):
        closed = desk.declare()
        desk.work(lambda _: Refused("no such merchant", exchange=make.exchange(), status=400))
    desk.decide("dismiss", closed)
    waiting = desk.declare()

    under_way = clerk.get("/declarations?tab=running")
    undeclared = clerk.get("/declarations?state=UNDECLARED")

    assert numbers_on(under_way.text) == [desk.declaration(waiting).out_order_no]
    assert len(numbers_on(undeclared.text)) == 3
    assert tabs_of(under_way.text)["Under way"] == "1"
    assert re.findall(r"<strong>([\d,]+)</strong>", clerk.get("/").text) == ["1", "1", "0", "1"]


def test_filters_narrow_the_list_and_stand_in_the_address(people: People, desk: Desk):
    admin = people.signed_in("admin")
    mine = desk.declaration(desk.declare(office="NINGBO"))
    desk.declare("alipay", merchant_no="M999")
    today = day_of(mine.created_at)
    queries = [
        "channel=wechatpay",
        "office=NINGBO",
        f"merchant_no={make.MERCHANT}",
        f"batch_id={mine.batch_id}",
        "state=UNDECLARED&channel=wechatpay",
        f"since={today}&until={today}&office=NINGBO",
        f"day={today}&office=NINGBO",
    ]

    found = [numbers_on(admin.get(f"/declarations?{query}").text) for query in queries]

    assert found == [[mine.out_order_no]] * len(queries)


def test_a_day_is_one_in_shanghai(clerk: Visitor, desk: Desk):
    today = day_of(desk.declaration(desk.declare()).created_at)

    empty = clerk.get(f"/declarations?until={today - timedelta(days=1)}")

    assert "No declaration fits these filters" in empty.text


def test_what_was_cancelled_is_found_by_its_state(clerk: Visitor, desk: Desk):
    gone, there = desk.declare(), desk.declare()
    desk.decide("cancel", gone)

    cancelled = numbers_on(clerk.get("/declarations?state=cancelled").text)
    to_be_sent = numbers_on(clerk.get("/declarations?state=UNDECLARED").text)

    assert cancelled == [desk.declaration(gone).out_order_no]
    assert to_be_sent == [desk.declaration(there).out_order_no]


@pytest.mark.parametrize(
    "query",
    ["channel=cash", "state=LOST", "tab=mine", "since=yesterday", "since=0001-01-01", "until=9999-12-31", "office=%00"],
)
def test_a_filter_that_nobody_knows_is_refused(clerk: Visitor, query: str):
    assert clerk.get(f"/declarations?{query}").status_code == 422


def test_counts_are_left_out_where_they_would_have_to_be_counted(clerk: Visitor, desk: Desk):
    batch_id = desk.declaration(desk.declare()).batch_id

    assert set(tabs_of(clerk.get(f"/declarations?batch_id={batch_id}").text).values()) == {""}


def test_an_empty_desk_leads_to_the_import_and_an_empty_filter_away_from_it(clerk: Visitor, desk: Desk):
    empty = clerk.get("/declarations")
    desk.declare()
    filtered = clerk.get("/declarations?office=XIAN")

    assert 'href="/import"' in section(empty.text, "main")
    assert "No declaration yet" in empty.text
    assert "No declaration fits these filters" in filtered.text


def test_the_next_page_goes_on_where_this_one_ends(clerk: Visitor, desk: Desk):
    ids = [desk.declare() for _ in range(3)]

    first = clerk.get("/declarations?limit=2")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first.text)
    second = clerk.get(f"/declarations{following.replace('&amp;', '&')}")

    newest = [desk.declaration(one).out_order_no for one in reversed(ids)]
    assert [numbers_on(first.text), numbers_on(second.text)] == [newest[:2], newest[2:]]


def test_a_case_says_why_in_a_few_words(clerk: Visitor, desk: Desk):
    desk.end(desk.declare(), "EXCEPT")

    assert "Customs reported an exception" in text_of(clerk.get("/declarations"))


# Filters with a name


def test_a_filter_is_kept_under_a_name_and_forgotten(clerk: Visitor):
    kept = clerk.post("/filters", name="Alipay in Ningbo", query="channel=alipay&office=NINGBO")
    page = clerk.follow(kept)
    (place,) = re.findall(r'action="(/filters/[^"]+/remove)"', page.text)
    gone = clerk.follow(clerk.post(place))

    assert kept.location == "/declarations?channel=alipay&office=NINGBO"
    assert "Alipay in Ningbo" in page.text
    assert "Alipay in Ningbo" not in gone.text


def test_a_filter_is_its_persons_own(people: People, clerk: Visitor):
    page = clerk.follow(clerk.post("/filters", name="Mine", query="office=NINGBO"))
    (place,) = re.findall(r'action="(/filters/[^"]+/remove)"', page.text)
    colleague = people.signed_in("clerk", [make.MERCHANT])

    assert "Mine</a>" not in colleague.get("/declarations").text
    assert colleague.post(place).status_code == 404


def test_a_filter_without_a_name_is_refused_where_it_was_asked(clerk: Visitor):
    answer = clerk.post("/filters", name=" ", query="office=NINGBO", back="/declarations?office=NINGBO")

    assert answer.location == "/declarations?office=NINGBO"
    assert "alert-danger" in clerk.follow(answer).text


# One declaration


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("role", ROLES)
def test_one_declaration_shows_its_numbers_and_its_buyer_masked(people: People, desk: Desk, role: str, language: str):
    buyer = make.buyer_row()
    declared = desk.declare(buyer=buyer)
    desk.end(declared)

    page = people.signed_in(role, language=language).get(f"/declarations/{declared}")

    declaration = desk.declaration(declared)
    assert page.status_code == 200
    assert declaration.out_order_no in page.text
    assert declaration.payment_no in page.text
    assert "李*" in page.text
    assert buyer["name"] not in page.text
    assert buyer["cert_id"] not in page.text


@pytest.mark.parametrize("place", ["", "/live"])
def test_what_is_anothers_is_not_there(clerk: Visitor, desk: Desk, place: str):
    other = desk.declare(merchant_no="M999")

    assert clerk.get(f"/declarations/{other}{place}").status_code == 404
    assert clerk.get(f"/declarations/decl_nobody{place}").status_code == 404


def test_customs_matches_on_the_payment_or_on_each_part(clerk: Visitor, desk: Desk):
    complete, split = desk.declare(), desk.declare(parts=2)

    of_complete = text_of(clerk.get(f"/declarations/{complete}"))
    of_split = text_of(clerk.get(f"/declarations/{split}"))

    assert f"Customs matches on {desk.declaration(complete).payment_no}" in of_complete
    assert "Customs matches on the numbers of the sub-orders below" in of_split
    assert all(part.sub_order_no in of_split for part in desk.declaration(split).sub_orders)


def test_the_second_code_says_what_it_waits_for(clerk: Visitor, desk: Desk):
    declared = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    page = text_of(clerk.get(f"/declarations/{declared}"))

    assert "SHENZHEN_ZS: it is at customs; the gateway is asked again" in page
    assert "ZONGSHU goes out once customs has accepted SHENZHEN_ZS." in page


def test_the_page_asks_for_itself_while_something_goes_on(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    running = clerk.get(f"/declarations/{declared}/live")
    desk.end(declared)
    ended = clerk.get(f"/declarations/{declared}/live")

    assert f'hx-get="/declarations/{declared}/live" hx-trigger="every 2s"' in markup_of(running)
    assert "hx-trigger" not in ended.text
    assert "<html" not in ended.text
    assert "Customs has accepted the payment record. There is nothing to do." in ended.text


def test_the_timeline_tells_calls_and_decisions_with_their_reasons(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    desk.end(declared, "EXCEPT", explanation="the interface is down")
    desk.decide("redeclare", declared)

    page = text_of(clerk.get(f"/declarations/{declared}"))

    assert "Decided to push it again" in page
    assert "“because”" in page
    assert "Customs reported an exception: the interface is down" in page


def test_what_customs_holds_is_shown_beside_what_is_wanted_until_they_are_one(clerk: Visitor, desk: Desk):
    declared = desk.declare(duty=5)
    desk.end(declared)
    desk.modify(declared, duty=88)
    desk.work(lambda _: Refused("no", exchange=make.exchange(), status=400))

    page = text_of(clerk.get(f"/declarations/{declared}"))

    assert "Duty: at customs 5, here 88" in page
    assert "Customs holds: Registration number 110396T0001; Duty 5" in page


def test_how_long_ago_is_counted_by_the_clock_that_stored_it(people: People, desk: Desk):
    desk.services.engine.update_execution_options(now=lambda: datetime.now(UTC) + timedelta(minutes=30))
    declared = desk.declare()

    page = text_of(people.signed_in("clerk").get(f"/declarations/{declared}"))

    assert "in 30 minutes" not in page


def test_polls_without_news_are_shown_as_one(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    for _ in range(5):
        desk.work(lambda _: make.reply("PROCESSING", desk.now))
        desk.wait(hours=1)

    assert "Asked 4 times without news" in text_of(clerk.get(f"/declarations/{declared}"))


def test_a_long_timeline_goes_on_on_another_page_that_stands_still(clerk: Visitor, desk: Desk):
    declared = desk.declare()
    for _ in range(52):
        desk.work(lambda _: make.reply("PROCESSING", desk.now))
        desk.wait(hours=1)
    page = clerk.get(f"/declarations/{declared}")
    (older,) = re.findall(r'rel="next" href="([^"]+)"', page.text)

    further = clerk.get(f"/declarations/{declared}{older}")

    assert "hx-trigger" in page.text
    assert "hx-trigger" not in further.text
    assert "Sent HANGZHOU_ZS" in text_of(further)


def test_identity_is_explained(clerk: Visitor, desk: Desk):
    declared = desk.declare(buyer=make.buyer_row())
    desk.end(declared, cert_check_result="DIFFERENT")

    page = text_of(clerk.get(f"/declarations/{declared}"))

    assert "Somebody has to decide: The buyer is not the payer." in page
    assert "ask who paid, then correct the buyer's name and ID number" in page
