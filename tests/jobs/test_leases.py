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
from customs.jobs.leases import SendDeadlines
from customs.payments.tasks.handler import PaymentTaskHandler
from customs.payments.tasks.payment_task import PaymentTask
from customs.timestamps import Clock
from customs.webhooks.delivery_handler import DeliveryHandler
from customs.webhooks.http_sender import Answer
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
def either_database(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


def deadlines(services: Services, clock: TestClock) -> SendDeadlines[str]:
    """Of a desk that marked one task just now."""
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


def telling(services: Services, clock: Clock) -> Any:
    courier = Courier(services)
    courier.listen("https://example.com/hook")
    courier.announce(EventType.PAYMENT_PAID)
    return DeliveryHandler(
        services.engine, services.settings, services.vault, services.failpoints, courier.sender, clock=clock
    )


EVERY_KIND = pytest.mark.parametrize(
    ("desk_of", "table", "unsent"),
    [
        pytest.param(declaring, "pushes", NotSent("no connection"), id="pushes"),
        pytest.param(paying, "payments", NotSent("no connection"), id="payments"),
        pytest.param(telling, "webhook_deliveries", Answer(error="no connection", was_sent=False), id="deliveries"),
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
    services: Services, clock: TestClock, desk_of: Callable[..., Any], table: str, unsent: Any
):
    desk = desk_of(services, clock)
    (task,) = desk.claim(10)
    clock.work(5.0)
    assert desk.claim(10) == []

    desk.release([task])

    clock.work(5.0)
    (again,) = desk.claim(10)
    assert (again.lease[0], again.lease[1]) == (task.lease[0], task.lease[1] + 1)


@EVERY_KIND
def test_a_lease_that_ended_is_anothers_and_the_first_can_neither_send_nor_record(
    services: Services, clock: TestClock, desk_of: Callable[..., Any], table: str, unsent: Any
):
    desk = desk_of(services, clock)
    (late,) = desk.claim(10)
    end_leases(services, table)
    clock.work(5.0)
    (task,) = desk.claim(10)
    held = lease_of(services, table)

    assert desk.record_and_send([], [late]) == []
    desk.record_and_send([(late, unsent)], [])
    desk.release([late])

    assert lease_of(services, table) == held
    assert desk.record_and_send([], [task]) == [task]


@EVERY_KIND
def test_an_extended_lease_goes_on(
    services: Services, clock: TestClock, desk_of: Callable[..., Any], table: str, unsent: Any
):
    desk = desk_of(services, clock)
    tasks = desk.claim(10)
    end_leases(services, table)

    desk.extend_leases(tasks)

    clock.work(5.0)
    assert desk.claim(10) == []


@EVERY_KIND
def test_what_was_recorded_is_held_by_nobody_and_is_recorded_once(
    services: Services, clock: TestClock, desk_of: Callable[..., Any], table: str, unsent: Any
):
    desk = desk_of(services, clock)
    (task,) = desk.record_and_send([], desk.claim(10))
    desk.record_and_send([(task, unsent)], [])
    assert lease_of(services, table) == (None, task.lease[1])

    desk.record_and_send([(task, unsent)], [])

    assert lease_of(services, table) == (None, task.lease[1])


@pytest.mark.parametrize("desk_of", [declaring, paying, telling])
def test_a_commit_that_took_as_long_as_the_lease_lets_nothing_leave(
    services: Services, clock: TestClock, desk_of: Callable[[Services, Clock], Any]
):
    desk = desk_of(services, clock)
    tasks = desk.claim(10)
    event.listen(services.engine, "commit", lambda _: clock.work(LEASE))

    (task,) = desk.record_and_send([], tasks)
    answer = desk.call(task)

    assert isinstance(answer, TooLate) or not answer.was_sent


def test_not_found_that_could_not_be_recorded_for_longer_than_the_grace_is_asked_again(
    services: Services, clock: TestClock
):
    desk = declaring(services, clock)
    (sent,) = desk.record_and_send([], desk.claim(10))
    desk.record_and_send([(sent, Unknown("lost"))], [])
    with services.engine.begin() as db:
        db.exec_driver_sql("UPDATE pushes SET due_at = '2020-01-01 00:00:00', sent_at = '2020-01-01 00:00:00'")
    (asked,) = desk.record_and_send([], desk.claim(10))
    clock.work(LEASE + 1.0)

    desk.record_and_send([(asked, NotFound("unheard of", exchange=None, status=404))], [])

    assert [task.action for task in desk.claim(10)] == []
    with services.reading() as db:
        push = db.scalars(select(Push)).one()
    assert (push.in_doubt, push.next_action) == (Action.SUBMIT, Action.QUERY)
