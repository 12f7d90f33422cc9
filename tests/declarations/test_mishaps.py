"""What went wrong once and must not again: lost commits, overtaken codes, buyers nobody can open, stale replies."""

from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from customs.declarations.models import Declaration
from customs.declarations.pushes.handler import PushHandler
from customs.declarations.pushes.outcomes import handle_outcome
from customs.declarations.states import Action, State
from customs.gateway import Misuse, NotSent, Unknown
from customs.jobs.failpoints import Failpoints
from customs.privacy.vault import Vault
from tests import make
from tests.product import Desk


def test_an_answer_recorded_again_after_a_commit_that_only_looked_lost_changes_nothing(desk: Desk):
    declaration_id = desk.declare()
    (task,) = desk.send(desk.claim())
    desk.answer((task, NotSent("refused")))
    once = desk.push(declaration_id)

    desk.answer((task, NotSent("refused")))

    again = desk.push(declaration_id)
    assert (again.next_action, again.due_at, again.failed_attempts) == (
        once.next_action,
        once.due_at,
        once.failed_attempts,
    )
    assert again.next_action is Action.SUBMIT


def test_a_second_code_whose_first_is_pushed_again_waits_for_it_without_a_due_time(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    (second,) = desk.send(desk.claim())
    desk.wait(minutes=6)
    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id, 0).id])

    desk.answer((second, NotSent("refused")))

    waiting = desk.push(declaration_id, 1)
    assert (waiting.next_action, waiting.due_at) == (Action.SUBMIT, None)
    desk.work(lambda _: make.reply("SUCCESS", desk.now + timedelta(seconds=1)))
    assert desk.push(declaration_id, 1).due_at is not None


def test_a_buyer_nobody_can_open_becomes_a_case_and_holds_up_nobody_else(desk: Desk):
    sealed_elsewhere = desk.declare(buyer=make.buyer_row())
    without_buyer = desk.declare(buyer=None)
    services = desk.services
    other_vault = Vault(["another key of theirs"], services.settings.secret_key)
    worker = PushHandler(services.engine, services.settings, other_vault, {}, Failpoints())

    leaving = worker.record_and_send([], worker.claim(10))
    outcomes = {task.declaration_id: (task, worker.call(task)) for task in leaving}
    worker.record_and_send([outcomes[sealed_elsewhere]], [])

    assert isinstance(outcomes[sealed_elsewhere][1], Misuse)
    assert without_buyer in outcomes
    assert "CUSTOMS_PII_KEYS" in (desk.push(sealed_elsewhere).case_reason or "")


@pytest.mark.parametrize("either_database", ["postgresql"], indirect=True)
def test_an_answer_whose_row_a_frozen_process_holds_is_given_up_for_now_and_recorded_later(desk: Desk):
    declaration_id, services = desk.declare(), desk.services
    worker = PushHandler(services.engine, services.settings, services.vault, {}, Failpoints())
    answered = [(task, Unknown("lost")) for task in worker.record_and_send([], worker.claim(10))]

    with services.engine.connect() as frozen:
        frozen.execute(select(Declaration.id).with_for_update())
        event.listen(services.engine, "begin", lambda db: db.exec_driver_sql("SET LOCAL lock_timeout = '20ms'"))
        with pytest.raises(OperationalError):
            worker.record_and_send(answered, [])
        frozen.rollback()
    worker.record_and_send(answered, [])

    assert [one.detail["outcome"] for one in desk.events(declaration_id)] == ["unknown"]


def test_an_older_reply_is_no_proof_that_a_modify_had_no_effect():
    kept = make.sent(
        Action.MODIFY,
        accepted=True,
        prior_state=State.FAIL,
        modify_time=make.NOON,
        sent_at=make.NOON - timedelta(hours=1),
    )
    stale = make.reply("PROCESSING", make.NOON - timedelta(seconds=5))
    status = handle_outcome(kept, Action.QUERY, stale, make.NOON, make.PACE).after

    assert (status.in_doubt, status.next_action) == (Action.MODIFY, Action.QUERY)
