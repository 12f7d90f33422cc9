"""Several handlers at once: each with threads of its own, whatever becomes of another's calls."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from customs.jobs.dispatcher import JobHandlers, StaffedHandler

SECONDS = 30.0


class Counted:
    """A handler with so many tasks, named after it; its calls answer when `answering` is set."""

    def __init__(self, name: str, tasks: int) -> None:
        self.waiting = [f"{name}{number}" for number in range(tasks)]
        self.recorded: list[tuple[str, str]] = []
        self.given_back: list[str] = []
        self.answering = threading.Event()
        self.answering.set()
        self.makes_due: tuple[Counted, str] | None = None
        self.fails = 0

    def claim(self, room: int) -> list[str]:
        if self.fails:
            self.fails -= 1
            raise OSError("the database is away")
        taken, self.waiting = self.waiting[:room], self.waiting[room:]
        return taken

    def record_and_send(self, answered, leaving):
        self.recorded += answered
        if answered and self.makes_due:
            other, task = self.makes_due
            other.waiting.append(task)
            self.makes_due = None
        return list(leaving)

    def call(self, task: str) -> str:
        self.answering.wait()
        return task.upper()

    def extend_leases(self, leased) -> None:
        pass

    def release(self, reserved) -> None:
        self.given_back += reserved


@pytest.fixture
def hanging() -> Iterator[Counted]:
    """A handler whose calls hang until the test is over."""
    handler = Counted("hangs", 20)
    handler.answering.clear()
    yield handler
    handler.answering.set()


def test_every_handler_is_drained():
    first, second = Counted("a", 30), Counted("b", 20)

    with closing(JobHandlers(StaffedHandler(first, 4), StaffedHandler(second, 1))) as job_handlers:
        recorded = job_handlers.drain(SECONDS)

    assert recorded == 50
    assert sorted(first.recorded) == sorted((f"a{n}", f"A{n}") for n in range(30))
    assert sorted(second.recorded) == sorted((f"b{n}", f"B{n}") for n in range(20))


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_one_kind_of_work_never_takes_the_threads_of_another(hanging: Counted, threads: int):
    """All of one is recorded, and what falls due meanwhile too, while nothing of the other comes back."""
    handler = Counted("goes on", 40)

    with closing(JobHandlers(StaffedHandler(handler, threads), StaffedHandler(hanging, threads))) as job_handlers:
        drain = threading.Thread(target=job_handlers.drain, args=(SECONDS,))
        drain.start()
        wait_until(lambda: len(handler.recorded) == 40)
        handler.waiting.append("due later")
        wait_until(lambda: len(handler.recorded) == 41)
        hung = list(hanging.recorded)
        hanging.answering.set()
        drain.join(SECONDS)

    assert hung == []
    assert len(hanging.recorded) == 20


def test_who_hangs_when_the_time_is_over_is_not_waited_for_and_nothing_is_called_twice(hanging: Counted):
    handler = Counted("goes on", 1)

    with closing(JobHandlers(StaffedHandler(handler, 2), StaffedHandler(hanging, 2))) as job_handlers:
        job_handlers.drain(0.0)
        handler.waiting.append("due later")
        job_handlers.drain(0.0)
        wait_until(lambda: len(handler.recorded) == 2)
        hanging.answering.set()
        job_handlers.drain(SECONDS)

    assert sorted(task for task, _ in hanging.recorded) == sorted(f"hangs{n}" for n in range(20))


def test_what_one_handler_makes_due_at_another_is_done_in_the_same_drain():
    receiver, handler = Counted("webhooks", 0), Counted("a", 1)
    handler.makes_due = receiver, "the end of it"

    with closing(JobHandlers(StaffedHandler(handler, 1), StaffedHandler(receiver, 1))) as job_handlers:
        job_handlers.drain(SECONDS)

    assert [task for task, _ in receiver.recorded] == ["the end of it"]


def test_a_database_that_fails_is_reported_and_the_next_drain_goes_on():
    first, second = Counted("a", 3), Counted("b", 3)
    first.fails = 1

    with closing(JobHandlers(StaffedHandler(first, 1), StaffedHandler(second, 1))) as job_handlers:
        with pytest.raises(OSError, match="away"):
            job_handlers.drain(SECONDS)
        job_handlers.drain(SECONDS)

    assert (len(first.recorded), len(second.recorded)) == (3, 3)


def test_who_closes_gives_back_what_did_not_leave(hanging: Counted):
    hanging.waiting += [f"more{n}" for n in range(500)]
    job_handlers = JobHandlers(StaffedHandler(hanging, 1))
    job_handlers.drain(0.0)

    threading.Timer(0.2, hanging.answering.set).start()
    job_handlers.close()

    assert len(hanging.given_back) + len(hanging.recorded) + len(hanging.waiting) == 520
    assert hanging.given_back or hanging.waiting


def wait_until(claim) -> None:
    """Look until it is so; AssertionError after a generous while."""
    for _ in range(1500):
        if claim():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it never came to it")
