"""Stored times that a clock left behind which was ahead: they are brought back, and honest ones are left alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from customs.auth.models import FailedSignIn, IdempotentReply, UserSession
from customs.events.outbox import EventType
from customs.gateway import Busy, Unknown
from customs.lanes import breaker
from customs.lanes.models import Lane
from customs.ops.future_timestamps import BATCH_SIZE, TOLERANCE, correct_future_timestamps
from customs.payments.models import Payment
from customs.webhooks.models import Attempt, Delivery, Endpoint
from tests import make
from tests.payments.till import Till
from tests.product import Desk
from tests.webhooks.courier import Courier

AHEAD = timedelta(hours=8)
SOON = timedelta(minutes=30)


def repaired(desk: Desk) -> int:
    return correct_future_timestamps(desk.services.engine, desk.services.settings)


@pytest.fixture
def courier(desk: Desk) -> Courier:
    return Courier(desk.services)


def one(desk: Desk, model: type[Any]) -> Any:
    with desk.services.reading() as db:
        return db.scalars(select(model)).one()


def is_near(moment: datetime | None) -> bool:
    """Whether a time is of this test, whatever the machine is doing."""
    return moment is not None and abs(moment - datetime.now(UTC)) < SOON


def test_a_push_of_a_clock_that_was_ahead_is_due_at_once(desk: Desk):
    declaration_id = desk.declare()
    desk.wait(seconds=AHEAD.total_seconds())
    desk.work(lambda _: Unknown("no answer"))
    ahead = desk.push(declaration_id)
    assert ahead.due_at and ahead.sent_at and not (is_near(ahead.due_at) or is_near(ahead.sent_at))

    assert repaired(desk) == 1

    back = desk.push(declaration_id)
    assert all(map(is_near, (back.due_at, back.sent_at, back.budget_from)))
    assert repaired(desk) == 0


def test_a_lease_of_a_clock_that_was_ahead_ends_as_any_lease(desk: Desk):
    declaration_id = desk.declare()
    desk.wait(seconds=AHEAD.total_seconds())
    desk.send(desk.claim())

    assert repaired(desk) == 1

    back = desk.push(declaration_id)
    assert back.lease_until is not None
    assert timedelta() < back.lease_until - datetime.now(UTC) <= timedelta(seconds=desk.services.settings.lease_seconds)
    assert back.in_doubt is not None


def test_what_waits_as_long_as_it_may_is_left_alone(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: Busy("later", exchange=make.exchange(), retry_after=600.0))
    before = desk.push(declaration_id)

    assert repaired(desk) == 0
    assert desk.push(declaration_id).due_at == before.due_at


def test_more_rows_than_one_transaction_takes_are_all_brought_back(desk: Desk):
    at = datetime.now(UTC) + AHEAD
    with desk.services.transaction() as db:
        db.execute(insert(FailedSignIn), [{"who": str(n), "failures": 1, "last_at": at} for n in range(BATCH_SIZE + 1)])

    assert repaired(desk) == BATCH_SIZE + 1
    assert repaired(desk) == 0


def test_a_payment_of_a_clock_that_was_ahead_is_asked_for_at_once(desk: Desk):
    till = Till(desk.services, desk)
    payment_id = till.pay()
    with till.services.transaction() as db:
        db.execute(update(Payment).values(due_at=datetime.now(UTC) + AHEAD, sent_at=datetime.now(UTC) + AHEAD))

    assert repaired(desk) == 1

    assert is_near(till.payment(payment_id).due_at)


# How often it was tried, how far ahead it is due, and whether that is its own interval.
DELIVERIES = {"first": (0, AHEAD, False), "second": (1, AHEAD, False), "eighth": (8, AHEAD, True)}


@pytest.mark.parametrize(("attempt_count", "wait", "is_honest"), DELIVERIES.values(), ids=DELIVERIES)
def test_a_delivery_waits_for_its_own_interval_and_no_longer(
    desk: Desk, courier: Courier, attempt_count: int, wait: timedelta, is_honest: bool
):
    courier.listen("http://127.0.0.1:9/")
    courier.announce(EventType.DECLARATION_SUCCEEDED)
    courier.fan_out()
    with desk.services.transaction() as db:
        db.execute(update(Delivery).values(due_at=datetime.now(UTC) + wait, attempt_count=attempt_count))

    assert repaired(desk) == (0 if is_honest else 1)
    assert is_near(one(desk, Delivery).due_at) is not is_honest


@pytest.mark.parametrize("is_ahead", [True, False], ids=["failed in the future", "asked for patience"])
def test_an_endpoint_is_left_alone_only_as_long_as_it_asked(desk: Desk, courier: Courier, is_ahead: bool):
    """A receiver may ask for a day: only an attempt that lies in the future shows that a clock was wrong."""
    courier.listen("http://127.0.0.1:9/")
    courier.announce(EventType.DECLARATION_SUCCEEDED)
    courier.fan_out()
    now = datetime.now(UTC)
    with desk.services.transaction() as db:
        db.execute(update(Endpoint).values(failures=2, failing_since=now - SOON, held_until=now + AHEAD))
        db.execute(update(Delivery).values(attempt_count=2))
        delivery_id = db.scalars(select(Delivery.id)).one()
        at = now + AHEAD if is_ahead else now
        db.add(Attempt(delivery_id=delivery_id, at=at, url="http://127.0.0.1:9/", duration_ms=1))

    assert repaired(desk) == int(is_ahead)
    assert is_near(one(desk, Endpoint).held_until) is is_ahead


def test_a_lane_that_slowed_down_in_the_future_goes_on(desk: Desk):
    with desk.services.engine.begin() as db:
        slow = breaker.LaneReport(throttled=breaker.HOLDS_TO_SLOW)
        breaker.record_report(db, desk.lane, slow, datetime.now(UTC) + AHEAD)

    repaired(desk)

    assert is_near(one(desk, Lane).held_until)


# A row, its time, and whether it comes back.
KEPT: dict[str, tuple[Callable[[datetime], Any], str]] = {
    "a failed sign-in": (lambda at: FailedSignIn(who="x", failures=9, last_at=at), "last_at"),
    "a session": (
        lambda at: UserSession(
            id="ses_1",
            person_id="per_1",
            digest="d",
            code_given=False,
            browser="",
            created_at=at,
            last_seen_at=at,
            expires_at=at + timedelta(hours=12),
        ),
        "last_seen_at",
    ),
    "an idempotency key in use": (
        lambda at: IdempotentReply(
            caller="c", key="k", fingerprint="f", created_at=at, turn="t", holder="h:1", lease_until=at
        ),
        "lease_until",
    ),
}


@pytest.mark.parametrize(("made", "name"), KEPT.values(), ids=KEPT)
def test_nobody_waits_for_a_time_that_was_noted_ahead(desk: Desk, made: Callable[[datetime], Any], name: str):
    row = made(datetime.now(UTC) + AHEAD)
    with desk.services.transaction() as db:
        db.add(row)

    assert repaired(desk) == 1
    assert is_near(getattr(one(desk, type(row)), name))


def test_a_time_within_the_slack_is_left_alone(desk: Desk):
    row = FailedSignIn(who="x", failures=1, last_at=datetime.now(UTC) + TOLERANCE / 2)
    with desk.services.transaction() as db:
        db.add(row)

    assert repaired(desk) == 0
