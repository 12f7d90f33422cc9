"""Claim, call, record: the loop that keeps many signed calls in the air while no transaction is open.

It knows nothing of declarations: a JobHandler claims tasks, makes one call, and records answers.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from customs.timestamps import MACHINE, Clock

Task = TypeVar("Task", bound=Hashable)
Answer = TypeVar("Answer")

# Answers are recorded together: a few milliseconds of waiting save a transaction each.
GATHER_SECONDS = 0.05
RESERVED_A_THREAD = 8
CLAIM_BELOW_A_THREAD = 4
RENEW_SECONDS = 5.0
# While calls are in the air, or another kind of work is busy, what falls due meanwhile is looked for this often: a
# call that hangs keeps nothing waiting.
LOOK_AGAIN_SECONDS = 0.5


class JobHandler(Protocol[Task, Answer]):
    """One kind of work, as the dispatcher drives it."""

    def claim(self, room: int) -> list[Task]:
        """Reserve at most `room` due tasks, in one transaction."""

    def record_and_send(self, answered: Sequence[tuple[Task, Answer]], leaving: Sequence[Task]) -> list[Task]:
        """In one transaction, record what came back and mark what leaves; return those that may leave."""

    def call(self, task: Task) -> Answer:
        """Make the call; every way it can end is an Answer. Runs in a thread, with no transaction open."""

    def extend_leases(self, leased: Sequence[Task]) -> None:
        """Make the leases of all that is reserved or in the air longer."""

    def release(self, reserved: Sequence[Task]) -> None:
        """Release what was reserved and will not be sent by this process."""


class Dispatcher(Generic[Task, Answer]):
    """Drains one kind of work with `threads` concurrent calls, run by what `executors` makes of a number and a name."""

    def __init__(
        self,
        handler: JobHandler[Task, Answer],
        threads: int,
        *,
        clock: Clock = MACHINE,
        executors: Callable[[int, str], Executor] = ThreadPoolExecutor,
    ) -> None:
        self._handler = handler
        self._threads = threads
        self._clock = clock
        self._pool = executors(threads, "call")
        # Claims run beside the recording, so that no thread waits for work while one of the two is at the database.
        self._claimer = executors(1, "claim")
        self._claim: Future[list[Task]] | None = None
        self._asked = 0
        self._answers: deque[tuple[Task, Answer]] = deque()
        self._enough = 1
        self._gathered = clock.event()
        self._reserved: deque[Task] = deque()
        self._flying: set[Task] = set()

    def drain(
        self,
        seconds: float,
        stopping: Callable[[], bool] = lambda: False,
        on_backlog: Callable[[], object] = lambda: None,
    ) -> int:
        """Work until nothing is due, claiming for some `seconds` at most; returns how many answers were recorded.

        `on_backlog` is called once when a claim takes all it asked for: there may be work for a colleague.
        Each thread has at most one call in the air and one marked to leave behind it. Raises what the database
        raises: what is reserved, in the air or not yet recorded stays here, and the next drain goes on with it.
        """
        reserved = self._reserved
        ends_at = self._clock.monotonic() + seconds
        renew_at = self._clock.monotonic() + RENEW_SECONDS
        recorded = 0
        reported = False
        more_due = True
        look_at = float("inf")
        while more_due or self._claim or reserved or self._flying:
            over = self._clock.monotonic() >= ends_at or stopping()
            if self._claim and (over or self._claim.done() or not (reserved or self._flying)):
                claimed = self._claimed()
                reserved.extend(claimed)
                # What was recorded meanwhile may have made something else due: the second of two codes, say.
                more_due = more_due or len(claimed) == self._asked
                look_at = self._clock.monotonic() + LOOK_AGAIN_SECONDS
                if len(claimed) == self._asked and not reported:
                    reported = True
                    on_backlog()
            if over:
                self._handler.release(reserved)
                reserved.clear()
                more_due = False
            elif more_due and not self._claim and len(reserved) < CLAIM_BELOW_A_THREAD * self._threads:
                self._asked = RESERVED_A_THREAD * self._threads - len(reserved)
                self._claim = self._claimer.submit(self._handler.claim, self._asked)
                more_due = False
            answered = self._gather()
            free = 2 * self._threads - len(self._flying) + len(answered)
            leaving = [reserved.popleft() for _ in range(min(free, len(reserved)))]
            if answered or leaving:
                self._record_and_send(answered, leaving)
                recorded += len(answered)
                more_due = more_due or bool(answered)
            if not self._claim and self._flying and self._clock.monotonic() >= look_at:
                more_due = True
            if self._clock.monotonic() >= renew_at:
                self._handler.extend_leases([*self._flying, *reserved])
                renew_at = self._clock.monotonic() + RENEW_SECONDS
        return recorded

    def close(self) -> None:
        """End the threads once their calls are over."""
        self._claimer.shutdown()
        self._pool.shutdown()

    def _claimed(self) -> list[Task]:
        """Return what the claim under way brings; it is over afterwards, also when it failed."""
        assert self._claim is not None
        try:
            return self._claim.result()
        finally:
            self._claim = None

    def _gather(self) -> list[tuple[Task, Answer]]:
        """Return answers worth a transaction: one for each thread, or what came within a moment."""
        self._enough = min(self._threads, len(self._flying))
        self._gathered.clear()
        if len(self._answers) < self._enough:
            self._gathered.wait(GATHER_SECONDS)
        return [self._answers.popleft() for _ in range(len(self._answers))]

    def _record_and_send(self, answered: list[tuple[Task, Answer]], leaving: list[Task]) -> None:
        try:
            allowed = self._handler.record_and_send(answered, leaving)
        except BaseException:
            self._answers.extendleft(reversed(answered))
            self._reserved.extendleft(reversed(leaving))
            raise
        self._flying.difference_update(task for task, _ in answered)
        for task in allowed:
            self._flying.add(task)
            self._pool.submit(self._call, task)

    def _call(self, task: Task) -> None:
        self._answers.append((task, self._handler.call(task)))
        # The drain is woken once for a group: waking it for each answer would cost every thread its turn.
        if len(self._answers) >= self._enough:
            self._gathered.set()


class StaffedHandler(NamedTuple):
    """A handler, and how many calls it may have in the air at once."""

    handler: JobHandler[Any, Any]
    threads: int


class JobHandlers:
    """Drains every kind of work at once, each with threads of its own: where one hangs, the others go on."""

    def __init__(self, *staffed: StaffedHandler) -> None:
        self._engines: Sequence[Dispatcher[Any, Any]] = [Dispatcher(one.handler, one.threads) for one in staffed]
        self._drains = ThreadPoolExecutor(len(staffed), thread_name_prefix="drain")
        self._running: dict[Dispatcher[Any, Any], Future[int]] = {}
        self._closing = Event()

    def drain(
        self,
        seconds: float,
        stopping: Callable[[], bool] = lambda: False,
        on_backlog: Callable[[], object] = lambda: None,
    ) -> int:
        """Work until nothing is due, or for some `seconds`; return how many answers were recorded.

        A handler that is still busy then is not waited for: it works on, and the next drain takes up with it. After
        `stopping` all are waited for. Raises what the database raises; the next drain goes on with what is left.
        """

        def is_over() -> bool:
            return stopping() or self._closing.is_set()

        ends_at = time.monotonic() + seconds
        recorded, of_this_round = 0, 0
        while True:
            for engine in self._engines:
                if engine not in self._running and not is_over():
                    self._running[engine] = self._drains.submit(engine.drain, float("inf"), is_over, on_backlog)
            wait(self._running.values(), LOOK_AGAIN_SECONDS)
            ended = self._ended()
            recorded, of_this_round = recorded + ended, of_this_round + ended
            if not self._running:
                # What one handler recorded may have made something due at another, such as a webhook.
                if is_over() or not of_this_round:
                    return recorded
                of_this_round = 0
            if time.monotonic() >= ends_at and not is_over():
                return recorded

    def close(self) -> None:
        """Release what was reserved, record what is in the air, and end the threads."""
        self._closing.set()
        self._drains.shutdown()
        for engine in self._engines:
            engine.close()

    def _ended(self) -> int:
        """Return how many answers the ended drains have recorded; raise the first failure among them."""
        ended = [(engine, drain) for engine, drain in self._running.items() if drain.done()]
        for engine, _ in ended:
            del self._running[engine]
        return sum(drain.result() for _, drain in ended)
