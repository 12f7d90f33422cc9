"""ID and phone numbers in what people write: at every door masked or refused, and in no table as they were written."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from customs.auth.api_keys import AuditedKeys
from customs.auth.principal import operator
from customs.auth.saved_filters import save_filter
from customs.auth.users import Profile, create_person
from customs.container import Services
from customs.db import database
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.cases import Contacted
from customs.declarations.intake import accept
from customs.errors import ValidationFailed
from customs.imports.drafts import discard
from customs.payments.collect import refunds
from customs.review.case_service import CaseService
from customs.webhooks.subscriptions import EndpointRequest, EndpointService
from tests import make
from tests.imports.clerk import Clerk, order_row
from tests.payments.till import Till
from tests.product import Desk

SPELLINGS = (
    "1101-0519-4912-3100-2X",
    "１３８００１３８０００",
    "138 0013 8000",
    "ID110105194912310021号",
    "旧证110105491231002",
)
WRITTEN = "the buyer: " + ", ".join(SPELLINGS)
IN_ADDRESS = "q=1101-0519-4912-3100-2X"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def tables(services: Services) -> str:
    with services.reading() as db:
        names = list(db.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))
        return "".join(str(row) for name in names for row in db.execute(text(f'SELECT * FROM "{name}"')))


def test_no_table_keeps_a_number_that_somebody_wrote(services: Services, desk: Desk):
    till, clerk = Till(services, desk), Clerk(services)
    declared, ended, paid = desk.declare(), desk.declare(), till.paid()
    draft = clerk.upload_rows(order_row(), filename=f"{WRITTEN}.csv")
    left = clerk.upload_rows(order_row(), order_row(office="nowhere"))
    clerk.submit(left)
    named = accept.Submission([make.declaration_row()], name=WRITTEN)
    ready = accept.make_ready(services.engine, services.vault, services.rules, named, operator())

    with services.transaction() as db:
        accept.take_in(db, services.vault, ready, operator(), services.payments, services.audit)
        parts = services.policy, services.payments, services.audit
        ReviewService(db, operator(), till.now, *parts).cancel(declared, WRITTEN)
        case = CaseService(db, operator(), database.now(db), services.audit)
        case.remark_on_case(ended, WRITTEN)
        case.note_contact(ended, Contacted.BUYER, WRITTEN)
        refunds.refund(db, paid, {"reason": WRITTEN}, services.declarations, operator(), services.audit, till.now)
        discard(db, left.id, clerk.caller, services.audit, WRITTEN)
        EndpointService(db, services.vault, operator(), services.audit, till.now, loopback=True).create(
            EndpointRequest("https://example.com", None, WRITTEN)
        )

    kept = tables(services)
    assert draft.id in kept and kept.count("the buyer: 1101**********002X") >= 8
    assert [spelling for spelling in SPELLINGS if spelling in kept] == []


REFUSED: dict[str, Callable[[Services, Any], object]] = {
    "the name of a saved filter": lambda _, db: save_filter(
        db, "per_1", "declarations", SPELLINGS[2], "q=1", make.NOON
    ),
    "the query of a saved filter": lambda _, db: save_filter(
        db, "per_1", "declarations", "mine", IN_ADDRESS, make.NOON
    ),
    "the name of a user": lambda services, db: create_person(
        db, services.passwords, Profile("zhang", SPELLINGS[2], "clerk"), make.NOON
    ),
    "the name of a key": lambda services, db: AuditedKeys(
        db, operator(), services.audit, make.NOON, sandbox=True
    ).create(SPELLINGS[2]),
}


@pytest.mark.parametrize("door", REFUSED)
def test_what_has_to_stay_as_it_is_written_is_refused_with_such_a_number(services: Services, door: str):
    with pytest.raises(ValidationFailed) as refused, services.transaction() as db:
        REFUSED[door](services, db)

    assert [one.code for one in refused.value.errors] == ["personal_number"]


def test_the_subject_of_a_payment_holds_no_id_number_but_any_number_of_an_order(services: Services, desk: Desk):
    till = Till(services, desk)

    with pytest.raises(ValidationFailed) as refused:
        till.pay(subject=f"order of {SPELLINGS[0]}")

    assert [one.pointer for one in refused.value.errors] == ["/subject"]
    assert till.pay(subject="order 15012345678")
