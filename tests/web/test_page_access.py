"""Who gets in where: every page is in a table of who may open it, and opens to nobody else and to no foreign id."""

import io
from collections.abc import Mapping
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.web.crowded import NO_ID, ROLES, Crowd
from tests.web.filled_in import FILE, WORDS, filled_in
from tests.web.page_table import ANYBODY, GETS, OPENS, PAGES, SIGNED_IN, UNFINISHED
from tests.web.visiting import PASSWORD, Visitor

NO_PAGES = ("/api/", "/notify/", "/healthz", "/readyz", "/metrics", "/docs", "/errors", "/static/")
HTMX = {"HX-Request": "true"}
ROUTES = [pytest.param(method, rule, id=f"{method} {rule}") for method, rule in PAGES]
CLOSED = [view for view in ROUTES if PAGES[view.values] != ANYBODY]
# The page on which payers land says nothing to anybody, of whatever there is.
WITH_ID = [view for view in CLOSED if "<" in view.values[1]]
# A lane of the gateway is every merchant's.
OF_SOMEBODY = [view for view in WITH_ID if "<lane_id>" not in view.values[1]]
# A slash makes another address of it, which may know another method or none.
WITH_SLASH = ("%2e%2e%2f", "a%2fb")
NO_IDS = [
    "x",
    "x" * 200,
    "%00",
    "a%00b",
    "..%5c",
    "%ff",
    "中文",
    "🛃",
    "'--",
    "%25",
    "%0d%0aSet-Cookie:a=b",
    *WITH_SLASH,
]
LEADS_ON = ("/admin", "/sign-in", "/sign-in/code")
# They show what was chosen elsewhere.
ASKS_MORE = ("/declarations/redeclare", "/reconciliation/export.csv")
# What these do is done with what is one's own.
OWN_ACTIONS = ("/filters", "/developers/key", "/audit/export.csv", "/reconciliation")


def knock(
    visitor: Visitor, method: str, path: str, form: Mapping[str, str], headers: dict[str, str] | None = None
) -> TestResponse:
    """One request as a browser makes it; nothing is followed."""
    if method == "GET":
        return visitor.get(path, headers=headers or {})
    files = {"file": (io.BytesIO(FILE), "orders.csv")} if form and path.endswith("/rows") else None
    return visitor.post(path, files=files, headers=headers, **form)


def test_every_page_is_in_the_table_and_every_row_is_a_page(crowd: Crowd):
    routes = {
        (method, rule.rule)
        for rule in crowd.people.app.url_map.iter_rules()
        if not rule.rule.startswith(NO_PAGES)
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }

    assert routes == set(PAGES)


@pytest.mark.parametrize(("method", "rule"), CLOSED)
def test_whoever_is_not_signed_in_is_sent_to_sign_in(crowd: Crowd, method: str, rule: str):
    path = crowd.place(rule)

    answer = knock(crowd.people.stranger(), method, path, WORDS)
    part = knock(crowd.people.stranger(), method, path, WORDS, HTMX)

    back = path if method == "GET" else "/"
    assert (answer.status_code, answer.location) == (303, f"/sign-in?next={quote(back, safe='')}")
    # A part of a page has no room for another page.
    assert (part.status_code, part.location) == (401, None)


@pytest.mark.parametrize("first", ["/sign-in/code/set-up", "/account"])
def test_whoever_has_something_to_do_first_is_sent_there(fresh_crowd: Crowd, first: str):
    """A reviewer without one-time codes, and a clerk whose password somebody else has made."""
    person_id, login = fresh_crowd.people.on_file("clerk" if first == "/account" else "reviewer")
    visitor, password = Visitor(fresh_crowd.people.app.test_client(), person_id), PASSWORD
    if first == "/account":
        made = fresh_crowd.boss.post(f"/admin/people/{person_id}/password", reason="lost", once="a form")
        password = made.text.partition('data-copy="')[2].partition('"')[0]
    assert visitor.post("/sign-in", login=login, password=password).status_code == 303

    for method, rule in (view for view, scope in PAGES.items() if scope not in (ANYBODY, UNFINISHED)):
        answer = knock(visitor, method, fresh_crowd.place(rule), WORDS)

        assert (answer.status_code, answer.location) == (303, first), rule


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "rule"), CLOSED)
def test_a_page_opens_to_the_roles_that_have_its_scope_alone(fresh_crowd: Crowd, role: str, method: str, rule: str):
    opens = PAGES[method, rule] in OPENS[role] | {SIGNED_IN, UNFINISHED}

    answer = knock(fresh_crowd.own[role], method, fresh_crowd.place(rule, **fresh_crowd.nothing), {})

    assert answer.status_code < 500
    assert (answer.status_code == 403) is not opens


@pytest.mark.parametrize("rule", GETS)
def test_what_there_is_can_be_opened_in_both_languages(crowd: Crowd, rule: str):
    for language in ("zh_CN", "en"):
        crowd.boss.post("/language", language=language)

        answer = crowd.boss.get(crowd.place(rule))

        assert answer.status_code in ((302, 303) if rule in LEADS_ON else (422,) if rule in ASKS_MORE else (200,))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "rule"), OF_SOMEBODY)
def test_what_is_another_merchants_is_not_there(fresh_crowd: Crowd, role: str, method: str, rule: str):
    if PAGES[method, rule] not in OPENS[role] | {SIGNED_IN}:
        return
    before = fresh_crowd.stored()

    theirs = {"merchants": "M999", "merchant_no": "M999", "override": ""}
    for form in ({}, filled_in(fresh_crowd, rule) | theirs):
        foreign = knock(fresh_crowd.strangers[role], method, fresh_crowd.place(rule), form)
        nothing = knock(fresh_crowd.strangers[role], method, fresh_crowd.place(rule, **fresh_crowd.nothing), form)

        # Whatever is said of an empty form, it is said where there is nothing as well.
        assert foreign.status_code == nothing.status_code
        assert foreign.status_code == 404 or (not form and foreign.status_code in (303, 422))
    assert fresh_crowd.stored() == before


@pytest.mark.parametrize("role", ROLES)
def test_no_list_and_no_filter_shows_another_merchants(crowd: Crowd, role: str):
    ids = {name: one for name, one in crowd.ids.items() if name not in ("lane_id", "place", "number")}
    lists = [rule for rule in GETS if "<" not in rule and PAGES["GET", rule] in OPENS[role]]
    filters = [
        f"/declarations?batch_id={ids['batch_id']}",
        f"/declarations/redeclare?ids={ids['declaration_id']}",
        *(f"/search?q={number}" for number in (*crowd.numbers, *ids.values())),
        *(f"/payments?number={number}" for number in (*crowd.numbers, ids["payment_id"])),
        f"/audit?subject_id={ids['declaration_id']}",
        f"/audit?actor_id={ids['person_id']}",
        "/audit?merchant_no=M100",
        "/developers/events?merchant_no=M100",
        f"/developers/requests?key={ids['key_id']}",
        "/admin/registrations?merchant_no=M100",
        "/batches?whose=all",
    ]

    for path in (*lists, *filters):
        answer = crowd.strangers[role].get(path)

        # What somebody asked for is said back to them.
        response = {one for one in (*ids.values(), *crowd.numbers) if one not in path and one.encode() in answer.data}
        assert response == set(), path
        assert not any(one in (answer.location or "") for one in ids.values()), path


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_done_for_another_merchant_that_a_form_names(fresh_crowd: Crowd, role: str):
    stranger, before = fresh_crowd.strangers[role], fresh_crowd.stored()
    rules = [rule for method, rule in PAGES if method == "POST" and PAGES[method, rule] in OPENS[role]]
    asked = [rule for rule in rules if "<" not in rule and rule not in OWN_ACTIONS]

    answers = {rule: stranger.post(rule, **filled_in(fresh_crowd, rule)).status_code for rule in asked}

    assert set(answers.values()) <= {303, 404, 422}, answers
    assert fresh_crowd.stored() == before


@pytest.mark.parametrize("rule", ["/declarations/redeclare", "/review/causes/<cause_id>/correct"])
def test_many_are_decided_on_together_or_not_at_all(fresh_crowd: Crowd, rule: str):
    ids, before = [fresh_crowd.ids["declaration_id"], NO_ID], fresh_crowd.stored()
    form = {"ids": ids, "reason": "all of them", "override": "on", "mch_customs_no": "110396T0002"}

    with_another = fresh_crowd.own["reviewer"].post(fresh_crowd.place(rule), **form)
    unchanged = fresh_crowd.stored() == before
    alone = fresh_crowd.own["reviewer"].post(fresh_crowd.place(rule), **form | {"ids": ids[:1]})

    assert (with_another.status_code, unchanged) == (404, True)
    assert (alone.status_code, fresh_crowd.stored() == before) == (303, False)


@pytest.mark.parametrize(("method", "rule"), WITH_ID)
def test_an_id_that_is_none_is_not_there(fresh_crowd: Crowd, method: str, rule: str):
    before = fresh_crowd.stored()

    for no_id in NO_IDS:
        path = fresh_crowd.place(rule, **dict.fromkeys(fresh_crowd.ids, no_id))
        answer, empty = (knock(fresh_crowd.boss, method, path, form) for form in (filled_in(fresh_crowd, rule), {}))

        assert answer.status_code == 404 or (no_id in WITH_SLASH and answer.status_code in (303, 308, 405)), no_id
        assert empty.status_code == answer.status_code or empty.status_code in (303, 422), no_id
        assert "a=b" not in answer.headers.get("Set-Cookie", "") + empty.headers.get("Set-Cookie", "")
    assert fresh_crowd.stored() == before
