"""Leases of every kind of work: one holder at a time, by fence; and deadlines, past which nothing is sent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from customs.container import Services
from customs.db import database
from customs.declarations.models import Push
from customs.declarations.pushes.handler import PushHandler
from customs.declarations.states import Action
from customs.events.outbox import EventType
from customs.gateway import NotFound, NotSent, TooLate, Unknown
from customs.jobs.leases import SendDeadlines, free_leases
from customs.payments.models import Payment, Refund
from customs.payments.tasks.handler import PaymentTaskHandler
from customs.payments.tasks.payment_task import PaymentTask
from customs.payments.tasks.refund_task import RefundTask
from customs.timestamps import Clock
from customs.webhooks.delivery_handler import DeliveryHandler
from customs.webhooks.http_sender import Answer
from customs.webhooks.models import Delivery
from tests.payments.till import Till
from tests.product import Desk
from tests.webhooks.courier import Courier

LEASE, CALL = 60.0, 15.0
ALL_OF_IT = 44.0


class TestClock(Clock):
    """A machine whose two clocks are set by the test."""

    __test__ = False

    def __init__(self) -> None:
        self.awake, self.shown = 0.0, 0.0

    def monotonic(self) -> float:
        return self.awake

    def wall(self) -> float:
        return self.shown

    def work(self, seconds: float) -> None:
        self.awake += seconds
        self.shown += seconds


@pytest.fixture
def database_url(either_database: str) -> str:
    """Leases are rows that both databases lock."""
    return either_database


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


def deadlines(services: Services, clock: TestClock) -> SendDeadlines[str]:
    """Return the deadlines of a process that marked one task just now."""
    made: SendDeadlines[str] = SendDeadlines(services.engine, LEASE, CALL, clock)
    with services.engine.connect() as db:
        made.set(["task"], made.start(), database.now(db))
    return made


def at_the_database(services: Services, seconds: float) -> None:
    """Let the database's clock be so much ahead from now on."""
    services.engine.update_execution_options(now=lambda: datetime.now(UTC) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("worked", "slept", "passed", "over"),
    [
        pytest.param(0.0, 0.0, 0.0, False, id="just marked"),
        pytest.param(10.0, 0.0, 10.0, False, id="waited for its thread"),
        pytest.param(ALL_OF_IT, 0.0, ALL_OF_IT, True, id="waited too long"),
        pytest.param(0.1, ALL_OF_IT, ALL_OF_IT, True, id="the machine slept"),
        pytest.param(10.0, 0.0, ALL_OF_IT, True, id="the machine was stopped with both its clocks"),
        pytest.param(0.1, 3600.0, 0.1, False, id="somebody set the clock"),
    ],
)
def test_it_is_too_late_when_any_clock_that_counts_says_so(
    services: Services, clock: TestClock, worked: float, slept: float, passed: float, over: bool
):
    made = deadlines(services, clock)

    clock.work(worked)
    clock.shown += slept
    at_the_database(services, passed)

    assert made.is_over("task") is over


def test_what_was_not_marked_is_never_sent(services: Services, clock: TestClock):
    made = deadlines(services, clock)
    made.forget(["task"])

    assert made.is_over("task")


def test_when_nobody_can_say_how_late_it_is_nothing_is_sent(services: Services, clock: TestClock):
    made = SendDeadlines[str](database.connect("sqlite:////nowhere/at/all.db"), LEASE, CALL, clock)
    with services.engine.connect() as db:
        made.set(["task"], made.start(), database.now(db))
    clock.work(5.0)

    assert made.is_over("task")


def declaring(services: Services, clock: Clock) -> Any:
    Desk(services).declare()
    return PushHandler(services.engine, services.settings, services.vault, {}, services.failpoints, clock=clock)


def paying(services: Services, clock: Clock) -> Any:
    till = Till(services, Desk(services))
    till.pay()
    with services.engine.begin() as db:
        db.exec_driver_sql("UPDATE payments SET due_at = '2020-01-01 00:00:00'")
    work = PaymentTask(services.wallets, services.vault, services.declarations, services.settings)
    return PaymentTaskHandler(services.engine, services.settings, [work], services.failpoints, clock=clock)


def refunding(services: Services, clock: Clock) -> Any:
    till = Till(services, Desk(services))
    till.refund(till.paid())
    with services.engine.begin() as db:
        db.exec_driver_sql("UPDATE refunds SET due_at = '2020-01-01 00:00:00'")
    work = RefundTask(services.wallets, services.declarations, services.settings)
    return PaymentTaskHandler(services.engine, services.settings, [work], services.failpoints, clock=clock)


def delivering(services: Services, clock: Clock) -> Any:
    courier = Courier(services)
    courier.listen("https://example.com/hook")
    courier.announce(EventType.PAYMENT_PAID)
    courier.fan_out()
    return DeliveryHandler(
        services.engine, services.settings, services.vault, services.failpoints, courier.sender, clock=clock
    )


EVERY_KIND = pytest.mark.parametrize(
    ("handler_of", "table", "unsent"),
    [
        pytest.param(declaring, "pushes", NotSent("no connection"), id="pushes"),
        pytest.param(paying, "payments", NotSent("no connection"), id="payments"),
        pytest.param(refunding, "refunds", NotSent("no connection"), id="refunds"),
        pytest.param(delivering, "webhook_deliveries", Answer(error="no connection", was_sent=False), id="deliveries"),
    ],
)


def lease_of(services: Services, table: str) -> tuple[str | None, int]:
    """The holder and the fence of the only row."""
    with services.engine.connect() as db:
        return tuple(db.exec_driver_sql(f"SELECT holder, fence FROM {table}").one())


def end_leases(services: Services, table: str) -> None:
    with services.engine.begin() as db:
        db.exec_driver_sql(f"UPDATE {table} SET lease_until = '2020-01-01 00:00:00'")


@EVERY_KIND
def test_what_is_leased_is_nobody_elses_until_it_is_released(
    services: Services, clock: TestClock, handler_of: Callable[..., Any], table: str, unsent: Any
):
    handler = handler_of(services, clock)
    (task,) = handler.claim(10)
    clock.work(5.0)
    assert handler.claim(10) == []

    handler.release([task])

    clock.work(5.0)
    (again,) = handler.claim(10)
    assert (again.lease[0], again.lease[1]) == (task.lease[0], task.lease[1] + 1)


@EVERY_KIND
def test_a_lease_that_ended_is_anothers_and_the_first_can_neither_send_nor_record(
    services: Services, clock: TestClock, handler_of: Callable[..., Any], table: str, unsent: Any
):
    handler = handler_of(services, clock)
    (late,) = handler.claim(10)
    end_leases(services, table)
    clock.work(5.0)
    (task,) = handler.claim(10)
    leased = lease_of(services, table)

    assert handler.record_and_send([], [late]) == []
    handler.record_and_send([(late, unsent)], [])
    handler.release([late])

    assert lease_of(services, table) == leased
    assert handler.record_and_send([], [task]) == [task]


@pytest.mark.parametrize("either_database", ["postgresql"], indirect=True)
@EVERY_KIND
def test_a_claim_passes_by_what_somebody_else_has_locked(
    services: Services, clock: TestClock, handler_of: Callable[..., Any], table: str, unsent: Any
):
    handler = handler_of(services, clock)
    with services.engine.connect() as another:
        another.exec_driver_sql(f"SELECT id FROM {table} FOR UPDATE").all()
        event.listen(services.engine, "begin", lambda db: db.exec_driver_sql("SET LOCAL lock_timeout = '20ms'"))

        assert handler.claim(10) == []

    clock.work(5.0)
    assert len(handler.claim(10)) == 1


@EVERY_KIND
def test_a_lease_freed_for_a_dead_process_is_anothers_at_once(
    services: Services, clock: TestClock, handler_of: Callable[..., Any], table: str, unsent: Any
):
    handler = handler_of(services, clock)
    (task,) = handler.record_and_send([], handler.claim(10))
    lease_owner, _ = lease_of(services, table)

    with services.transaction() as db:
        free_leases(db, [Push, Payment, Refund, Delivery], [lease_owner], database.now(db))

    assert lease_of(services, table)[0] is None
    handler.record_and_send([(task, unsent)], [])
    assert lease_of(services, table) == (None, task.lease[1])


@EVERY_KIND
def test_an_extended_lease_goes_on(
    services: Services, clock: TestClock, handler_of: Callable[..., Any], table: str, unsent: Any
):
    handler = handler_of(services, clock)
    tasks = handler.claim(10)
    end_leases(services, table)

    handler.extend_leases(tasks)

    clock.work(5.0)
    assert handler.claim(10) == []


@EVERY_KIND
def test_what_was_recorded_is_leased_by_nobody_and_is_recorded_once(
    services: Services, clock: TestClock, handler_of: Callable[..., Any], table: str, unsent: Any
):
    handler = handler_of(services, clock)
    (task,) = handler.record_and_send([], handler.claim(10))
    handler.record_and_send([(task, unsent)], [])
    assert lease_of(services, table) == (None, task.lease[1])

    handler.record_and_send([(task, unsent)], [])

    assert lease_of(services, table) == (None, task.lease[1])


@pytest.mark.parametrize("handler_of", [declaring, paying, delivering])
def test_a_commit_that_took_as_long_as_the_lease_lets_nothing_leave(
    services: Services, clock: TestClock, handler_of: Callable[[Services, Clock], Any]
):
    handler = handler_of(services, clock)
    tasks = handler.claim(10)
    event.listen(services.engine, "commit", lambda _: clock.work(LEASE))

    (task,) = handler.record_and_send([], tasks)
    answer = handler.call(task)

    assert isinstance(answer, TooLate) or not answer.was_sent


def test_not_found_that_could_not_be_recorded_for_longer_than_the_grace_is_asked_again(
    services: Services, clock: TestClock
):
    handler = declaring(services, clock)
    (sent,) = handler.record_and_send([], handler.claim(10))
    handler.record_and_send([(sent, Unknown("lost"))], [])
    with services.engine.begin() as db:
        db.exec_driver_sql("UPDATE pushes SET due_at = '2020-01-01 00:00:00', sent_at = '2020-01-01 00:00:00'")
    (asked,) = handler.record_and_send([], handler.claim(10))
    clock.work(LEASE + 1.0)

    handler.record_and_send([(asked, NotFound("unheard of", exchange=None, status=404))], [])

    assert [task.action for task in handler.claim(10)] == []
    with services.reading() as db:
        push = db.scalars(select(Push)).one()
    assert (push.in_doubt, push.next_action) == (Action.SUBMIT, Action.QUERY)
