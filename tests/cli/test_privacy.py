"""`customs privacy`: all that is stored of one buyer, exported or erased, and what stays."""

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from customs.audit.actions import AuditAction
from customs.audit.models import AuditEntry
from customs.cli import commands
from customs.container import Services
from customs.db import database
from customs.declarations.models import OpenRow
from customs.errors import NotFound
from customs.events.comments import Comment
from customs.imports.drafts import Draft, unseal_draft
from customs.payments.models import Payment
from customs.payments.redaction import personal_place
from customs.review.case_service import CaseService
from tests import make
from tests.imports.clerk import Clerk, order_row
from tests.payments.till import Till
from tests.product import Desk

NAME, CERT_ID, OTHER = "欧阳娜娜", make.cert_id(7), make.cert_id(8)
BUYER, OTHER_BUYER = {"name": NAME, "cert_id": CERT_ID}, {"name": "李雷", "cert_id": OTHER}
ACCOUNT = "oQx43wJiwtsjv8C0"


@pytest.fixture
def run(services: Services):
    variables = {"CUSTOMS_HOME": str(services.settings.home), "CUSTOMS_DATABASE_URL": services.settings.database_url}

    def ran(*words: str, answer: str | None = None) -> Result:
        runner = CliRunner(env=make.SECRETS | variables)
        return runner.invoke(commands, ["privacy", *words], input=answer, catch_exceptions=False)

    return ran


class Stored:
    """What is stored of a buyer: an ended declaration with its payment and a comment, one in review, rows of drafts."""

    def __init__(self, services: Services, desk: Desk) -> None:
        till = Till(services, desk)
        self.payment_no = make.number("P")
        self.payment = till.paid(self.payment_no)
        with services.transaction() as db:
            payment = db.get_one(Payment, self.payment)
            payment.personal = services.vault.seal(json.dumps({"openid": ACCOUNT}), personal_place(self.payment))
        self.ended = desk.declare(payment_no=self.payment_no, out_order_no=payment.out_order_no, buyer=BUYER)
        desk.end(self.ended)
        self.in_review = desk.declare(buyer=BUYER)
        desk.end(self.in_review, "FAIL")
        self.others = desk.declare(buyer=OTHER_BUYER)
        with services.transaction() as db:
            case = CaseService(db, make.caller(), database.now(db), services.audit)
            self.comment = case.remark_on_case(self.ended, f"{NAME} called").id
        clerk = Clerk(services)
        own, another = order_row(buyer_name=NAME, cert_id=CERT_ID.lower()), order_row()
        self.draft = clerk.upload_rows(own, another).id
        self.own_draft = clerk.upload_rows(own).id
        self.number = another["payment_no"]


@pytest.fixture
def stored(services: Services, desk: Desk) -> Stored:
    return Stored(services, desk)


def entries(services: Services, action: AuditAction) -> list[AuditEntry]:
    with services.reading() as db:
        return list(db.scalars(select(AuditEntry).where(AuditEntry.action == action)))


@pytest.mark.parametrize("by", ["cert id", "payment"])
def test_an_export_holds_everything_of_a_buyer_and_nothing_of_others(services: Services, run, stored: Stored, by: str):
    words, answer = (
        (["--cert-id"], f"{CERT_ID.lower()}\n") if by == "cert id" else (["--payment", stored.payment_no], None)
    )

    done = run("export", *words, answer=answer)

    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert sorted(one["id"] for one in found["declarations"]) == sorted([stored.ended, stored.in_review])
    assert [one["buyer"] for one in found["declarations"]] == [BUYER, BUYER]
    assert all(one["timeline"] for one in found["declarations"])
    assert [(one["id"], one["paid_by"]) for one in found["payments"]] == [(stored.payment, {"openid": ACCOUNT})]
    assert sorted(one["id"] for one in found["drafts"]) == sorted([stored.draft, stored.own_draft])
    assert all(len(one["rows"]) == 1 and CERT_ID.lower() in one["rows"][0]["cells"] for one in found["drafts"])
    assert [one["text"] for one in found["comments"]] == [f"{NAME} called"]
    assert {one["data"].get("declaration_id") for one in found["events"]} >= {stored.ended, stored.in_review}
    assert OTHER not in done.stdout and stored.others not in done.stdout
    (entry,) = entries(services, AuditAction.PERSONAL_DATA_EXPORT)
    assert entry.detail["declarations"] == "2"
    assert all(text not in f"{vars(entry)}" for text in (NAME, CERT_ID, stored.payment_no))


def test_an_export_to_a_file_is_readable_by_its_owner_alone(run, stored: Stored, tmp_path: Path):
    file = tmp_path / "buyer.json"

    done = run("export", "--payment", stored.payment_no, "--output", str(file))

    assert done.stdout == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert CERT_ID in file.read_text()


def test_what_no_law_keeps_is_erased_and_the_rest_stays(services: Services, desk: Desk, run, stored: Stored):
    done = run("erase", "--cert-id", "--yes", answer=f"{CERT_ID}\n")

    assert done.exit_code == 0, done.output
    assert "1 declarations" in done.stdout and "in review and keep theirs" in done.stdout
    ended, in_review, others = (desk.declaration(one) for one in (stored.ended, stored.in_review, stored.others))
    assert (ended.buyer, ended.cert_index, ended.payment_no) == (None, None, stored.payment_no)
    assert in_review.buyer is not None and others.buyer is not None
    assert all(event.request is None and event.reply is None for event in desk.events(stored.ended))
    assert any(event.reply for event in desk.events(stored.in_review))
    with services.reading() as db:
        assert db.get_one(Payment, stored.payment).personal is None
        assert db.get_one(Comment, stored.comment).text == "欧*** called"
        assert db.get(Draft, stored.own_draft) is None
        grid, undo = unseal_draft(db.get_one(Draft, stored.draft), services.vault)
    assert CERT_ID.lower() not in str(grid.rows) and stored.number in str(grid.rows)
    assert undo == []
    (entry,) = entries(services, AuditAction.PERSONAL_DATA_ERASE)
    assert (entry.detail["declarations"], entry.detail["payments"], entry.detail["draft_rows"]) == ("1", "1", "2")
    assert all(text not in f"{vars(entry)}" for text in (NAME, CERT_ID, stored.payment_no))
    with services.reading() as db:
        assert services.audit.verify(db).ok


def test_rows_that_a_batch_left_open_are_discarded_with_the_buyer(services: Services, run):
    clerk = Clerk(services)
    draft = clerk.upload_rows(order_row(), order_row(cert_id=CERT_ID, office="nowhere"))
    clerk.submit(draft)

    run("erase", "--cert-id", "--yes", answer=f"{CERT_ID}\n")

    with services.reading() as db:
        (row,) = db.scalars(select(OpenRow)).all()
    assert row.discarded_at is not None
    assert row.why == "a buyer's personal data was erased"


@pytest.mark.parametrize("words", [["--dry-run"], []])
def test_nothing_is_erased_by_a_dry_run_or_without_a_yes(services: Services, desk: Desk, run, stored: Stored, words):
    done = run("erase", "--payment", stored.payment_no, *words, answer="n\n")

    assert "2 declarations" in done.stdout and "what stays" in done.stdout
    assert desk.declaration(stored.ended).buyer is not None
    assert entries(services, AuditAction.PERSONAL_DATA_ERASE) == []


@pytest.mark.parametrize("command", ["export", "erase"])
def test_a_buyer_is_named_in_one_way_and_never_by_an_argument(run, command: str):
    assert run(command).exit_code == 2
    assert run(command, "--payment", "P1", "--cert-id").exit_code == 2
    assert run(command, "--cert-id", CERT_ID, answer="").exit_code == 2
    assert run(command, "--cert-id", answer="").exit_code == 2


def test_of_whom_nothing_is_stored_nothing_is_found(services: Services, run):
    with pytest.raises(NotFound):
        run("export", "--cert-id", answer=f"{CERT_ID}\n")

    assert entries(services, AuditAction.PERSONAL_DATA_EXPORT) == []
