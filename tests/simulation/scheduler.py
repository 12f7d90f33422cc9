"""Virtual time and tasks that take turns: one thread, one random order, so that a seed tells the same story again."""

import contextlib
import heapq
import random
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

# Each turn costs: a moment of a few milliseconds is as good as one of these seconds.
SHORTEST_WAIT = 1.0


class Killed(GreenletExit):
    """The process of this task was ended, as kill -9 ends one: nothing of it runs any more."""


@dataclass(eq=False)
class Owner:
    """Whose tasks stop together: one process. Frozen, none of them runs until then."""

    name: str
    frozen_until: float = 0.0


@dataclass(eq=False)
class Task:
    """One line of execution, and what it waits for: a time, or an event before it."""

    name: str
    owner: Owner
    line: greenlet = field(repr=False)
    wake_at: float = 0.0
    event: "Event | None" = None


class Scheduler:
    """Runs one task after the other, chosen by chance among those that may go on; time passes when none may."""

    def __init__(self, rng: random.Random) -> None:
        self.now = 0.0
        self._rng = rng
        self._tasks: list[Task] = []
        self._hub = getcurrent()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = count()

    def spawn(self, name: str, owner: Owner, work: Callable[[], object]) -> Task:
        task = Task(name, owner, greenlet(lambda: self._run(work), parent=self._hub), wake_at=self.now)
        task.line.task = task
        self._tasks.append(task)
        return task

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Do something outside every task once this time has come."""
        heapq.heappush(self._timers, (moment, next(self._serial), action))

    def pause(self, seconds: float = 0.0, until: "Event | None" = None) -> None:
        """Let others run; go on after `seconds`, or when the event is set."""
        task = self.current
        task.wake_at, task.event = self.now + seconds, until
        self._hub.switch()

    @property
    def current(self) -> Task:
        return getcurrent().task

    def kill(self, owner: Owner) -> None:
        """End every task of a process at once; its caller too, when it is one of them."""
        ended = [task for task in self._tasks if task.owner is owner]
        self._tasks = [task for task in self._tasks if task.owner is not owner]
        me = getattr(getcurrent(), "task", None)
        for task in ended:
            if task is not me and task.line:
                task.line.parent = getcurrent()
                task.line.throw(Killed)
        if me in ended:
            raise Killed

    def run(self, until: float) -> None:
        """Let everything run up to this time."""
        while True:
            ready = [task for task in self._tasks if self._may_run(task)]
            if ready:
                self._resume(self._rng.choice(ready))
                continue
            moment = min(self._moments(), default=until)
            if moment > until:
                self.now = until
                return
            self.now = max(self.now, moment)
            while self._timers and self._timers[0][0] <= self.now:
                heapq.heappop(self._timers)[2]()
            if not self._tasks and not self._timers:
                return

    def _moments(self) -> Iterator[float]:
        if self._timers:
            yield self._timers[0][0]
        for task in self._tasks:
            woken = self.now if task.event is not None and task.event.is_set() else task.wake_at
            yield max(woken, task.owner.frozen_until)

    def _may_run(self, task: Task) -> bool:
        if task.owner.frozen_until > self.now:
            return False
        return task.wake_at <= self.now or (task.event is not None and task.event.is_set())

    def _resume(self, task: Task) -> None:
        task.line.switch()
        if task.line.dead and task in self._tasks:
            self._tasks.remove(task)

    def _run(self, work: Callable[[], object]) -> None:
        with contextlib.suppress(Killed):
            work()


class Event:
    """What threads of the engine wait for, in virtual time; whoever waits for a moment waits a longer one."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float) -> bool:
        if not self._set:
            self._scheduler.pause(max(timeout, SHORTEST_WAIT), self)
        return self._set


class Later(Future[Any]):
    """A result that a task waits for while the others run."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._came = Event(scheduler)
        self.add_done_callback(lambda _: self._came.set())

    def result(self, timeout: float | None = None) -> Any:
        while not self.done():
            self._came.wait(3600.0)
        return super().result()


class TaskExecutor(Executor):
    """At most so many tasks of one process at once; what is over waits in line, as in a pool of threads."""

    def __init__(self, scheduler: Scheduler, owner: Owner, most: int, name: str) -> None:
        self._scheduler = scheduler
        self._owner = owner
        self._name = name
        self._free = most
        self._waiting: deque[tuple[Later, Callable[[], Any]]] = deque()

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Later:
        later = Later(self._scheduler)
        self._waiting.append((later, lambda: work(*args, **kwargs)))
        if self._free:
            self._free -= 1
            self._scheduler.spawn(f"{self._owner.name}.{self._name}", self._owner, self._work)
        return later

    def _work(self) -> None:
        while self._waiting:
            later, work = self._waiting.popleft()
            try:
                later.set_result(work())
            except Exception as error:  # noqa: BLE001 - whoever waits for the result gets it
                later.set_exception(error)
        self._free += 1
