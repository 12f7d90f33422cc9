"""The pages of the audit trail: who did what, for whom it is to see, whether it still fits, and all of it as a file."""

import csv
import hashlib
import io
import json
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from customs.audit.actions import AuditAction
from customs.audit.hash_chain import ChainDefect
from customs.audit.trail import ChainVerdict
from customs.container import Services
from customs.site.audit_views import ACTS, TAMPERED
from tests import make
from tests.audit.trails import Trail, numbered_event
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def trail(services: Services) -> Trail:
    return Trail(services)


@pytest.fixture
def reviewer(people: People) -> Visitor:
    return people.signed_in("reviewer")


def subjects_in(page: TestResponse) -> list[str]:
    return re.findall(r'class="mono id"[^>]*title="([^"]+)"', page.text)


def rows_of(answer: TestResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


# The list.


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_each_entry_says_who_did_what_to_which_and_why(trail: Trail, people: People, language: str):
    trail.write(numbered_event(3))
    visitor = people.signed_in("reviewer", language=language)

    page = visitor.get("/audit?action=declaration.modify")

    output = text_of(page)
    assert "reviewer 0" in output
    assert str({"en": "corrected a declaration", "zh_CN": "修改申报单"}[language]) in output
    assert "the office asked for it, call 3" in output
    assert "M100" in output
    assert 'href="/declarations/decl_3"' in page.text
    assert "push_3" in output


def test_every_act_and_every_fault_has_its_words():
    assert set(ACTS) == set(AuditAction)
    assert set(TAMPERED) == set(ChainDefect)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("actor_id=per_1", ["decl_4", "decl_1"]),
        ("actor_id=per_1&action=declaration.modify", ["decl_1"]),
        ("subject_id=decl_2", ["decl_2"]),
        ("subject_id=+decl_2+", ["decl_2"]),
        ("merchant_no=M100", ["decl_3"]),
        ("actor_id=per_1&since=2026-11-23&until=2026-11-23", ["decl_4", "decl_1"]),
        ("actor_id=per_1&since=2026-11-24", []),
        ("actor_id=per_1&until=2026-11-22", []),
        ("action=nothing", []),
    ],
)
def test_filters_narrow_the_list_and_the_file_alike(trail: Trail, reviewer: Visitor, query: str, wanted: list[str]):
    trail.fill(4)

    assert subjects_in(reviewer.get(f"/audit?{query}")) == wanted
    exported = rows_of(reviewer.post(f"/audit/export.csv?{query}", reason="an audit"))
    assert [row["subject_id"] for row in exported] == wanted[::-1]


def test_nothing_that_fits_is_shown_as_such(trail: Trail, reviewer: Visitor):
    assert "No entry fits these filters" in text_of(reviewer.get("/audit?subject_id=x"))


@pytest.mark.parametrize("query", ["since=yesterday", "until=0001-01-01", "cursor=x", "limit=1000"])
def test_a_filter_that_is_none_is_refused(reviewer: Visitor, query: str):
    assert reviewer.get(f"/audit?{query}").status_code == 422


def test_the_list_comes_in_pages(trail: Trail, reviewer: Visitor):
    trail.fill(5)

    first = reviewer.get("/audit?merchant_no=M200&limit=1")
    cursor = re.search(r"cursor=(\d+)", first.text)[1]  # type: ignore[index]
    second = reviewer.get(f"/audit?merchant_no=M200&limit=1&cursor={cursor}")

    assert (subjects_in(first), subjects_in(second)) == (["decl_4"], ["decl_1"])


def test_whoever_has_some_merchants_sees_theirs_only(trail: Trail, people: People):
    trail.fill(6)
    visitor = people.signed_in("reviewer", ["M100"])

    page = visitor.get("/audit")

    theirs = [one for one in subjects_in(page) if one.startswith("decl_")]
    assert theirs == ["decl_6", "decl_3"]
    assert "M200" not in page.text
    exported = rows_of(visitor.post("/audit/export.csv", reason="an audit"))
    assert {row["merchant_no"] for row in exported} == {"M100", ""}


@pytest.mark.parametrize("role", ["clerk", "developer"])
def test_it_is_for_those_who_review(people: People, role: str):
    visitor = people.signed_in(role)

    assert visitor.get("/audit").status_code == 403
    assert visitor.get("/audit/check").status_code == 403
    assert visitor.post("/audit/export.csv", reason="an audit").status_code == 403
    assert 'href="/audit"' not in visitor.get("/review").text


def test_a_link_leads_only_where_one_may_go(trail: Trail, people: People):
    trail.write(numbered_event(1, subject="person", subject_id="per_9", action="person.create"))

    assert 'href="/admin/people/per_9"' not in people.signed_in("reviewer").get("/audit").text
    assert 'href="/admin/people/per_9"' in people.signed_in("admin").get("/audit").text


def test_what_somebody_typed_is_text(trail: Trail, reviewer: Visitor):
    trail.write(numbered_event(1, reason="<script>alert(1)</script>", actor="<i>me</i>"))

    page = reviewer.get("/audit")

    assert "<script>alert" not in page.text and "<i>me" not in page.text


def test_decisions_are_found_by_the_declaration(desk: Desk, reviewer: Visitor):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")
    place = f"/review/cases/{declaration_id}"
    reviewer.post(f"{place}/contact", whom="customs", reason="they look into it")
    reviewer.post(f"{place}/comment", text="wait")
    reviewer.post(f"{place}/correct", mch_customs_no="110396T0002", reason="typed wrongly")

    page = text_of(reviewer.get(f"/audit?subject_id={declaration_id}"))

    for words in ("asked somebody about a case", "wrote a comment", "corrected a declaration", "typed wrongly"):
        assert words in page


# The check.


def test_a_trail_that_fits_is_shown_as_such_with_its_end_to_note_down(trail: Trail, reviewer: Visitor):
    trail.fill(3)

    page = reviewer.get("/audit/check")

    last = trail.last()
    assert f"{last.number} entries, each as it was written." in text_of(page)
    assert last.hash in page.text
    assert "alert-danger" not in page.text


@pytest.mark.parametrize(
    ("statement", "number", "output"),
    [
        ("UPDATE audit_entries SET reason = 'nothing' WHERE number = 2", 2, "Entry 2 was altered"),
        ("DELETE FROM audit_entries WHERE number = 2", 2, "Entry 2 is missing"),
        ("DELETE FROM audit_entries WHERE number > 2", 3, "Entry 3 and whatever came after it are gone"),
        ("UPDATE audit_end SET seal = 'x'", None, "the seal of the end does not"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_what_was_done_behind_the_desk_is_found(
    trail: Trail, people: People, statement: str, number: int | None, output: str, language: str
):
    visitor = people.signed_in("reviewer", language=language)
    trail.fill(4)
    trail.tamper(statement)

    page = visitor.get("/audit/check")

    assert page.status_code == 200
    assert 'class="alert alert-danger"' in page.text
    assert number is None or re.search(rf"<b>{number}</b></dd>", page.text)
    assert language != "en" or output in text_of(page)
    assert isinstance(trail.verify(), ChainVerdict)


# The file.


def test_the_file_is_an_action_with_its_reason_and_can_be_checked_by_itself(trail: Trail, reviewer: Visitor):
    trail.fill(2)

    answer = reviewer.post("/audit/export.csv?merchant_no=M200", reason="the yearly audit")
    everything = rows_of(reviewer.post("/audit/export.csv", reason="all of it"))

    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    entry = trail.entries()[-2]
    assert (entry.action, entry.actor_id, entry.reason) == (
        AuditAction.AUDIT_EXPORT,
        reviewer.person_id,
        "the yearly audit",
    )
    assert entry.detail == {"merchant_no": "M200"}
    before = "0" * 64
    for row in everything:
        leased: dict[str, object] = {name: cell or None for name, cell in row.items() if name != "hash"}
        leased |= {"number": int(row["number"]), "detail": json.loads(row["detail"])}
        hashed = json.dumps(leased, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        assert (row["previous"], row["hash"]) == (before, hashlib.sha256(hashed).hexdigest())
        before = row["hash"]


@pytest.mark.parametrize("reason", ["", " "])
def test_no_file_without_a_reason(trail: Trail, reviewer: Visitor, reason: str):
    trail.write(numbered_event(1), at=make.NOON + timedelta(days=1))

    answer = reviewer.post("/audit/export.csv", reason=reason, back="/audit")

    assert answer.location == "/audit"
    assert AuditAction.AUDIT_EXPORT not in {entry.action for entry in trail.entries()}
