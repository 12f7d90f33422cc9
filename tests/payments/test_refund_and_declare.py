"""A refund and the declarations of one payment do not race: one waits, the other goes before a reviewer (R18)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from customs.declarations.models import Push
from customs.declarations.serializers import declarations_json
from customs.declarations.states import Action, State
from customs.errors import ActionNotAllowed, ValidationFailed
from customs.gateway import Busy, Unknown
from customs.payments.tasks.task import TaskAction
from tests import make
from tests.payments.till import Till, order_reply, refund_reply
from tests.product import Desk

DAY = timedelta(hours=24)
BUSY = Busy("later", exchange=make.exchange(), retry_after=None)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def declare(till: Till, payment_id: str, **changes: Any) -> str:
    payment = till.payment(payment_id)
    return till.desk.declare(**{"payment_no": payment.payment_no, "out_order_no": payment.out_order_no} | changes)


def findings(till: Till, payment_id: str, **changes: Any) -> list[str]:
    with pytest.raises(ValidationFailed) as refused:
        declare(till, payment_id, **changes)
    return [error.code for error in refused.value.errors]


def decision(desk: Desk, action: str, declared: str, **changes: Any) -> list[str]:
    with pytest.raises(ActionNotAllowed) as refused:
        if action == "modify":
            desk.modify(declared, **changes)
        else:
            desk.decide(action, declared)
    return [error.code for error in refused.value.errors]


def allowed(desk: Desk, declared: str) -> list[str]:
    """What the API says may be decided."""
    services = desk.services
    with services.reading() as db:
        parts = services.vault, services.policy, services.payments
        (shown,) = declarations_json(db, [desk.declaration(declared)], *parts, desk.now)
    return [one["action"] for one in shown["allowed_actions"] if one["allowed"]]


# The declaration, once its payment is refunded.


def test_a_refund_of_a_declared_payment_asks_for_a_reviewer(till: Till, desk: Desk):
    payment_id = till.paid()
    declared = declare(till, payment_id)
    desk.end(declared)

    till.refund(payment_id, "40.00")

    case = desk.declaration(declared).case_reason
    assert case == "40.00 CNY of its payment is to be refunded: sold out"


def test_a_refund_made_elsewhere_asks_for_a_reviewer(till: Till, desk: Desk):
    payment_id = till.paid()
    declared = declare(till, payment_id)
    till.ask_again(payment_id)

    till.do(payment_id, order_reply("PAID", refundable_amount=Decimal("60.00")))

    assert desk.declaration(declared).case_reason == "refunded 40.00 CNY elsewhere"
    assert desk.claim() == []


def test_what_was_reserved_when_the_refund_came_does_not_leave(till: Till, desk: Desk):
    payment_id = till.paid()
    declare(till, payment_id)
    reserved = desk.claim()

    till.refund(payment_id)

    assert desk.send(reserved) == []


@pytest.mark.parametrize("action", ["redeclare", "modify", "dismiss"])
def test_nothing_is_decided_while_the_refund_is_under_way(till: Till, desk: Desk, action: str):
    payment_id = till.paid()
    declared = declare(till, payment_id, duty=10)
    desk.end(declared)
    till.refund(payment_id, "40.00")

    assert decision(desk, action, declared, duty=5) == ["refund_under_way"]
    assert desk.push(declared).next_action is None
    assert action not in allowed(desk, declared)


def test_a_refund_that_waits_for_a_day_of_doubt_is_let_go_by_a_reviewer_and_not_before(till: Till, desk: Desk):
    payment_id = till.paid()
    declared = declare(till, payment_id)
    desk.work(lambda _: Unknown("lost"))
    refund_id = till.refund(payment_id)
    for _ in range(3):
        desk.wait(hours=12)
        too_early = allowed(desk, declared) if desk.now < desk.push(declared).budget_from + DAY else []
        desk.work(lambda _: Unknown("lost"))
    waited = [task.id for task in till.claim()]

    letting_go = allowed(desk, declared)
    desk.decide("dismiss", declared)

    assert (too_early, waited, letting_go) == ([], [], ["dismiss"])
    assert [task.id for task in till.send(till.claim())] == [refund_id]
    assert desk.declaration(declared).needs_review
    assert desk.events(declared)[-1].detail["action"] == "let_refund_go"
    assert allowed(desk, declared) == []


@pytest.mark.parametrize("action", ["redeclare", "modify", "dismiss"])
def test_once_it_has_ended_a_person_decides(till: Till, desk: Desk, action: str):
    payment_id = till.paid()
    declared = declare(till, payment_id, duty=10)
    desk.end(declared)
    till.do(till.refund(payment_id, "40.00"), refund_reply("SUCCESS"))

    if action == "modify":
        desk.modify(declared, duty=5)
    else:
        desk.decide(action, declared)

    assert desk.declaration(declared).needs_review is False
    sent = [task.action for task in desk.claim()]
    assert sent == {"redeclare": [Action.REDECLARE], "modify": [Action.MODIFY], "dismiss": []}[action]


def test_what_was_not_sent_goes_out_after_a_dismissal(till: Till, desk: Desk):
    payment_id = till.paid()
    declared = declare(till, payment_id)
    till.do(till.refund(payment_id, "40.00"), refund_reply("SUCCESS"))

    desk.decide("dismiss", declared)

    desk.end(declared)
    assert desk.declaration(declared).state is State.SUCCESS


# The refund, while its payment is being declared.


def test_a_refund_waits_while_a_push_is_in_the_air(till: Till, desk: Desk):
    payment_id = till.paid()
    declare(till, payment_id)
    (task,) = desk.send(desk.claim())
    refund_id = till.refund(payment_id)
    till.wait(seconds=30)
    before = till.claim()

    desk.answer((task, make.reply("PROCESSING")))

    assert before == []
    assert [one.id for one in till.claim()] == [refund_id]


def test_a_refund_waits_while_a_push_is_in_doubt(till: Till, desk: Desk):
    payment_id = till.paid()
    declare(till, payment_id)
    desk.work(lambda _: Unknown("lost"))
    refund_id = till.refund(payment_id)
    till.wait(minutes=5)
    before = till.claim()

    desk.work(lambda _: make.reply("PROCESSING"))

    assert before == []
    assert [one.id for one in till.claim()] == [refund_id]


def test_a_refund_goes_when_the_push_was_not_taken(till: Till, desk: Desk):
    payment_id = till.paid()
    declare(till, payment_id)
    (task,) = desk.send(desk.claim())
    refund_id = till.refund(payment_id)

    desk.answer((task, BUSY))
    till.wait(minutes=5)

    assert [one.id for one in till.claim()] == [refund_id]
    assert desk.claim() == []


def test_a_refund_that_was_reserved_is_asked_for_though_a_push_is_in_doubt(till: Till, desk: Desk):
    payment_id = till.paid()
    refund_id = till.refund(payment_id)
    till.do(refund_id, Unknown("lost"))

    act = till.do(refund_id, refund_reply("SUCCESS"))

    assert act is TaskAction.QUERY


# Handing in, with payments that are known.


def test_nothing_is_handed_in_for_a_payment_under_refund(till: Till):
    payment_id = till.paid()
    till.refund(payment_id, "40.00")

    assert findings(till, payment_id) == ["refund_under_way"]


def test_nothing_is_handed_in_for_what_was_refunded(till: Till):
    payment_id = till.paid()
    till.do(till.refund(payment_id), refund_reply("SUCCESS"))

    assert findings(till, payment_id) == ["payment_refunded"]


def test_what_is_left_after_a_refund_may_be_declared(till: Till, desk: Desk):
    payment_id = till.paid()
    till.do(till.refund(payment_id, "40.00"), refund_reply("SUCCESS"))
    parts = [make.sub_order_row("60.00", "0.00")]

    declared = declare(till, payment_id, sub_orders=parts)

    assert desk.declaration(declared).needs_review is False
    assert findings(till, payment_id, sub_orders=[make.sub_order_row("0.01", "0.00")]) != []


def test_more_than_is_left_after_a_refund_is_refused(till: Till):
    payment_id = till.paid()
    till.do(till.refund(payment_id, "40.00"), refund_reply("SUCCESS"))

    assert findings(till, payment_id, sub_orders=[make.sub_order_row("60.01", "0.00")]) == ["over_payment"]


def test_a_correction_replaces_and_does_not_add(till: Till, desk: Desk):
    payment_id = till.paid(amount="20.00")
    part = make.sub_order_row("19.00", "1.00")
    declared = declare(till, payment_id, sub_orders=[part])

    desk.modify(declared, sub_orders=[changed(part, "18.00")])

    assert desk.declaration(declared).sub_orders[0].amount == Decimal("19.00")


def test_a_correction_over_the_payment_is_refused(till: Till, desk: Desk):
    payment_id = till.paid(amount="20.00")
    part = make.sub_order_row("19.00", "1.00")
    declared = declare(till, payment_id, sub_orders=[part])

    with pytest.raises(ValidationFailed) as refused:
        desk.modify(declared, sub_orders=[changed(part, "19.01")])

    assert [error.code for error in refused.value.errors] == ["over_payment"]


def changed(part: dict[str, Any], product: str) -> dict[str, Any]:
    amount = Decimal(product) + Decimal(part["transport_amount"])
    return {"sub_order_no": part["sub_order_no"], "amount": amount, "product_amount": Decimal(product)}


def test_a_reserved_refund_does_not_leave_while_a_push_is_in_doubt(till: Till, desk: Desk):
    payment_id = till.paid()
    declared = declare(till, payment_id)
    till.refund(payment_id)
    till.wait(seconds=5)
    reserved = till.claim()
    with till.services.transaction() as db:
        db.execute(update(Push).where(Push.declaration_id == declared).values(in_doubt=Action.SUBMIT))

    assert till.send(reserved) == []
