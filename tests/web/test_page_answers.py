"""How pages are sent: under a policy that lets nothing in, kept by nobody, with no code or style within the text."""

import re
from html.parser import HTMLParser

import pytest
from werkzeug.test import TestResponse

from tests.web.crowded import Crowd
from tests.web.page_table import GETS, PAGES
from tests.web.visiting import text_of

HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
# What a page may lead to elsewhere: the gateway of these tests, and what a payer's phone opens.
ELSEWHERE = ("http://127.0.0.1:9", "weixin:")


# A redirect leads there, or a page that shows a state in which nothing of this desk is.
OTHERWISE = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/code"),
    ("POST", "/sign-in/code"),
    ("GET", "/sign-in/code/set-up"),
    ("POST", "/sign-in/code/set-up"),
    ("POST", "/account/sessions/<session_id>/end"),
    ("POST", "/admin/people/<person_id>/enable"),
    ("POST", "/admin/lanes/<lane_id>/resume"),
    ("POST", "/developers/webhooks/<endpoint_id>/resume"),
    ("GET", "/batches/<batch_id>/progress"),
    ("GET", "/declarations/redeclare"),
    ("POST", "/filters"),
    ("GET", "/review/recent"),
    ("POST", "/import/<draft_id>/replace"),
    ("POST", "/import/<draft_id>/undo"),
    ("POST", "/import/<draft_id>/rows/<int:number>/strays"),
    ("GET", "/payments/<payment_id>/live"),
    ("GET", "/payments/<payment_id>/return"),
    ("POST", "/reconciliation"),
    ("GET", "/reconciliation/export.csv"),
}


class Inline(HTMLParser):
    """Collects what a policy without 'unsafe-inline' would refuse, and what would come from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = {name: value or "" for name, value in attrs}
        if tag == "style" or (tag == "script" and "src" not in words):
            self.found.append(f"<{tag}>")
        self.found += [name for name in words if name == "style" or name.startswith(("on", "hx-on"))]
        self.found += [
            f'{name}="{words[name]}"'
            for name in ("href", "src", "action", "formaction")
            if self._strays(words.get(name, ""))
        ]

    @staticmethod
    def _strays(place: str) -> bool:
        is_local = place == "" or (place.startswith(("/", "#", "?")) and not place.startswith("//"))
        return not is_local and not place.startswith(ELSEWHERE)


def is_well_sent(answer: TestResponse) -> None:
    inline = Inline()
    inline.feed(answer.text)
    assert inline.found == []
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY


@pytest.mark.parametrize("rule", GETS)
def test_every_page_is_sent_so_that_nothing_gets_in(crowd: Crowd, rule: str):
    answer = crowd.boss.get(crowd.place(rule))

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.mimetype == "text/html":
        is_well_sent(answer)


@pytest.mark.parametrize(
    ("status", "path"), [(404, "/nowhere"), (404, "/declarations/x"), (422, "/declarations?limit=x")]
)
def test_so_is_a_page_that_says_what_went_wrong(crowd: Crowd, status: int, path: str):
    answer = crowd.boss.get(path)

    assert answer.status_code == status
    is_well_sent(answer)


@pytest.mark.parametrize(
    ("language", "why"), [("en", "did not come from a page of this desk"), ("zh_CN", "不是从本系统的页面")]
)
def test_a_form_from_elsewhere_is_shown_what_is_wrong_and_not_that_a_role_lacks_something(
    crowd: Crowd, language: str, why: str
):
    crowd.boss.post("/language", language=language)

    answer = crowd.boss.post("/filters", headers={"Origin": "http://elsewhere.example"})

    assert answer.status_code == 403
    assert why in text_of(answer)


def test_so_is_whatever_somebody_sees_who_is_not_signed_in(crowd: Crowd):
    stranger = crowd.people.stranger()

    for answer in (stranger.get("/sign-in"), stranger.post("/sign-in", login="a", password="b")):
        is_well_sent(answer)


class Places(HTMLParser):
    """Collects where links, forms and fragments lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self._method = "GET"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._method = words.get("method", "get").upper()
        for name, method in {"href": "GET", "src": "GET", "hx-get": "GET", "hx-post": "POST"}.items():
            self._lead(method, words.get(name, ""))
        for name in ("action", "formaction"):
            self._lead(self._method, words.get(name, ""))

    def _lead(self, method: str, place: str) -> None:
        if place.startswith("/"):
            self.found.add((method, re.split("[?#]", place)[0]))


@pytest.fixture(scope="module")
def led_to(crowd: Crowd) -> set[tuple[str, str]]:
    """Where all pages lead, and what can be opened beside the lists: an order that waits, what was narrowed."""
    places = Places()
    for path in (*map(crowd.place, GETS), "/declarations?state=FAIL", f"/declarations/{crowd.waiting}"):
        answer = crowd.boss.get(path)
        places.feed(answer.text if answer.mimetype == "text/html" else "")
    return places.found


def test_no_page_names_an_address_that_is_no_route(crowd: Crowd, led_to: set[tuple[str, str]]):
    routes = crowd.people.app.url_map.bind("localhost")

    assert {(method, place) for method, place in led_to if not routes.test(place, method)} == set()


def test_some_page_leads_to_every_page(crowd: Crowd, led_to: set[tuple[str, str]]):
    """So that nobody has to know an address by heart."""
    routes = crowd.people.app.url_map.bind("localhost")

    reached = {(method, routes.match(place, method, return_rule=True)[0].rule) for method, place in led_to}

    assert {view for view in PAGES if view not in reached} == OTHERWISE
