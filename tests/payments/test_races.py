"""What happens at the same moment, on both databases: payments, refunds and declarations of one payment."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from customs.declarations.states import State
from customs.errors import ActionNotAllowed, ValidationFailed
from customs.payments.models import Refund
from tests import make
from tests.payments.till import Silent, Till, at_once, backdate, desk_of, order_reply, refund_reply, sale_reply
from tests.product import Desk

CALLERS = 64
ROUNDS = 6


def numbers(till: Till, payment_id: str) -> dict[str, Any]:
    payment = till.payment(payment_id)
    return {"payment_no": payment.payment_no, "out_order_no": payment.out_order_no}


def waiting(till: Till) -> tuple[str, Any]:
    """A payment that waits for its payer, and the query for it that has just left."""
    payment_id = till.pay()
    till.do(payment_id, sale_reply("INIT", payment_no=make.number("P")))
    till.wait(seconds=200)
    (task,) = [task for task in till.send(till.claim()) if task.id == payment_id]
    return payment_id, task


@pytest.mark.parametrize("amount", ["3.00", "40.00", None])
def test_many_at_once_never_refund_more_than_was_paid(till: Till, amount: str | None):
    payment_id = till.paid()

    results = at_once(*[lambda: till.refund(payment_id, amount)] * CALLERS)

    with till.services.reading() as db:
        made, total = db.execute(select(func.count(), func.sum(Refund.amount))).one()
    assert sum(isinstance(one, ActionNotAllowed) for one in results) == CALLERS - made
    assert (made, total) == {"3.00": (33, 99), "40.00": (2, 80), None: (1, 100)}[amount]
    assert till.payment(payment_id).refunded == total


def test_what_is_handed_in_as_it_is_paid_goes_out(till: Till, desk: Desk):
    for _ in range(ROUNDS):
        payment_id, task = waiting(till)
        shown = order_reply("PAID", payment_no=numbers(till, payment_id)["payment_no"])

        _, declared = at_once(
            lambda task=task, shown=shown: till.answer(task, shown),
            lambda payment_id=payment_id: desk.declare(submit="when_paid", **numbers(till, payment_id)),
        )

        desk.work(lambda _: make.reply("SUCCESS"))
        assert desk.declaration(declared).state is State.SUCCESS


def test_what_is_handed_in_as_it_expires_waits_for_nothing(till: Till, desk: Desk):
    for _ in range(ROUNDS):
        payment_id, task = waiting(till)

        _, declared = at_once(
            lambda task=task: till.answer(task, order_reply("EXPIRED")),
            lambda payment_id=payment_id: desk.declare(submit="when_paid", **numbers(till, payment_id)),
        )

        assert isinstance(declared, ValidationFailed) or desk.declaration(declared).cancelled


def test_a_refund_and_a_push_never_leave_together(till: Till, desk: Desk):
    for _ in range(ROUNDS):
        payment_id = till.paid()
        declared = desk.declare(**numbers(till, payment_id))
        till.wait(seconds=5)
        tasks = desk.claim()

        def refund(payment_id=payment_id) -> list[str]:
            refund_id = till.refund(payment_id)
            till.wait(seconds=5)
            return [task.id for task in till.send(till.claim()) if task.id == refund_id]

        pushed, refunded = at_once(lambda tasks=tasks: desk.send(tasks), refund)

        assert len([task for task in pushed if task.declaration_id == declared]) + len(refunded) == 1


def test_a_refund_and_an_intake_never_both_pass(till: Till, desk: Desk):
    for _ in range(ROUNDS):
        payment_id = till.paid()

        refunded, declared = at_once(
            lambda payment_id=payment_id: till.refund(payment_id),
            lambda payment_id=payment_id: desk.declare(**numbers(till, payment_id)),
        )

        assert till.refund_of(refunded).amount == 100
        assert isinstance(declared, ValidationFailed) or desk.declaration(declared).needs_review


def test_many_declarations_at_once_keep_within_the_payment(till: Till, desk: Desk):
    payment_id = till.paid(channel="alipay", method="scanned_pay", amount="25.00")
    offices = ["SHENZHEN", "HEFEI", "SUZHOU", "TIANJIN", "XIAN", "CHONGQING"]

    results = at_once(
        *(
            lambda office=office: desk.declare("alipay", office=office, parts=1, **numbers(till, payment_id))
            for office in offices
        )
    )

    assert sorted(type(one).__name__ for one in results) == ["Rejected"] * 4 + ["str"] * 2


def test_the_same_number_at_once_is_one_payment(till: Till):
    results = at_once(*[lambda: till.pay(out_order_no="SHOP-1")] * 8)

    ids = {one for one in results if isinstance(one, str)}
    assert len(ids) == 1
    assert {type(one).__name__ for one in results} <= {"str", "IntegrityError"}


@pytest.mark.parametrize("job_handlers", [4])
def test_desks_that_record_payments_and_refunds_together_lose_no_answer(till: Till, job_handlers: int):
    payments = [till.paid() for _ in range(8)]
    declared = [till.desk.declare(**numbers(till, payment_id)) for payment_id in payments]
    for payment_id in payments:
        till.ask_again(payment_id)
    refunds = [till.refund(payment_id, "10.00") for payment_id in reversed(payments)]
    backdate(till)
    workers = [desk_of(till, Silent(order_reply())) for _ in range(job_handlers)]
    groups = [(worker, worker.record_and_send([], worker.claim(4))) for worker in workers]
    shown = {"payments": order_reply("PAID", refundable_amount=Decimal(50)), "refunds": refund_reply("SUCCESS")}

    results = at_once(
        *(
            lambda worker=worker, tasks=tasks: worker.record_and_send(
                [(task, shown[task.table.name]) for task in reversed(tasks)], []
            )
            for worker, tasks in groups
        )
    )

    assert results == [[]] * job_handlers
    assert {till.refund_of(one).status for one in refunds} == {"SUCCESS"}
    assert all(till.desk.declaration(one).needs_review for one in declared)
