"""Whatever is sent to a page, it answers: nonsense in any field that it reads is refused, and changes nothing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlencode

import pytest
from flask import Request, request
from werkzeug.datastructures import ImmutableMultiDict

from tests.web.crowded import Crowd
from tests.web.filled_in import filled_in
from tests.web.page_table import GETS, POSTS
from tests.web.visiting import HOST

FORM = "application/x-www-form-urlencoded"
MARKED = {"Origin": HOST, "Accept": "text/html"}
# Percent-encoded, for some are no text that could be encoded.
WORDS = {
    "empty": "",
    "below nothing": "-1",
    "too many digits": "9" * 5000,
    "a digit that is none": quote("²"),
    "no day": "9999-99-99",
    "NUL": "a%00b",
    "a line's end": "a%0d%0aSet-Cookie:a=b",
    "half a surrogate pair": "%ED%A0%80",
    "no UTF-8": "%FF%FE",
    "markup": quote("<script>alert(1)</script>"),
    "very long": "x" * 5000,
}
BODIES = {
    "nothing": (FORM, b""),
    "fields nobody reads": (FORM, b"nobody=reads&this=field"),
    "JSON": ("application/json", b'{"reason": "because"}'),
    "text": ("text/plain", b"reason=because"),
    "no form of that kind": ("multipart/form-data; boundary=x", b"--y\r\nnothing"),
    "no boundary": ("multipart/form-data", b"--x"),
    "no text at all": (FORM, bytes(range(256))),
    "more fields than a form has": (FORM, b"a=1&" * 5000),
    "larger than a form": (FORM, b"reason=" + b"x" * 600_000),
}
# These need no word: whoever presses the button has said all.
PRESSED = {
    "/sign-out",
    "/account/sessions/<session_id>/end",
    "/import/<draft_id>/discard",
    "/filters/<filter_id>/remove",
    "/developers/key",
    "/developers/keys/<key_id>/revoke",
    "/developers/webhooks/<endpoint_id>/rotate",
    "/developers/webhooks/<endpoint_id>/resume",
    "/developers/webhooks/<endpoint_id>/test",
    "/developers/webhooks/<endpoint_id>/remove",
    "/developers/events/<event_id>/resend",
    "/admin/lanes/<lane_id>/resume",
}
# The gateway of these tests is away, and they say so.
ASK_THE_GATEWAY = {"/rates", "/reconciliation", "/reconciliation/export.csv", "/payments/new"}
# What is shown afterwards: a word that leads nowhere leads to the workbench, and the action is done.
SHOWN_AFTERWARDS = {"back", "next", "cause", "kept", "open"}

# By route, the names that it asks of its address and of its form.
read: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)


class Watched(ImmutableMultiDict[str, str]):
    """Fields that note which of them are asked for."""

    def get(self, key, *args, **options):
        self._note(key)
        return super().get(key, *args, **options)

    def getlist(self, key, *args, **options):
        self._note(key)
        return super().getlist(key, *args, **options)

    def _note(self, key: str) -> None:
        kind = "address" if self is request.args else "form"
        read[request.url_rule.rule if request.url_rule else ""].add((kind, key))


class WatchedRequest(Request):
    parameter_storage_class = Watched


@pytest.fixture(autouse=True)
def watched(crowd: Crowd) -> Iterator[None]:
    crowd.people.app.request_class = WatchedRequest
    yield
    crowd.people.app.request_class = Request


def in_turns(names: Sequence[str], turn: int) -> Iterator[tuple[str, str]]:
    """Every second word for each field, the others for its neighbours: what reads a field reads it on many pages."""
    for at, name in enumerate(names, turn):
        yield from ((name, word) for word in list(WORDS.values())[at % 2 :: 2])


def answers(rule: str, status: int) -> bool:
    return status < 500 or (status == 503 and rule in ASK_THE_GATEWAY)


@pytest.mark.parametrize("rule", GETS)
def test_any_query_string_is_answered(fresh_crowd: Crowd, rule: str):
    path = fresh_crowd.place(rule)
    fresh_crowd.boss.get(path)
    before = fresh_crowd.stored()

    names = {*(name for _, name in read[rule]), "nobody-reads-this"}
    response = {
        f"{name}={word[:40]}": fresh_crowd.boss.get(f"{path}?{name}={word}").status_code
        for name, word in in_turns(sorted(names), GETS.index(rule))
    }

    assert {query: status for query, status in response.items() if not answers(rule, status)} == {}
    assert fresh_crowd.stored() == before


@pytest.mark.parametrize("rule", POSTS)
def test_a_body_that_is_no_form_of_our_own_is_answered_and_changes_nothing(fresh_crowd: Crowd, rule: str):
    before = fresh_crowd.stored()

    for kind, (content_type, body) in BODIES.items():
        answer = fresh_crowd.boss.client.post(
            fresh_crowd.place(rule), data=body, content_type=content_type, headers=MARKED, buffered=True
        )

        assert answers(rule, answer.status_code), kind
        if rule in PRESSED:
            fresh_crowd.put_back()
        else:
            assert fresh_crowd.stored() == before, kind


@pytest.mark.parametrize("rule", POSTS)
def test_nonsense_in_any_field_that_is_read_is_answered(fresh_crowd: Crowd, rule: str):
    form, path = filled_in(fresh_crowd, rule), fresh_crowd.place(rule)
    fresh_crowd.boss.post(path, **form)
    fresh_crowd.put_back()
    before = fresh_crowd.stored()

    for place, name in sorted(read[rule]):
        others = urlencode({field: value for field, value in form.items() if field != name})
        for kind, word in WORDS.items():
            query, body = (f"?{name}={word}", others) if place == "address" else ("", f"{others}&{name}={word}")
            client = fresh_crowd.boss.client
            answer = client.post(path + query, data=body, content_type=FORM, headers=MARKED, buffered=True)

            assert answers(rule, answer.status_code), (name, kind)
            if kind == "NUL" and place == "form" and name not in SHOWN_AFTERWARDS and rule not in PRESSED:
                assert fresh_crowd.stored() == before, (name, kind)
            if answer.status_code < 400:
                fresh_crowd.put_back()
