"""Claim, mark, record: who may send, who may record, and what a crash in between leaves behind."""

from datetime import timedelta

from customs.gateway import NotFound, Unknown
from customs.payments.states import Status
from customs.payments.tasks.task import TaskAction, extend, release
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
    assert (task.id, task.action, task.row["in_doubt"]) == (payment_id, TaskAction.SEND, False)


def test_what_was_marked_is_asked_for_after_the_lease(till: Till):
    due(till)
    till.send(till.claim())

    till.wait(seconds=LEASE.total_seconds() + 1)

    (task,) = till.claim()
    assert (task.action, task.row["in_doubt"]) == (TaskAction.QUERY, True)


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
    assert (task.id, task.action) == (payment_id, TaskAction.SEND)


# An unknown outcome: asked for, and sent again only after the grace.


def test_a_lost_reply_is_asked_for_and_found(till: Till):
    payment_id = due(till)
    till.do(payment_id, SILENCE)

    act = till.do(payment_id, order_reply("PAID", payment_no="P1"))

    assert act is TaskAction.QUERY
    assert till.payment(payment_id).status is Status.PAID


def test_a_lost_request_is_sent_again_only_after_the_grace(till: Till):
    payment_id = due(till)
    till.do(payment_id, SILENCE)
    sent_at = till.now

    while till.payment(payment_id).next_action is TaskAction.QUERY:
        till.work(lambda _: ABSENT, after=1)

    grace = till.services.settings.unknown_grace_seconds
    assert timedelta(0) <= till.now - sent_at - timedelta(seconds=grace) < timedelta(seconds=2)


def test_a_code_shown_once_is_never_sent_twice(till: Till):
    payment_id = till.pay(method="scan_pay", auth_code="135605691981176449")
    actions = []

    while till.payment(payment_id).next_action:
        actions += [
            task.action
            for task in till.work(lambda task: SILENCE if task.action is TaskAction.SEND else ABSENT, after=60)
        ]

    assert actions.count(TaskAction.SEND) == 1
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


def test_what_somebody_else_took_over_does_not_leave_a_second_time(till: Till):
    due(till)
    slow = till.claim()
    till.wait(seconds=LEASE.total_seconds() + 1)
    taken_over = till.claim(holder="there:2")

    assert till.send(slow) == []
    assert till.send(taken_over) == taken_over


def test_a_worker_that_lost_its_lease_does_not_free_the_next_ones(till: Till):
    due(till)
    slow = till.claim()
    till.wait(seconds=LEASE.total_seconds() + 1)
    till.claim(holder="there:2")

    with till.services.engine.begin() as db:
        release(db, slow)

    assert till.claim() == []


def test_a_lease_can_be_made_longer(till: Till):
    due(till)
    tasks = till.claim()

    with till.services.engine.begin() as db:
        extend(db, tasks, till.now + 3 * LEASE)
    till.wait(seconds=2 * LEASE.total_seconds())

    assert till.claim() == []
