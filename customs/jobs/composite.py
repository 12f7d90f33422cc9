"""Several kinds of work side by side: each has an engine and threads of its own, and waits for no other's calls."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Any, NamedTuple

from customs.jobs.dispatcher import Dispatcher, JobHandler

# A desk that came to its end looks again this often while another is still busy.
LOOK_AGAIN_SECONDS = 0.5


class StaffedHandler(NamedTuple):
    """A desk, and how many calls it may have in the air at once."""

    handler: JobHandler[Any, Any]
    threads: int


class JobHandlers:
    """Drains every desk at once: whoever one of them calls may hang, and the others go on at their own pace."""

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
        """Work until no desk has anything due, or for some `seconds`; returns how many answers were recorded.

        A desk that is still busy then is not waited for: it works on behind, and the next drain takes up with it. Who
        is told to stop waits for all. Raises what the database raises; the next drain goes on with what is left.
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
                # What one desk recorded may have made something due at another: a receiver is told of it, say.
                if is_over() or not of_this_round:
                    return recorded
                of_this_round = 0
            if time.monotonic() >= ends_at and not is_over():
                return recorded

    def close(self) -> None:
        """Give back what was reserved, record what is in the air, and end the threads."""
        self._closing.set()
        self._drains.shutdown()
        for engine in self._engines:
            engine.close()

    def _ended(self) -> int:
        """What the drains that ended have recorded; the first failure among them is raised."""
        ended = [(engine, drain) for engine, drain in self._running.items() if drain.done()]
        for engine, _ in ended:
            del self._running[engine]
        return sum(drain.result() for _, drain in ended)
