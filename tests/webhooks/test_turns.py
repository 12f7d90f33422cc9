"""Who records, who waits and who does not: fences, leases, turns of endpoints, and what the clock rings for."""

from datetime import UTC, datetime

from customs.events.outbox import EventType
from customs.jobs.dispatcher import Dispatcher
from customs.webhooks.http_sender import Answer
from customs.webhooks.models import DeliveryState
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver, hang, status
from workers import clock

PAID, REFUNDED = EventType.PAYMENT_PAID, EventType.REFUND_SUCCEEDED


def test_an_answer_under_a_fence_that_is_over_is_not_recorded(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    slow, tasks = courier.claim()
    courier.hurry()
    courier.deliver()

    slow.record_and_send([(tasks[0], Answer(status=500))], [])

    delivery = courier.delivery(endpoint_id)
    assert delivery.state is DeliveryState.DELIVERED
    assert [one.status for one in delivery.attempts] == [204]


def test_a_process_that_was_frozen_before_it_sent_does_not_send(courier: Courier, receiver: Receiver):
    courier.listen(receiver.url)
    courier.announce(PAID)
    desk = courier.desk()
    (task,) = desk.claim(10)

    answer = desk.call(task)
    desk.record_and_send([(task, answer)], [])
    courier.deliver()

    assert answer.was_sent is False
    assert len(receiver.heard) == 1


def test_of_a_delivery_that_one_process_holds_twice_only_the_newer_leaves(courier: Courier, receiver: Receiver):
    courier.listen(receiver.url)
    courier.announce(PAID)
    desk = courier.desk()
    outlived = desk.claim(10)
    courier.hurry()
    newer = desk.claim(10)

    assert desk.record_and_send([], [*outlived, *newer]) == newer


def test_few_requests_of_one_endpoint_are_in_the_air_at_once(courier: Courier, receiver: Receiver, other: Receiver):
    slow = courier.listen(receiver.url, PAID)
    courier.listen(other.url, REFUNDED)
    courier.announce(*[PAID] * 20, *[REFUNDED] * 2)

    _, first = courier.claim()
    _, second = courier.claim()

    assert sum(task.endpoint_id == slow for task in first) == 4
    assert len(first) == 6
    assert second == []


def test_an_endpoint_that_hangs_keeps_neither_others_nor_their_threads(courier: Courier, receiver, other: Receiver):
    courier.listen(receiver.url, PAID)
    courier.listen(other.url, REFUNDED)
    receiver.answer = hang(receiver)
    courier.announce(*[PAID] * 30, *[REFUNDED] * 12)
    engine = Dispatcher(courier.desk(), 16)

    engine.drain(3.0)
    engine.close()

    assert len(other.heard) == 12
    assert len(receiver.heard) <= 6


def test_the_clock_rings_for_what_was_announced_and_for_what_is_due(courier: Courier, receiver: Receiver):
    def due() -> bool:
        with courier.services.reading() as db:
            return clock.has_due_work(db, datetime.now(UTC))

    courier.listen(receiver.url)
    quiet = due()
    courier.announce(PAID)
    announced = due()
    courier.fan_out()
    spread = due()
    receiver.answer = status(410)
    courier.deliver()

    assert (quiet, announced, spread, due()) == (False, True, True, False)
