"""The engine with a handler of plain lists: how much is in the air, what a failing database costs, and how it stops."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from customs.jobs.dispatcher import Dispatcher

THREADS = 4
SECONDS = 120.0


class DatabaseAway(Exception):
    """What the database raises, for this test."""


class ListHandler:
    """Tasks are numbers; due ones lie in a list, and everything that happens to them is counted."""

    def __init__(self, due: int = 0, call_seconds: float = 0.001) -> None:
        self.due = deque(range(due))
        self.call_seconds = call_seconds
        self.claims: list[int] = []
        self.outstanding: set[int] = set()
        self.most_outstanding = 0
        self.called: Counter[int] = Counter()
        self.recorded: Counter[int] = Counter()
        self.given_back: list[int] = []
        self.renewed: list[set[int]] = []
        self.failing = {"claim": 0, "exchange": 0}
        self.refused: set[int] = set()
        self.follow_ups: dict[int, int] = {}
        self.exchanging = threading.Event()
        self.side_by_side: threading.Barrier | None = None
        self.answering = threading.Event()
        self.answering.set()

    def claim(self, room: int) -> list[int]:
        self._fail("claim")
        self.claims.append(room)
        return [self.due.popleft() for _ in range(min(room, len(self.due)))]

    def record_and_send(self, answered: Sequence[tuple[int, str]], leaving: Sequence[int]) -> list[int]:
        self.exchanging.set()
        self._fail("exchange")
        for task, answer in answered:
            assert answer == f"answer to {task}"
            self.recorded[task] += 1
            self.outstanding.remove(task)
            if task in self.follow_ups:
                self.due.append(self.follow_ups[task])
        allowed = [task for task in leaving if task not in self.refused]
        self.outstanding.update(allowed)
        self.most_outstanding = max(self.most_outstanding, len(self.outstanding))
        return allowed

    def call(self, task: int) -> str:
        self.answering.wait()
        if self.side_by_side:
            self.side_by_side.wait()
        time.sleep(self.call_seconds)
        self.called[task] += 1
        return f"answer to {task}"

    def extend_leases(self, leased: Sequence[int]) -> None:
        self.renewed.append(set(leased))
        self.answering.set()

    def release(self, reserved: Sequence[int]) -> None:
        self.given_back += reserved

    def _fail(self, step: str) -> None:
        if self.failing[step]:
            self.failing[step] -= 1
            raise DatabaseAway(step)


@contextmanager
def running(handler: ListHandler) -> Iterator[Dispatcher[int, str]]:
    with closing(Dispatcher(handler, THREADS)) as engine:
        yield engine


def drain_until_it_works(engine: Dispatcher[int, str]) -> int:
    """As a worker does: the database was away, so drain again."""
    recorded = 0
    for _ in range(50):
        try:
            return recorded + engine.drain(SECONDS)
        except DatabaseAway:
            continue
    raise AssertionError("the engine never came to its end")


def test_everything_due_is_called_once_and_recorded_once():
    handler = ListHandler(due=200)

    with running(handler) as engine:
        recorded = engine.drain(SECONDS)

    assert recorded == 200
    assert handler.called == handler.recorded == Counter(range(200))
    assert handler.given_back == []


def test_nothing_due_is_one_claim_and_no_more():
    handler = ListHandler()

    with running(handler) as engine:
        recorded = engine.drain(SECONDS)

    assert (recorded, len(handler.claims)) == (0, 1)


def test_each_thread_has_at_most_one_call_in_the_air_and_one_behind_it():
    handler = ListHandler(due=150)

    with running(handler) as engine:
        engine.drain(SECONDS)

    assert THREADS < handler.most_outstanding <= 2 * THREADS


def test_calls_go_out_side_by_side():
    handler = ListHandler(due=THREADS * 4)
    # Each call waits until as many are in the air as there are threads.
    handler.side_by_side = threading.Barrier(THREADS, timeout=SECONDS)

    with running(handler) as engine:
        engine.drain(SECONDS)

    assert sum(handler.recorded.values()) == THREADS * 4
    assert not handler.side_by_side.broken


def test_what_an_answer_makes_due_is_done_in_the_same_drain():
    handler = ListHandler(due=1)
    handler.follow_ups = {0: 1000, 1000: 2000}

    with running(handler) as engine:
        recorded = engine.drain(SECONDS)

    assert (recorded, set(handler.recorded)) == (3, {0, 1000, 2000})


def test_what_may_not_leave_is_let_go():
    handler = ListHandler(due=30)
    handler.refused = set(range(0, 30, 3))

    with running(handler) as engine:
        engine.drain(SECONDS)

    assert handler.called == Counter(set(range(30)) - handler.refused)


@pytest.mark.parametrize("due", [5, 500], ids=["a few", "many"])
def test_a_colleague_is_called_once_when_there_is_more_than_one_can_hold(due: int):
    handler = ListHandler(due=due)
    calls: list[bool] = []

    with running(handler) as engine:
        engine.drain(SECONDS, on_backlog=lambda: calls.append(True))

    assert len(calls) == (1 if due == 500 else 0)


# A database that fails in between.


@pytest.mark.parametrize("step", ["claim", "exchange"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_failing_database_loses_nothing_and_nothing_is_called_twice(step: str, times: int):
    handler = ListHandler(due=60)
    handler.failing[step] = times

    with running(handler) as engine:
        with pytest.raises(DatabaseAway):
            engine.drain(SECONDS)
        drain_until_it_works(engine)

    assert handler.called == handler.recorded == Counter(range(60))


def test_answers_that_came_while_the_database_was_away_are_recorded_afterwards():
    handler = ListHandler(due=60)
    handler.call_seconds = 0.02

    with running(handler) as engine:
        fail_in_the_middle(handler, lambda: engine.drain(SECONDS))
        time.sleep(0.1)
        drain_until_it_works(engine)

    assert handler.called == handler.recorded == Counter(range(60))


def test_reserved_tasks_keep_their_order_through_a_failure():
    handler = ListHandler(due=20)
    left: list[int] = []
    plain = handler.record_and_send

    def record_and_send(answered, leaving):
        allowed = plain(answered, leaving)
        left.extend(allowed)
        return allowed

    handler.record_and_send = record_and_send  # type: ignore[method-assign]
    handler.failing["exchange"] = 1
    with running(handler) as engine:
        drain_until_it_works(engine)

    assert left == list(range(20))


def fail_in_the_middle(handler: ListHandler, drain: Callable[[], object]) -> None:
    """Drain with a database that goes away once the first calls are in the air."""
    breaker = threading.Timer(0.05, lambda: handler.failing.update(exchange=2))
    breaker.start()
    with pytest.raises(DatabaseAway):
        drain()
    breaker.join()


# Stopping.


def test_who_is_asked_to_stop_gives_back_what_was_reserved_and_records_what_is_in_the_air():
    handler = ListHandler(due=1000, call_seconds=0.05)

    with running(handler) as engine:
        recorded = engine.drain(SECONDS, stopping=handler.exchanging.is_set)

    assert handler.given_back
    assert handler.outstanding == set()
    assert recorded == sum(handler.called.values()) == sum(handler.recorded.values())
    assert not set(handler.given_back) & set(handler.called)
    assert sorted([*handler.given_back, *handler.called, *handler.due]) == list(range(1000))


def test_when_its_time_is_over_it_claims_no_more():
    handler = ListHandler(due=100_000, call_seconds=0.01)

    with running(handler) as engine:
        engine.drain(0.2)

    assert handler.due
    assert handler.outstanding == set()
    assert len(handler.called) + len(handler.given_back) + len(handler.due) == 100_000


def test_a_second_drain_goes_on_where_the_first_one_stopped():
    handler = ListHandler(due=300)

    with running(handler) as engine:
        engine.drain(SECONDS, stopping=lambda: True)
        handler.due.extend(handler.given_back)
        engine.drain(SECONDS)

    assert handler.recorded == Counter(range(300))


def test_leases_of_all_that_is_leased_are_renewed_while_a_call_takes_long():
    handler = ListHandler(due=3 * THREADS)
    handler.answering.clear()

    with running(handler) as engine:
        engine.drain(SECONDS)

    assert handler.renewed[0] == set(range(3 * THREADS))
