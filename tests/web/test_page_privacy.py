"""A planted buyer: on no page, in no address, cookie, log line or audit entry, but where somebody mends or reveals."""

import io
import re
import zipfile
from collections.abc import Iterator
from html import escape

import pytest
from werkzeug.test import TestResponse

from tests import make
from tests.api.test_privacy import everything_stored, lines, spellings  # noqa: F401
from tests.web.crowded import CERT_ID, NAME, Crowd
from tests.web.filled_in import filled_in
from tests.web.page_table import GETS
from tests.web.visiting import Visitor

# Somebody else, whom a person types in.
OTHER_NAME, OTHER_CERT_ID = "司马𠮷", make.cert_id(78)
# In the hands of whoever imported it: the cells to mend, and the file of them.
OWN_DRAFT = ("/import/<draft_id>", "/import/<draft_id>/faulty.xlsx")
OWN_CELL = re.compile(r'<input[^>]* name="(?:buyer_name|cert_id)"[^>]*>')
ROW = "channel\toffice\tmerchant_no\tout_order_no\tpayment_no\tmch_customs_no\tbuyer_name\tcert_id\r\n" + "\t".join(
    ["wechatpay", "nowhere", "M100", "O-9", "P-9", "110396T0001", OTHER_NAME, OTHER_CERT_ID]
)
# Every action that takes a buyer or a text about one, and the fields for it; a reason may name the ID number.
MARKED = f"they say it is {OTHER_CERT_ID}"
ACTIONS = {
    "/declarations/<declaration_id>/modify": {"buyer_name": OTHER_NAME, "cert_id": OTHER_CERT_ID, "reason": MARKED},
    "/review/cases/<declaration_id>/correct": {"buyer_name": OTHER_NAME, "cert_id": OTHER_CERT_ID, "reason": MARKED},
    "/declarations/<declaration_id>/redeclare": {"reason": MARKED},
    "/declarations/<declaration_id>/dismiss": {"reason": MARKED},
    "/declarations/redeclare": {"reason": MARKED},
    "/review/cases/<declaration_id>/comment": {"text": MARKED},
    "/review/cases/<declaration_id>/contact": {"reason": MARKED},
    "/review/cases/<declaration_id>/dismiss": {"reason": MARKED},
    "/review/cases/<declaration_id>/redeclare": {"reason": MARKED},
    "/review/cases/<declaration_id>/reveal": {"reason": MARKED},
    "/review/causes/<cause_id>/comment": {"text": MARKED},
    "/review/causes/<cause_id>/correct": {"reason": MARKED},
    "/payments/<payment_id>/refunds": {"reason": MARKED},
    "/audit/export.csv": {"reason": MARKED},
    "/admin/people/<person_id>/role": {"reason": MARKED},
    "/import": {"pasted": ROW},
    "/import/<draft_id>/cells": {"c-2-buyer_name": OTHER_NAME, "c-2-cert_id": OTHER_CERT_ID},
}


def buyers_in(text: str) -> set[str]:
    values = (NAME, CERT_ID, OTHER_NAME, OTHER_CERT_ID)
    return {value for value in values for one in (*spellings(value), escape(value)) if one in text}


def full_text(answer: TestResponse) -> str:
    """All that a page or a workbook says."""
    if "spreadsheet" not in answer.mimetype:
        return answer.data.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
        return "\n".join(packed.read(name).decode(errors="replace") for name in packed.namelist())


def flashed_messages(crowd: Crowd, visitor: Visitor) -> str:
    """What the signed cookie holds that carries sentences from one page to the next."""
    cookie = visitor.client.get_cookie("customs_flash")
    serializer = crowd.people.app.session_interface.get_signing_serializer(crowd.people.app)
    return str(serializer.loads(cookie.value)) if cookie else ""


@pytest.fixture
def everybody(crowd: Crowd) -> Iterator[list[Visitor]]:
    """Everybody who may see the planted buyer's declaration, in both languages."""
    for language in ("zh_CN", "en"):
        crowd.own["reviewer" if language == "en" else "clerk"].post("/language", language=language)
    yield [crowd.boss, *crowd.own.values()]


@pytest.mark.parametrize("rule", GETS)
def test_no_page_shows_a_buyer(crowd: Crowd, everybody: list[Visitor], rule: str):
    answers = [visitor.get(crowd.place(rule)) for visitor in everybody]

    shown = set().union(*(buyers_in(OWN_CELL.sub("", full_text(answer))) for answer in answers))
    assert shown == ({NAME, CERT_ID} if rule == "/import/<draft_id>/faulty.xlsx" else set())
    assert buyers_in("".join(str(answer.headers) for answer in answers)) == set()


def test_whoever_mends_a_draft_sees_the_buyer_in_its_cells_alone(crowd: Crowd):
    page = crowd.boss.get(crowd.place("/import/<draft_id>"))

    assert buyers_in("".join(OWN_CELL.findall(page.text))) <= {NAME, CERT_ID}
    assert [other.get(crowd.place("/import/<draft_id>")).status_code for other in crowd.own.values()] == [404] * 4


@pytest.mark.parametrize("rule", ACTIONS)
def test_no_action_leaves_a_buyer_in_an_address_a_cookie_a_log_line_or_the_database(
    fresh_crowd: Crowd,
    lines,  # noqa: F811
    rule: str,
):
    answer = fresh_crowd.boss.post(fresh_crowd.place(rule), **filled_in(fresh_crowd, rule) | ACTIONS[rule])

    assert answer.status_code < 500
    assert buyers_in(str(answer.headers)) == set()
    assert buyers_in(flashed_messages(fresh_crowd, fresh_crowd.boss)) == set()
    assert buyers_in(lines.getvalue()) == set()
    assert buyers_in(everything_stored(fresh_crowd.services)) == set()


@pytest.mark.parametrize("rule", ["/declarations/<declaration_id>/modify", "/review/cases/<declaration_id>/correct"])
def test_what_is_wrong_with_a_buyer_is_reported_without_naming_them(fresh_crowd: Crowd, lines, rule: str):  # noqa: F811
    wrong = OTHER_CERT_ID[:-1] + ("1" if OTHER_CERT_ID[-1] != "1" else "2")

    typed = {"buyer_name": f"{OTHER_NAME}\u200b", "cert_id": wrong, "reason": "they say so"}
    answer = fresh_crowd.boss.post(fresh_crowd.place(rule), **typed)

    assert answer.status_code == 422
    # In the field in which it was typed, to be mended there.
    assert wrong not in OWN_CELL.sub("", answer.text) and OTHER_NAME not in OWN_CELL.sub("", answer.text)
    assert wrong not in lines.getvalue() + everything_stored(fresh_crowd.services)
    assert wrong not in flashed_messages(fresh_crowd, fresh_crowd.boss)


def test_a_buyer_is_revealed_in_one_answer_and_nowhere_else(fresh_crowd: Crowd, lines):  # noqa: F811
    answer = fresh_crowd.boss.post(fresh_crowd.place("/review/cases/<declaration_id>/reveal"), reason="the shop asks")

    assert buyers_in(answer.text) == {NAME, CERT_ID}
    assert answer.headers["Cache-Control"] == "no-store"
    trail = fresh_crowd.boss.get("/audit").text
    export = fresh_crowd.boss.post("/audit/export.csv", reason="to keep").text
    assert buyers_in(trail + export + lines.getvalue() + everything_stored(fresh_crowd.services)) == set()


@pytest.mark.parametrize("asked", [NAME, CERT_ID])
def test_who_looks_for_a_buyer_finds_nothing_and_leaves_no_trace(fresh_crowd: Crowd, lines, asked: str):  # noqa: F811
    answers = [
        fresh_crowd.boss.get(path, query_string={name: asked})
        for path, name in (("/search", "q"), ("/payments", "number"), ("/declarations", "merchant_no"))
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert fresh_crowd.ids["declaration_id"] not in "".join(answer.text for answer in answers)
    assert buyers_in(lines.getvalue() + everything_stored(fresh_crowd.services)) == set()
