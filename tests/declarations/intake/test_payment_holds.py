"""What a payment's scenario does to its declarations: withheld when refunded, and waiting until it is paid."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import literal, select

from customs.declarations.states import Action, State
from customs.errors import ActionNotAllowed
from customs.gateway import Busy, Channel, NotFound, Unknown
from customs.payments_port import PaymentKey, RefundNotice
from tests import make
from tests.product import LEASE, Desk

BUSY = Busy("later", exchange=make.exchange(), retry_after=None)
ABSENT = NotFound("no such declaration", exchange=None, status=404)
REFUND = RefundNotice(Decimal("40.00"), "CNY", "sold out")
WHY = "40.00 CNY of its payment is to be refunded: sold out"
GRACE = make.PACE.grace_seconds


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def key_of(desk: Desk, declaration_id: str) -> PaymentKey:
    declaration = desk.declaration(declaration_id)
    return PaymentKey(declaration.merchant_no, Channel(declaration.channel), declaration.payment_no)


def withhold(desk: Desk, declaration_id: str, refund: RefundNotice = REFUND) -> int:
    with desk.services.transaction() as db:
        return desk.services.declarations.withhold(db, key_of(desk, declaration_id), refund, desk.now)


def in_flight(desk: Desk, declaration_id: str) -> bool:
    with desk.services.engine.begin() as db:
        condition = desk.services.declarations.in_flight(*map(literal, key_of(desk, declaration_id)))
        return bool(db.scalar(select(condition)))


def shape(desk: Desk, declaration_id: str) -> dict[str, Any]:
    declaration = desk.declaration(declaration_id)
    return {"needs_review": declaration.needs_review, "case": declaration.case_reason}


# Withheld: nothing but questions goes out until a reviewer has decided.


def test_a_refund_puts_the_declaration_before_a_reviewer(desk: Desk):
    declared = desk.declare()
    desk.end(declared)

    assert withhold(desk, declared) == 1

    assert shape(desk, declared) == {"needs_review": True, "case": WHY}
    assert desk.declaration(declared).state is State.SUCCESS


def test_what_was_not_sent_does_not_go_out(desk: Desk):
    declared = desk.declare()
    withhold(desk, declared)

    desk.wait(days=1)

    assert desk.claim() == []


def test_what_was_reserved_already_does_not_leave(desk: Desk):
    declared = desk.declare()
    tasks = desk.claim()

    withhold(desk, declared)

    assert desk.send(tasks) == []
    assert desk.push(declared).in_doubt is None


def test_what_comes_back_as_busy_is_not_sent_again(desk: Desk):
    declared = desk.declare()
    leaving = desk.send(desk.claim())
    withhold(desk, declared)

    desk.answer((leaving[0], BUSY))
    desk.wait(hours=1)

    assert desk.claim() == []
    assert (desk.push(declared).next_action, desk.push(declared).due_at) == (Action.SUBMIT, None)


def test_what_is_in_doubt_is_asked_for_but_not_sent_again(desk: Desk):
    declared = desk.declare()
    desk.work(lambda _: Unknown("lost"))
    withhold(desk, declared)
    actions = []

    for _ in range(5):
        desk.wait(seconds=GRACE)
        actions += [task.action for task in desk.work(lambda _: ABSENT)]

    assert set(actions) == {Action.QUERY}
    assert desk.push(declared).next_action is Action.SUBMIT


def test_a_withheld_declaration_is_polled_to_its_end(desk: Desk):
    declared = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING"))
    withhold(desk, declared)

    desk.wait(hours=1)
    desk.work(lambda _: make.reply("SUCCESS"))

    assert desk.declaration(declared).state is State.SUCCESS
    assert desk.declaration(declared).case_reason == WHY


def test_the_second_code_does_not_follow_when_the_first_succeeds(desk: Desk):
    declared = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("PROCESSING"))
    withhold(desk, declared)

    desk.wait(hours=1)
    desk.work(lambda _: make.reply("SUCCESS"))

    assert desk.claim() == []
    assert desk.push(declared, 1).due_at is None


def test_other_payments_are_left_alone(desk: Desk):
    declared, other = desk.declare(), desk.declare()

    withhold(desk, declared)

    assert [task.declaration_id for task in desk.claim()] == [other]
    assert shape(desk, other) == {"needs_review": False, "case": None}


def test_the_same_number_of_another_merchant_is_another_payment(desk: Desk):
    declared = desk.declare(payment_no="P1")
    other = desk.declare(payment_no="P1", merchant_no="M200")

    withhold(desk, declared)

    assert [task.declaration_id for task in desk.claim()] == [other]


def test_a_cancelled_declaration_is_left_alone(desk: Desk):
    declared = desk.declare()
    desk.decide("cancel", declared)

    assert withhold(desk, declared) == 0
    assert desk.declaration(declared).needs_review is False


def test_the_first_case_stays(desk: Desk):
    declared = desk.declare()
    desk.end(declared, "FAIL", explanation="no such registration")

    withhold(desk, declared)

    assert desk.declaration(declared).case_reason == "FAIL: no such registration"


# What the reviewer decides lets it out.


def test_a_dismissal_lets_it_out(desk: Desk):
    declared = desk.declare()
    withhold(desk, declared)

    desk.decide("dismiss", declared)

    assert [task.declaration_id for task in desk.send(desk.claim())] == [declared]


def test_after_a_dismissal_codes_still_wait_their_turn(desk: Desk):
    declared = desk.declare("alipay", office="SHENZHEN")
    withhold(desk, declared)

    desk.decide("dismiss", declared)

    assert [task.filing.customs for task in desk.claim()] == ["SHENZHEN_ZS"]
    assert desk.push(declared, 1).due_at is None


def test_after_a_dismissal_the_second_code_follows_the_first(desk: Desk):
    declared = desk.declare("alipay", office="SHENZHEN")
    withhold(desk, declared)
    desk.decide("dismiss", declared)

    desk.end(declared)

    assert [push.state for push in desk.declaration(declared).pushes] == [State.SUCCESS] * 2


def test_a_correction_goes_out(desk: Desk):
    declared = desk.declare(duty=10)
    withhold(desk, declared)

    desk.modify(declared, duty=5)

    (task,) = desk.send(desk.claim())
    assert task.filing.duty == 5
    assert desk.declaration(declared).needs_review is False


def test_a_correction_of_what_was_declared_goes_out_as_modify(desk: Desk):
    declared = desk.declare(duty=10)
    desk.end(declared)
    withhold(desk, declared)

    desk.modify(declared, duty=5)

    (task,) = desk.send(desk.claim())
    assert task.action is Action.MODIFY


def test_a_part_that_was_not_corrected_stays_withheld(desk: Desk):
    declared = desk.declare(parts=2)
    first = desk.declaration(declared).sub_orders[0]
    withhold(desk, declared)

    desk.modify(
        declared,
        sub_orders=[{"sub_order_no": first.sub_order_no, "amount": Decimal("9.00"), "product_amount": Decimal("8.00")}],
    )

    assert [task.filing.sub_order.sub_order_no for task in desk.claim()] == [first.sub_order_no]
    assert desk.declaration(declared).needs_review


def test_a_redeclaration_goes_out(desk: Desk):
    declared = desk.declare()
    desk.end(declared)
    withhold(desk, declared)

    desk.decide("redeclare", declared)

    (task,) = desk.send(desk.claim())
    assert task.action is Action.REDECLARE


def test_what_was_withheld_may_be_cancelled(desk: Desk):
    declared = desk.declare()
    withhold(desk, declared)

    desk.decide("cancel", declared)

    assert desk.declaration(declared).cancelled
    assert desk.declaration(declared).needs_review is False


# In flight: a refund waits for that.


def test_what_was_only_reserved_is_not_in_flight(desk: Desk):
    declared = desk.declare()
    desk.claim()

    assert not in_flight(desk, declared)


def test_what_has_left_is_in_flight_until_its_outcome_is_known(desk: Desk):
    declared = desk.declare()
    (task,) = desk.send(desk.claim())
    before = in_flight(desk, declared)

    desk.answer((task, make.reply("PROCESSING")))

    assert (before, in_flight(desk, declared)) == (True, False)


def test_what_is_in_doubt_is_in_flight(desk: Desk):
    declared = desk.declare()
    desk.work(lambda _: Unknown("lost"))
    desk.wait(seconds=LEASE.total_seconds() * 2)

    assert in_flight(desk, declared)


def test_the_question_reads_an_index(desk: Desk):
    if desk.services.engine.dialect.name != "sqlite":
        pytest.skip("an empty table of PostgreSQL is read whole")
    condition = desk.services.declarations.in_flight(*map(literal, PaymentKey("M", Channel.ALIPAY, "P")))
    statement = select(condition).compile(desk.services.engine, compile_kwargs={"literal_binds": True})

    with desk.services.engine.begin() as db:
        plan = [row[3] for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]

    assert [line for line in plan if line.startswith("SCAN pushes")] == []


# An accepted decision that is refused leaves all as it was.


def test_a_withheld_push_in_doubt_cannot_be_redeclared(desk: Desk):
    declared = desk.declare()
    desk.work(lambda _: Unknown("lost"))
    withhold(desk, declared)
    desk.wait(seconds=LEASE / timedelta(seconds=1) + 1)

    with pytest.raises(ActionNotAllowed):
        desk.decide("redeclare", declared)

    assert desk.push(declared).withheld
