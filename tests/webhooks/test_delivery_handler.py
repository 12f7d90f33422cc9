"""Deliveries by the engine: signed, repeated with the same id, in turn; what each answer of an endpoint does."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from customs.events.outbox import EventType
from customs.webhooks.claim import ENDPOINTS
from customs.webhooks.models import DeliveryState
from tests import make
from tests.webhooks.courier import Courier
from tests.webhooks.receiver import Receiver, drip, hang, status

PAID, REFUNDED = EventType.PAYMENT_PAID, EventType.REFUND_SUCCEEDED


def test_the_standards_own_library_verifies_what_arrives(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID, payment_id="pay_1")

    courier.deliver()

    (heard,) = receiver.heard
    (event,) = courier.announced()
    assert heard.is_signed_with(courier.secret(endpoint_id))
    assert heard.id == event.id
    assert set(heard.payload) == {"type", "timestamp", "data"}
    assert (heard.payload["type"], heard.payload["data"]) == ("payment.paid", {"payment_id": "pay_1"})
    assert heard.headers["content-type"] == "application/json"
    delivery = courier.delivery(endpoint_id)
    assert (delivery.state, delivery.due_at, delivery.holder) == (DeliveryState.DELIVERED, None, None)
    assert [(one.status, one.error) for one in delivery.attempts] == [(204, None)]


def test_a_repeat_has_the_same_id_and_body_and_a_fresh_signature(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = status(500, "out of order")

    courier.deliver()
    courier.hurry()
    receiver.answer = status(200)
    courier.deliver()

    first, second = receiver.heard
    assert (first.id, first.body) == (second.id, second.body)
    assert all(one.is_signed_with(courier.secret(endpoint_id)) for one in receiver.heard)
    delivery = courier.delivery(endpoint_id)
    assert delivery.state is DeliveryState.DELIVERED
    assert [(one.status, one.response) for one in delivery.attempts] == [(500, "out of order"), (200, "")]
    assert courier.endpoint(endpoint_id).failures == 0


def test_a_failure_is_repeated_ten_times_and_then_given_up(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = status(500)

    for _attempt in range(12):
        courier.deliver()
        courier.hurry()

    assert len(receiver.heard) == 10
    assert courier.delivery(endpoint_id).state is DeliveryState.FAILED


def test_a_redirect_is_a_failure_and_is_not_followed(courier: Courier, receiver: Receiver, other: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = status(307, Location=other.url)

    courier.deliver()

    assert other.heard == []
    assert courier.delivery(endpoint_id).state is DeliveryState.WAITING
    assert courier.endpoint(endpoint_id).failures == 1


def test_410_pauses_an_endpoint_until_it_is_resumed(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = status(410)
    courier.deliver()
    courier.announce(REFUNDED)
    courier.deliver()
    reported_while_paused = receiver.types

    receiver.answer = status(200)
    courier.decide("resume", endpoint_id)
    courier.deliver()

    assert reported_while_paused == ["payment.paid"]
    assert receiver.types == ["payment.paid", "refund.succeeded"]
    gone, delivered = courier.deliveries(endpoint_id)
    assert (gone.state, delivered.state) == (DeliveryState.FAILED, DeliveryState.DELIVERED)
    assert courier.endpoint(endpoint_id).paused_at is None


def test_an_endpoint_that_only_failed_for_days_is_paused_and_says_why(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID, REFUNDED)
    receiver.answer = status(500)
    courier.deliver()
    with courier.services.engine.begin() as db:
        db.execute(update(ENDPOINTS).values(failing_since=datetime.now(UTC) - timedelta(days=5, minutes=1)))
    courier.hurry()

    courier.deliver()

    endpoint = courier.endpoint(endpoint_id)
    assert endpoint.paused_at is not None
    assert endpoint.paused_why == "nothing reached it for 5 days"
    assert {one.due_at for one in courier.deliveries(endpoint_id)} == {None}


@pytest.mark.parametrize("hanging", [hang, drip])
def test_an_endpoint_that_hangs_costs_one_timeout(courier: Courier, receiver: Receiver, hanging):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = hanging(receiver)

    (answer,) = courier.deliver()

    assert answer.status is None
    assert answer.duration_ms > 900
    assert courier.delivery(endpoint_id).attempts[0].error.startswith("the answer was lost")


def test_nobody_at_home_is_a_failure(courier: Courier):
    endpoint_id = courier.listen("http://127.0.0.1:9/")
    courier.announce(PAID)

    courier.deliver()

    assert [one.error for one in courier.delivery(endpoint_id).attempts] == ["not connected"]


@pytest.mark.parametrize("code", [429, 503])
def test_who_says_when_is_reported_no_sooner(courier: Courier, receiver: Receiver, code: int):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = status(code, Retry_After="3600")

    courier.deliver()

    soon = datetime.now(UTC) + timedelta(minutes=59)
    assert courier.delivery(endpoint_id).due_at > soon
    assert courier.endpoint(endpoint_id).held_until > soon


def test_a_long_answer_is_cut_off(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    receiver.answer = status(200, "x" * 1_000_000)

    courier.deliver()

    (attempt,) = courier.delivery(endpoint_id).attempts
    assert (attempt.status, attempt.response) == (200, "x" * 2000)


def test_each_endpoint_gets_what_it_asked_for(courier: Courier, receiver: Receiver, other: Receiver):
    courier.listen(receiver.url, PAID)
    courier.listen(other.url, by=make.caller("M2"))
    courier.announce(PAID, REFUNDED, merchant_no="M1")
    courier.announce(REFUNDED, merchant_no="M2")
    courier.announce(EventType.LANE_STOPPED, merchant_no=None)

    courier.deliver()

    assert receiver.types == ["payment.paid"]
    assert sorted(other.types) == ["lane.stopped", "refund.succeeded"]


def test_what_was_announced_before_an_endpoint_was_made_is_not_sent_there(courier: Courier, receiver: Receiver):
    courier.announce(PAID)
    courier.fan_out()

    courier.listen(receiver.url)
    courier.deliver()

    assert receiver.heard == []


def test_both_secrets_sign_while_they_are_rotated(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    old = courier.secret(endpoint_id)

    courier.decide("rotate", endpoint_id)
    courier.announce(PAID)
    courier.deliver()
    with courier.services.engine.begin() as db:
        db.execute(update(ENDPOINTS).values(previous_until=datetime.now(UTC)))
    courier.announce(REFUNDED)
    courier.deliver()

    new = courier.secret(endpoint_id)
    during, after = receiver.heard
    assert old != new
    assert (during.is_signed_with(old), during.is_signed_with(new)) == (True, True)
    assert (after.is_signed_with(old), after.is_signed_with(new)) == (False, True)


def test_what_was_resent_has_the_id_it_had(courier: Courier, receiver: Receiver):
    endpoint_id = courier.listen(receiver.url)
    courier.announce(PAID)
    courier.deliver()

    courier.decide("resend", courier.announced()[0].id, endpoint_id)
    courier.deliver()

    first, second = receiver.heard
    assert first.id == second.id
    assert len(courier.delivery(endpoint_id).attempts) == 2
