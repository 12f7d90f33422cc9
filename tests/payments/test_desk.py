"""Claim, mark, record: who may send, who may record, and what a crash in between leaves behind."""

import threading
from datetime import timedelta

import pytest

from customs.gateway import Busy, NotFound, Unknown
from customs.payments.desk import PaymentDesk
from customs.payments.errands import Deed, release
from customs.payments.payment_work import PaymentWork
from customs.payments.refund_work import RefundWork
from customs.payments.states import Status
from tests import make
from tests.payments.till import LEASE, Till, order_reply, sale_reply

SILENCE = Unknown("lost")
ABSENT = NotFound("no such order", exchange=None, status=404)


def due(till: Till) -> str:
    """A payment that is due to be sent."""
    payment_id = till.pay()
    till.wait(seconds=5)
    return payment_id


def test_whoever_asked_has_a_head_start(till: Till):
    till.pay()

    assert till.claim() == []


def test_what_is_reserved_is_nobody_elses(till: Till):
    due(till)
    till.claim()

    assert till.claim(holder="there:2") == []


def test_what_was_only_reserved_is_sent_after_the_lease_without_doubt(till: Till):
    payment_id = due(till)
    till.claim()

    till.wait(seconds=LEASE.total_seconds() + 1)

    (task,) = till.claim()
    assert (task.id, task.deed, task.row["in_doubt"]) == (payment_id, Deed.SEND, False)


def test_what_was_marked_is_asked_for_after_the_lease(till: Till):
    due(till)
    till.send(till.claim())

    till.wait(seconds=LEASE.total_seconds() + 1)

    (task,) = till.claim()
    assert (task.deed, task.row["in_doubt"]) == (Deed.QUERY, True)


def test_after_a_crash_the_grace_counts_from_the_end_of_the_lease(till: Till):
    payment_id = due(till)
    till.send(till.claim())
    ended_at = till.payment(payment_id).lease_until

    till.wait(seconds=LEASE.total_seconds() + 1)
    till.claim()

    assert till.payment(payment_id).sent_at == ended_at


def test_what_was_marked_is_not_marked_again(till: Till):
    due(till)
    tasks = till.claim()
    till.send(tasks)

    assert till.send(tasks) == []


def test_an_answer_that_comes_after_somebody_else_took_over_is_discarded(till: Till):
    payment_id = due(till)
    (slow,) = till.send(till.claim())
    till.wait(seconds=LEASE.total_seconds() + 1)
    till.claim(holder="there:2")

    word = till.answer(slow, sale_reply("PAID", payment_no="P1"))

    assert word is None
    assert till.payment(payment_id).status is Status.INIT


def test_an_answer_is_recorded_once(till: Till):
    payment_id = due(till)
    (task,) = till.send(till.claim())
    till.answer(task, sale_reply("INIT", payment_no="P1"))

    assert till.answer(task, sale_reply("PAID", payment_no="P1")) is None
    assert till.payment(payment_id).status is Status.INIT


def test_a_stopped_lane_lets_nothing_leave_and_loses_nothing(till: Till):
    payment_id = due(till)
    tasks = till.claim()
    till.stop_lane()

    assert till.send(tasks) == []

    till.resume_lane()
    (task,) = till.claim()
    assert (task.id, task.deed) == (payment_id, Deed.SEND)


# An unknown outcome: asked for, and sent again only after the grace.


def test_a_lost_reply_is_asked_for_and_found(till: Till):
    payment_id = due(till)
    till.do(payment_id, SILENCE)

    deed = till.do(payment_id, order_reply("PAID", payment_no="P1"))

    assert deed is Deed.QUERY
    assert till.payment(payment_id).status is Status.PAID


def test_a_lost_request_is_sent_again_only_after_the_grace(till: Till):
    payment_id = due(till)
    till.do(payment_id, SILENCE)
    sent_at = till.now

    while till.payment(payment_id).next_action is Deed.QUERY:
        till.work(lambda _: ABSENT, after=1)

    grace = till.services.settings.unknown_grace_seconds
    assert timedelta(0) <= till.now - sent_at - timedelta(seconds=grace) < timedelta(seconds=2)


def test_a_code_shown_once_is_never_sent_twice(till: Till):
    payment_id = till.pay(method="scan_pay", auth_code="135605691981176449")
    deeds = []

    while till.payment(payment_id).next_action:
        deeds += [task.deed for task in till.work(lambda task: SILENCE if task.deed is Deed.SEND else ABSENT, after=60)]

    assert deeds.count(Deed.SEND) == 1
    assert till.payment(payment_id).status is Status.FAIL


def test_a_payment_that_was_refused_fails_with_the_reason(till: Till):
    payment_id = due(till)

    till.do(payment_id, NotFound("no such merchant", exchange=None, status=404))

    payment = till.payment(payment_id)
    assert (payment.status, payment.explanation) == (Status.FAIL, "no such merchant")


# Somebody has it asked for while a call is under way.


def test_what_was_asked_for_during_a_query_is_asked_again_at_once(till: Till):
    payment_id = due(till)
    till.do(payment_id, sale_reply("INIT", payment_no="P1"))
    till.wait(seconds=10)
    (task,) = till.send(till.claim())

    till.wait(seconds=1)
    till.ask_again(payment_id)
    till.answer(task, order_reply("INIT", payment_no="P1"))

    assert [again.id for again in till.claim()] == [payment_id]


# The product's own desk, with nobody at the other end.


class Silent:
    """A wallet whose every deed brings this error."""

    def __init__(self, error) -> None:
        self.error = error
        self.deeds: list[str] = []

    def __getattr__(self, deed: str):
        def call(*_args):
            self.deeds.append(deed)
            raise self.error

        return call


def desk_of(till: Till, wallet: Silent) -> PaymentDesk:
    services = till.services
    wallets = {"wechatpay": wallet, "alipay": wallet}
    works = (
        PaymentWork(wallets, services.vault, services.declarations, services.settings),
        RefundWork(wallets, services.declarations, services.settings),
    )
    return PaymentDesk(services.engine, services.settings, works, services.crash)


def test_a_door_attends_to_what_was_just_stored(till: Till):
    payment_id, wallet = till.pay(), Silent(SILENCE)

    desk_of(till, wallet).attend("payments", payment_id)

    payment = till.payment(payment_id)
    assert wallet.deeds == ["create"]
    assert (payment.in_doubt, payment.next_action) == (True, Deed.QUERY)


def test_a_door_leaves_alone_what_a_worker_has(till: Till):
    payment_id, wallet = due(till), Silent(SILENCE)
    till.claim()

    desk_of(till, wallet).attend("payments", payment_id)

    assert wallet.deeds == []


@pytest.mark.parametrize("callers", [8])
def test_many_doors_and_workers_send_one_payment_once(till: Till, callers: int):
    payment_id, wallet = due(till), Silent(SILENCE)
    desks = [desk_of(till, wallet) for _ in range(callers)]
    start = threading.Barrier(callers)

    def go(number: int) -> None:
        start.wait()
        if number % 2:
            desks[number].attend("payments", payment_id)
        else:
            for task in desks[number].exchange([], desks[number].claim(10)):
                desks[number].exchange([(task, desks[number].call(task))], [])

    threads = [threading.Thread(target=go, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wallet.deeds.count("create") == 1


def test_a_desk_frozen_before_its_call_sends_nothing(till: Till):
    due(till)
    wallet = Silent(SILENCE)
    desk = desk_of(till, wallet)
    (task,) = desk.claim(10) or till.claim()

    outcome = desk.call(task)

    assert (type(outcome).__name__, wallet.deeds) == ("NotSent", [])


def test_refunds_get_their_share_however_many_payments_are_due(till: Till):
    refund_id = till.refund(till.paid())
    for _ in range(12):
        till.pay()
    backdate(till)

    tasks = desk_of(till, Silent(SILENCE)).claim(6)

    assert len(tasks) == 6
    assert refund_id in {task.id for task in tasks}


def backdate(till: Till) -> None:
    """The product's own desk goes by the real clock: make everything due by that."""
    long_ago = till.now - timedelta(days=2)
    with till.services.engine.begin() as db:
        for work in till.works.values():
            table = work.table
            db.execute(table.update().where(table.c.next_action.is_not(None)).values(due_at=long_ago))


def test_what_a_desk_gives_back_is_free_at_once(till: Till):
    due(till)
    tasks = till.claim()

    with till.services.engine.begin() as db:
        release(db, tasks)

    assert len(till.claim()) == 1


def test_a_busy_gateway_slows_the_lane_for_everybody(till: Till):
    wallet = Silent(Busy("later", exchange=make.exchange(), retry_after=30.0))
    desk = desk_of(till, wallet)
    for _ in range(3):
        desk.attend("payments", till.pay())

    desk.attend("payments", till.pay())

    assert wallet.deeds == ["create"] * 3
