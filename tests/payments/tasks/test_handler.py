"""The product's own desk with nobody at the other end: doors that attend, workers, and many at once."""

import threading

import pytest

from customs.gateway import Busy, Unknown
from customs.payments.tasks.task import TaskAction, release
from tests import make
from tests.payments.till import Silent, Till, backdate, desk_of

SILENCE = Unknown("lost")


def due(till: Till) -> str:
    """A payment that is due to be sent."""
    payment_id = till.pay()
    till.wait(seconds=5)
    return payment_id


def test_a_door_attends_to_what_was_just_stored(till: Till):
    payment_id, wallet = till.pay(), Silent(SILENCE)

    desk_of(till, wallet).run_now("payments", payment_id)

    payment = till.payment(payment_id)
    assert wallet.actions == ["create"]
    assert (payment.in_doubt, payment.next_action) == (True, TaskAction.QUERY)


def test_a_door_leaves_alone_what_a_worker_has(till: Till):
    payment_id, wallet = due(till), Silent(SILENCE)
    till.claim()

    desk_of(till, wallet).run_now("payments", payment_id)

    assert wallet.actions == []


def test_of_a_task_that_one_process_leases_twice_only_the_newer_leaves(till: Till):
    due(till)
    outlived = till.claim()
    till.wait(seconds=61)
    newer = till.claim()

    assert till.send([*outlived, *newer]) == newer


@pytest.mark.parametrize("callers", [8])
def test_many_doors_and_workers_send_one_payment_once(till: Till, callers: int):
    payment_id, wallet = due(till), Silent(SILENCE)
    job_handlers = [desk_of(till, wallet) for _ in range(callers)]
    start = threading.Barrier(callers)

    def go(number: int) -> None:
        start.wait()
        if number % 2:
            job_handlers[number].run_now("payments", payment_id)
        else:
            for task in job_handlers[number].record_and_send([], job_handlers[number].claim(10)):
                job_handlers[number].record_and_send([(task, job_handlers[number].call(task))], [])

    threads = [threading.Thread(target=go, args=(number,)) for number in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wallet.actions.count("create") == 1


def test_a_desk_frozen_before_its_call_sends_nothing(till: Till):
    due(till)
    wallet = Silent(SILENCE)
    desk = desk_of(till, wallet)
    (task,) = desk.claim(10) or till.claim()

    outcome = desk.call(task)

    assert (type(outcome).__name__, wallet.actions) == ("TooLate", [])


def test_refunds_get_their_share_however_many_payments_are_due(till: Till):
    refund_id = till.refund(till.paid())
    for _ in range(12):
        till.pay()
    backdate(till)

    tasks = desk_of(till, Silent(SILENCE)).claim(6)

    assert len(tasks) == 6
    assert refund_id in {task.id for task in tasks}


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
        desk.run_now("payments", till.pay())

    desk.run_now("payments", till.pay())

    assert wallet.actions == ["create"] * 3
