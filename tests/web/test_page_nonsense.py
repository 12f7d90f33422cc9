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
SAID = {"Origin": HOST, "Accept": "text/html"}
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
# What is shown afterwards: a word that leads nowhere leads to the workbench, and the deed is done.
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
def test_any_query_string_is_answered(whole: Crowd, rule: str):
    path = whole.place(rule)
    whole.boss.get(path)
    before = whole.stored()

    names = {*(name for _, name in read[rule]), "nobody-reads-this"}
    told = {
        f"{name}={word[:40]}": whole.boss.get(f"{path}?{name}={word}").status_code
        for name, word in in_turns(sorted(names), GETS.index(rule))
    }

    assert {query: status for query, status in told.items() if not answers(rule, status)} == {}
    assert whole.stored() == before


@pytest.mark.parametrize("rule", POSTS)
def test_a_body_that_is_no_form_of_ours_is_answered_and_changes_nothing(whole: Crowd, rule: str):
    before = whole.stored()

    for kind, (content_type, body) in BODIES.items():
        answer = whole.boss.client.post(
            whole.place(rule), data=body, content_type=content_type, headers=SAID, buffered=True
        )

        assert answers(rule, answer.status_code), kind
        if rule in PRESSED:
            whole.put_back()
        else:
            assert whole.stored() == before, kind


@pytest.mark.parametrize("rule", POSTS)
def test_nonsense_in_any_field_that_is_read_is_answered(whole: Crowd, rule: str):
    form, path = filled_in(whole, rule), whole.place(rule)
    whole.boss.post(path, **form)
    whole.put_back()
    before = whole.stored()

    for place, name in sorted(read[rule]):
        others = urlencode({field: value for field, value in form.items() if field != name})
        for kind, word in WORDS.items():
            query, body = (f"?{name}={word}", others) if place == "address" else ("", f"{others}&{name}={word}")
            answer = whole.boss.client.post(path + query, data=body, content_type=FORM, headers=SAID, buffered=True)

            assert answers(rule, answer.status_code), (name, kind)
            if kind == "NUL" and place == "form" and name not in SHOWN_AFTERWARDS and rule not in PRESSED:
                assert whole.stored() == before, (name, kind)
            if answer.status_code < 400:
                whole.put_back()
