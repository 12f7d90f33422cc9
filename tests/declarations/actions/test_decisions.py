"""Cancelling, dismissing and the open case: what a person decides besides, and what goes on record."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from customs.auth.principal import Scope
from customs.declarations.states import State
from customs.errors import ActionNotAllowed, InsufficientScope
from customs.gateway import NotFound, Refused
from tests import make
from tests.product import Desk

WRITER = make.caller(scopes=frozenset({Scope.DECLARATIONS_WRITE}))
REFUSED = Refused("amounts differ", exchange=make.exchange(), status=400)


def rule_of(refused) -> str:
    return refused.value.errors[0].code


def status_of(push):
    return push.state, push.next_action, push.epoch, push.due_at, push.case_reason


# Cancel.


def test_before_anything_was_sent_a_declaration_is_cancelled_and_its_numbers_are_free_again(desk: Desk):
    row = make.declaration_row("alipay", office="SHENZHEN")
    desk.take_in(row)
    declaration_id = desk.claim()[0].declaration_id

    desk.decide("cancel", declaration_id)

    assert desk.declaration(declaration_id).cancelled
    desk.wait(minutes=2)
    assert desk.claim() == []
    assert desk.take_in(row).findings == []
    assert len(desk.claim()) == 1


def test_what_was_sent_is_not_cancelled(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("cancel", declaration_id)

    assert rule_of(refused) == "already_sent"


@pytest.mark.parametrize("action", ["redeclare", "modify", "cancel"])
def test_what_was_cancelled_stays_so(desk: Desk, action: str):
    declaration_id = desk.declare()
    desk.decide("cancel", declaration_id)

    with pytest.raises(ActionNotAllowed) as refused:
        if action == "modify":
            desk.modify(declaration_id, duty=5)
        else:
            desk.decide(action, declaration_id)

    assert rule_of(refused) == "cancelled"


def test_a_worker_that_reserved_a_push_does_not_send_it_once_it_is_cancelled(desk: Desk):
    declaration_id = desk.declare()
    reserved = desk.claim()

    desk.decide("cancel", declaration_id)

    assert desk.send(reserved) == []


# Dismiss, and the case.


def test_a_dismissal_closes_the_case_and_leaves_the_state(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    desk.decide("dismiss", declaration_id)

    declaration = desk.declaration(declaration_id)
    assert (declaration.state, declaration.needs_review, declaration.case_reason) == (State.FAIL, False, None)


def test_without_a_case_there_is_nothing_to_dismiss(desk: Desk):
    declaration_id = desk.declare()

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("dismiss", declaration_id)

    assert rule_of(refused) == "no_case"


def test_a_dismissal_needs_the_scope_of_review(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    with pytest.raises(InsufficientScope):
        desk.decide("dismiss", declaration_id, by=WRITER)


def test_a_dismissed_day_of_polling_begins_another_day(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    desk.wait(hours=25)
    desk.work(lambda _: make.reply("PROCESSING", desk.now))
    assert desk.declaration(declaration_id).needs_review

    desk.decide("dismiss", declaration_id)
    desk.wait(hours=1)
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    assert not desk.declaration(declaration_id).needs_review


def test_a_correction_of_one_part_leaves_another_that_failed_before_the_reviewer(desk: Desk):
    declaration_id = desk.declare(parts=2)
    desk.end(declaration_id, "FAIL")
    part = desk.declaration(declaration_id).sub_orders[0]

    desk.modify(declaration_id, sub_orders=[_a_yuan_more(part)])

    assert desk.push(declaration_id, 1).case_reason
    assert desk.declaration(declaration_id).needs_review


def test_a_correction_of_one_part_leaves_another_that_was_refused_before_the_reviewer(desk: Desk):
    declaration_id = desk.declare(parts=2)
    outcomes = iter([make.reply("FAIL", desk.now), REFUSED])
    desk.work(lambda _: next(outcomes))
    failed = next(push for push in desk.declaration(declaration_id).pushes if push.state is State.FAIL)
    part = next(one for one in desk.declaration(declaration_id).sub_orders if one.sub_order_no == failed.sub_order_no)

    desk.modify(declaration_id, sub_orders=[_a_yuan_more(part)])

    left = next(push for push in desk.declaration(declaration_id).pushes if push.id != failed.id)
    assert left.due_at is None
    assert left.case_reason
    assert desk.declaration(declaration_id).needs_review


def test_a_correction_of_one_part_leaves_another_whose_buyer_differs_before_the_reviewer(desk: Desk):
    declaration_id = desk.declare(parts=2, buyer=make.buyer_row())
    answers = iter([make.reply("FAIL", desk.now), make.reply("SUCCESS", desk.now, cert_check_result="DIFFERENT")])
    desk.work(lambda _: next(answers))
    failed = next(push for push in desk.declaration(declaration_id).pushes if push.state is State.FAIL)
    part = next(one for one in desk.declaration(declaration_id).sub_orders if one.sub_order_no == failed.sub_order_no)

    desk.modify(declaration_id, sub_orders=[_a_yuan_more(part)])

    assert desk.declaration(declaration_id).needs_review


def test_a_refused_correction_leaves_what_the_gateway_accepted_before(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "SUCCESS")
    desk.modify(declaration_id, duty=5)

    desk.work(lambda _: NotFound("no such order", exchange=make.exchange(status=404), status=404))

    push = desk.push(declaration_id)
    assert (push.state, push.next_action) == (State.SUCCESS, None)
    assert "no such order" in push.case_reason


# On the record.


def test_who_when_and_why_are_on_the_record(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id)

    desk.decide("redeclare", declaration_id, by=make.caller())

    event = desk.events(declaration_id)[-1]
    assert (event.kind, event.actor) == ("action", "an ERP")
    assert event.detail["action"] == "redeclare"
    assert event.detail["reason"] == "because"
    assert desk.push(declaration_id).id in event.detail["pushes"]


def test_a_correction_is_recorded_without_the_buyers_name_or_number(desk: Desk):
    declaration_id = desk.declare(buyer=make.buyer_row())

    desk.modify(declaration_id, buyer={"name": "韩梅梅", "cert_id": make.cert_id(7)})

    recorded = str([(event.detail, event.request, event.reply) for event in desk.events(declaration_id)])
    assert "韩梅梅" not in recorded and make.cert_id(7) not in recorded


def _a_yuan_more(part):
    return {"sub_order_no": part.sub_order_no, "amount": part.amount + 1, "product_amount": part.product_amount + 1}


def test_decisions_and_answers_at_the_same_time_wait_for_each_other(desk: Desk):
    ids = [desk.declare(parts=3) for _ in range(4)]
    desk.work(lambda _: make.reply("BLUE", desk.now))
    desk.wait(minutes=2)
    tasks = desk.send(desk.claim())

    def decide(declaration_id: str) -> None:
        desk.decide("dismiss", declaration_id)

    def answer(task) -> None:
        desk.answer((task, make.reply("SUCCESS", desk.now)))

    with ThreadPoolExecutor(4) as pool:
        actions = [pool.submit(answer, task) for task in tasks] + [pool.submit(decide, one) for one in ids]
        for act in actions:
            act.result(timeout=30)

    for declaration_id in ids:
        declaration = desk.declaration(declaration_id)
        assert (declaration.state, declaration.needs_review) == (State.SUCCESS, False)
