"""Two payments under one order number, from before that was refused: a case for ours, and nothing of theirs."""

import json

import pytest
from sqlalchemy import select, update

from customs.declarations.cases import CaseKind
from customs.declarations.models import Declaration, Push
from customs.declarations.pushes.handler import PushHandler
from customs.events.timeline import Event
from customs.gateway import Gateway, Signer, Unknown, channels
from customs.gateway.messages.owners import WITHHELD
from customs.jobs.failpoints import Failpoints
from tests import make
from tests.api.conftest import Erp, client, erp, key_for  # noqa: F401
from tests.conftest import SIGNING_KEY
from tests.gateway.loopback import answer, listening
from tests.product import Desk

THEIR_STATE = "EXCEPT"
THEIR_TIME = "2031-01-01 00:00:00"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def test_a_query_answered_about_another_merchant_opens_a_case_and_shows_nothing_of_it(desk: Desk):
    own, theirs = desk.declare(), desk.declare(merchant_no="M900", payment_no="P-THEIRS")
    shared = desk.declaration(theirs).out_order_no
    with desk.services.transaction() as db:
        db.execute(update(Declaration).where(Declaration.id == own).values(out_order_no=shared))
        db.execute(update(Push).where(Push.declaration_id == theirs).values(due_at=None))
    record = {
        "out_order_no": shared,
        "payment_no": "P-THEIRS",
        "customs": "HANGZHOU_ZS",
        "state": THEIR_STATE,
        "explanation": "theirs",
        "modify_time": THEIR_TIME,
        "cert_check_result": "DIFFERENT",
        "wechatpay_no": "G-THEIRS",
    }
    content = json.dumps({"meta": {"success": True, "status_code": 200}, "data": record})

    with listening(answer(content, kind="text/html")) as loopback:
        worker = PushHandler(
            desk.services.engine,
            desk.services.settings,
            desk.services.vault,
            channels(Gateway(loopback.url, "agent-1", Signer.from_file(SIGNING_KEY))),
            Failpoints(),
        )
        for _ in range(4):
            with desk.services.transaction() as db:
                db.execute(update(Push).where(Push.declaration_id == own).values(due_at=desk.now))
            (task,) = worker.record_and_send([], worker.claim(10))
            worker.record_and_send([(task, worker.call(task))], [])

    push = desk.push(own)
    assert (push.case_kind, push.next_action) == (CaseKind.ANOTHERS_NUMBER, "QUERY")
    with desk.services.reading() as db:
        rows = [*db.scalars(select(Event)), *db.scalars(select(Declaration).where(Declaration.id == own)), push]
        kept = str([vars(row) for row in rows])
    # The year alone may stand in any identifier, by chance.
    theirs_words = ("P-THEIRS", "G-THEIRS", THEIR_STATE, "theirs'", "2031-01", "(2031, ")
    assert not [word for word in theirs_words if word in kept]
    assert "withheld" in kept


def test_what_an_older_version_kept_of_another_merchant_is_not_shown(desk: Desk, erp: Erp):  # noqa: F811
    declaration_id = desk.declare()
    shared = desk.declaration(declaration_id).out_order_no
    theirs = {"out_order_no": shared, "payment_no": "P-THEIRS", "state": "SUCCESS"}
    desk.work(lambda _: Unknown("P-THEIRS", exchange=make.exchange(reply=json.dumps({"meta": {}, "data": theirs}))))

    shown = erp.get(f"/declarations/{declaration_id}/events").json["data"]

    assert [(event["reply"], event["detail"]["message"]) for event in shown] == [(WITHHELD, WITHHELD)]
