"""A buyer in plain: for a reviewer with a reason, on one page, after it was written down; and nowhere else."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from customs.audit.actions import AuditAction
from customs.audit.models import AuditEntry
from customs.container import Services
from customs.db import database
from customs.declarations.models import Declaration
from customs.errors import ActionNotAllowed, InsufficientScope, NotFound, RevealsLimited, ValidationFailed
from customs.privacy.vault import Vault
from customs.review.case_service import MOST_REVEALS, REVEALS_COUNT_FOR, CaseService, revealed_buyer
from tests import make
from tests.product import Desk
from tests.web.visiting import People, Visitor, text_of

NAME, CERT_ID = "欧阳娜娜", make.cert_id(7)
WHY = "the shop asks which buyer it was"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def people(services: Services) -> People:
    return People(services)


@pytest.fixture
def reviewer(people: People) -> Visitor:
    return people.signed_in("reviewer")


@pytest.fixture
def case(desk: Desk) -> str:
    declaration_id = desk.declare(buyer={"name": NAME, "cert_id": CERT_ID})
    desk.end(declaration_id, "FAIL")
    return declaration_id


def place(declaration_id: str) -> str:
    return f"/review/cases/{declaration_id}"


def looks(services: Services) -> list[AuditEntry]:
    with services.reading() as db:
        return list(db.scalars(select(AuditEntry).where(AuditEntry.action == AuditAction.PERSONAL_DATA_REVEAL)))


def test_a_reviewer_sees_the_buyer_on_the_answer_itself(reviewer: Visitor, case: str):
    # What was flashed when they signed in shows here.
    reviewer.get(place(case))

    page = reviewer.post(f"{place(case)}/reveal", reason=WHY)

    assert page.status_code == 200
    assert NAME in page.text and CERT_ID in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in page.headers


def test_it_stands_on_record_who_looked_at_which_and_why(services: Services, desk: Desk, reviewer: Visitor, case: str):
    reviewer.post(f"{place(case)}/reveal", reason=WHY)

    (entry,) = looks(services)
    assert (entry.actor_id, entry.subject_id, entry.merchant_no) == (reviewer.person_id, case, make.MERCHANT)
    assert (entry.reason, entry.detail) == (WHY, {})
    assert desk.events(case)[-1].detail == {"action": "reveal", "reason": WHY}
    assert "Looked at the buyer's data" in text_of(reviewer.get(place(case)))


def test_it_is_on_record_before_anything_is_opened(services: Services, reviewer: Visitor, case: str):
    seen: list[int] = []

    class Watched(Vault):
        def open_buyer(self, token, declaration_id):
            seen.append(len(looks(services)))
            return super().open_buyer(token, declaration_id)

    services.vault = Watched(services.settings.pii_keys, services.settings.secret_key)

    reviewer.post(f"{place(case)}/reveal", reason=WHY)

    assert seen == [1]


def test_what_was_seen_is_nowhere_else(
    services: Services, reviewer: Visitor, case: str, caplog, capfd: pytest.CaptureFixture[str], tmp_path: Path
):
    reviewer.post(f"{place(case)}/reveal", reason=WHY, cause="x")

    seen = caplog.text + "".join(capfd.readouterr())
    with services.reading() as db:
        tables = list(db.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        seen += "".join(str(row) for table in tables for row in db.execute(text(f'SELECT * FROM "{table}"')))
    pages = (place(case), f"/declarations/{case}", f"/audit?subject_id={case}", "/review", f"/search?q={case}")
    seen += "".join(reviewer.get(one).text for one in pages)
    assert NAME not in seen
    assert CERT_ID not in seen


@pytest.mark.parametrize("why", ["", " ", "    ", "abcd", "a b c d", "查一下吧"])
def test_a_reason_is_five_characters_at_least(services: Services, reviewer: Visitor, case: str, why: str):
    answer = reviewer.post(f"{place(case)}/reveal", reason=why, cause="cause_1")

    assert answer.location == f"{place(case)}?cause=cause_1"
    assert "at least 5 characters" in text_of(reviewer.follow(answer))
    assert looks(services) == []


def test_nobody_looks_by_a_link(reviewer: Visitor, case: str):
    assert reviewer.get(f"{place(case)}/reveal?reason={WHY}").status_code == 405


def test_a_look_needs_the_scope_of_review(services: Services, people: People, case: str):
    for role in ("clerk", "developer"):
        assert people.signed_in(role).post(f"{place(case)}/reveal", reason=WHY).status_code == 403

    assert looks(services) == []


def test_where_no_buyer_is_named_there_is_nothing_to_see(services: Services, desk: Desk, reviewer: Visitor):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    answer = reviewer.post(f"{place(declaration_id)}/reveal", reason=WHY)

    assert "No buyer is named" in text_of(reviewer.follow(answer))
    assert looks(services) == []


def test_a_missing_key_is_shown(services: Services, reviewer: Visitor, case: str):
    services.vault = Vault(["another key"], services.settings.secret_key)

    page = reviewer.post(f"{place(case)}/reveal", reason=WHY)

    assert page.status_code == 200
    assert "CUSTOMS_PII_KEYS" in text_of(page)
    assert len(looks(services)) == 1


def test_what_looks_like_an_id_number_in_a_reason_is_masked(services: Services, reviewer: Visitor, case: str):
    reviewer.post(f"{place(case)}/reveal", reason=f"is it {CERT_ID}?")

    (entry,) = looks(services)
    assert CERT_ID not in (entry.reason or "")


def test_the_rules_hold_without_a_page_too(services: Services, case: str):
    by = make.caller("M100")
    with services.transaction() as db:
        CaseService(db, by, database.now(db), services.audit).note_reveal(case, WHY)
    with services.reading() as db:
        assert revealed_buyer(db, by, case, services.vault).name == NAME

    refused = [
        (make.caller("M999"), case, WHY, NotFound),
        (make.caller(scopes=frozenset()), case, WHY, InsufficientScope),
        (by, "decl_nothing", WHY, NotFound),
        (by, case, "why?", ValidationFailed),
    ]
    for who, which, why, error in refused:
        with pytest.raises(error), services.transaction() as db:
            CaseService(db, who, database.now(db), services.audit).note_reveal(which, why)


def test_a_buyer_who_was_never_named_is_not_opened(services: Services, desk: Desk):
    declaration_id = desk.declare()

    with pytest.raises(ActionNotAllowed), services.reading() as db:
        revealed_buyer(db, make.caller(), declaration_id, services.vault)

    with services.reading() as db:
        assert db.get(Declaration, declaration_id).buyer is None  # type: ignore[union-attr]


def test_one_look_too_many_within_an_hour_is_refused_and_on_record(
    services: Services, people: People, reviewer: Visitor, case: str
):
    for _ in range(MOST_REVEALS):
        assert reviewer.post(f"{place(case)}/reveal", reason=WHY).status_code == 200

    refused = reviewer.post(f"{place(case)}/reveal", reason=WHY)

    page = text_of(reviewer.follow(refused))
    assert "Nobody looks at more buyers within an hour" in page
    assert NAME not in page
    assert len(looks(services)) == MOST_REVEALS
    with services.reading() as db:
        entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc()).limit(1)).one()
    assert (entry.action, entry.subject_id) == (AuditAction.PERSONAL_DATA_REVEAL_REFUSED, case)
    assert people.signed_in("reviewer").post(f"{place(case)}/reveal", reason=WHY).status_code == 200


def test_looks_are_possible_again_an_hour_later(services: Services, case: str):
    by = make.caller()
    with services.reading() as db:
        began = database.now(db)
    for _ in range(MOST_REVEALS):
        with services.transaction() as db:
            CaseService(db, by, began, services.audit).note_reveal(case, WHY)

    with pytest.raises(RevealsLimited) as refused, services.transaction() as db:
        CaseService(db, by, began, services.audit).note_reveal(case, WHY)
    with services.transaction() as db:
        CaseService(db, by, began + REVEALS_COUNT_FOR, services.audit).note_reveal(case, WHY)

    assert refused.value.not_before == began + REVEALS_COUNT_FOR


def test_without_an_open_case_only_an_admin_looks_and_says_why(
    services: Services, desk: Desk, reviewer: Visitor, people: People
):
    declaration_id = desk.declare(buyer={"name": NAME, "cert_id": CERT_ID})
    desk.end(declaration_id)

    refused = reviewer.post(f"{place(declaration_id)}/reveal", reason=WHY)
    admin = people.signed_in("admin")
    unreasoned = admin.post(f"{place(declaration_id)}/reveal", reason="")
    shown = admin.post(f"{place(declaration_id)}/reveal", reason=WHY)

    assert "only an admin looks without one" in text_of(reviewer.follow(refused))
    assert unreasoned.status_code == 303
    assert NAME in shown.text
    assert [entry.actor_id for entry in looks(services)] == [admin.person_id]
