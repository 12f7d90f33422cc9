"""Bodies that are not what they say: each gets a 4xx problem, and none a crash or an effect."""

import json

import pytest

from customs.web.json_body import LARGEST_BODY
from tests import make
from tests.api.conftest import is_problem

ROW = json.dumps(make.declaration_row())
GOOD = f'{{"declarations": [{ROW}]}}'.encode()

NOT_JSON = {
    "empty": b"",
    "not JSON": b"declarations=1",
    "truncated": GOOD[:-1],
    "two documents": GOOD + GOOD,
    "duplicate keys": b'{"declarations": [], ' + GOOD[1:],
    "duplicate keys inside": GOOD.replace(b'"channel"', b'"channel": "alipay", "channel"'),
    "depth 10,000": b'{"declarations": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "lone surrogate": GOOD.replace(b'"M100"', b'"\\ud800"'),
    "lone surrogate, upper case": GOOD.replace(b'"M100"', b'"\\UD800"'.replace(b"U", b"u")),
    "lone surrogate in a name": GOOD[:-1] + b', "\\udfff": 1}',
    "encoded surrogate": GOOD.replace(b'"M100"', b'"\xed\xa0\x80"'),
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "GB18030": GOOD[:-1] + ', "name": "一月"}'.encode("gb18030"),
    "NaN": GOOD[:-1] + b', "name": NaN}',
    "Infinity": GOOD[:-1] + b', "name": -Infinity}',
    "an integer of 5,000 digits": GOOD[:-1] + b', "name": ' + b"9" * 5_000 + b"}",
    "NUL": b"\x00" + GOOD,
    "comments": b"// a batch\n" + GOOD,
}


def post(erp, data: bytes, content_type: str = "application/json"):
    return erp.call("POST", "/batches", data=data, content_type=content_type)


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_proper_json_is_unreadable(erp, name: str):
    answer = post(erp, NOT_JSON[name])

    assert (answer.status_code, answer.json["code"]) == (400, "malformed_request")
    assert is_problem(answer)
    assert erp.get("/batches").json["data"] == []


def test_a_byte_order_mark_is_forgiven(erp):
    assert post(erp, b"\xef\xbb\xbf" + GOOD).status_code == 202


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_body_that_does_not_say_json_is_unreadable(erp, content_type: str):
    answer = post(erp, GOOD, content_type)

    assert (answer.status_code, answer.json["code"]) == (400, "malformed_request")


def test_a_body_over_the_limit_is_413(erp):
    answer = post(erp, GOOD + b" " * LARGEST_BODY)

    assert answer.status_code == 413
    assert is_problem(answer)


@pytest.mark.parametrize("field", ["merchant_no", "out_order_no", "mch_customs_no", "channel", "office"])
def test_a_text_of_five_megabytes_is_refused_without_repeating_it(erp, field: str):
    answer = erp.post("/batches", {"declarations": [make.declaration_row(**{field: "x" * 5_000_000})]})

    assert answer.status_code == 422
    assert len(answer.data) < 10_000


def test_ten_thousand_fields_are_refused(erp):
    answer = erp.post("/batches", {"declarations": [make.declaration_row() | {f"f{n}": n for n in range(10_000)}]})

    assert answer.status_code == 422


def test_a_verb_that_a_view_does_not_know_is_405_and_says_which_it_knows(erp):
    answer = erp.call("DELETE", "/batches")

    assert (answer.status_code, is_problem(answer)) == (405, True)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(("sent", "kept"), [("abc-123", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_every_answer_carries_a_request_id(erp, sent: str, kept: bool):
    answer = erp.call("GET", "/nothing", headers={"X-Request-Id": sent})

    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert (answer.headers["X-Request-Id"] == sent) == kept
