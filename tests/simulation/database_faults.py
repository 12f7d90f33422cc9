"""The database at its worst: away for a while, COMMITs that fail, COMMITs whose answer is lost."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import OperationalError

from tests.simulation.scheduler import Scheduler
from tests.simulation.trace import Trace


class DatabaseFaults:
    """Stands around one SQLAlchemy engine, which every process of the simulation shares as if it were its own."""

    def __init__(self, engine: Engine) -> None:
        self.open: set[object] = set()
        self._engine = engine
        self._listeners: list[tuple[str, Callable[..., Any]]] = [
            ("checkout", self._check_out),
            ("begin", self._begin),
            ("commit", self._commit),
            ("rollback", self._rollback),
        ]

    def attach(self, scheduler: Scheduler, trace: Trace) -> None:
        self.away_until = 0.0
        # How many of the next commits of a process fail, and of how many the answer is lost.
        self.failing: Counter[str] = Counter()
        self.losing: Counter[str] = Counter()
        self._scheduler = scheduler
        self._trace = trace
        for name, listener in self._listeners:
            event.listen(self._engine, name, listener)

    def detach(self) -> None:
        for name, listener in self._listeners:
            event.remove(self._engine, name, listener)

    def _check_out(self, *_: object) -> None:
        # Whoever waits here has no transaction open yet.
        if not self.open:
            self._scheduler.pause()
        if self._scheduler.now < self.away_until:
            raise OperationalError("BEGIN", {}, ConnectionError("the database is away"))

    def _begin(self, connection: Connection) -> None:
        self.open.add(connection)

    def _commit(self, connection: Connection) -> None:
        self.open.discard(connection)
        who = self._scheduler.current.owner.name
        if self.failing[who]:
            self.failing[who] -= 1
            self._trace.add(who, "a COMMIT failed")
            raise OperationalError("COMMIT", {}, ConnectionError("the connection broke"))
        # A transaction that only looked is not worth a lost answer.
        if self.losing[who] and not connection.get_execution_options().get("reading"):
            self.losing[who] -= 1
            connection.connection.dbapi_connection.commit()
            self._trace.add(who, "the answer of a COMMIT was lost")
            raise OperationalError("COMMIT", {}, ConnectionError("the connection broke"))

    def _rollback(self, connection: Connection) -> None:
        self.open.discard(connection)
