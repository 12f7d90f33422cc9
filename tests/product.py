"""A desk to test with: the product's own intake, claims, records and reviews on a real database, step by step.

The gateway's part is said by the test, and time passes when the test says so.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from customs.auth.models import ApiKey
from customs.auth.principal import Caller, operator
from customs.container import Services
from customs.declarations.actions.decisions import ReviewService
from customs.declarations.intake import accept
from customs.declarations.models import Batch, Declaration, Push
from customs.declarations.pushes.claim import Task, Turn, claim
from customs.declarations.pushes.handler import mark, without_buyer
from customs.declarations.pushes.outcomes import Outcome
from customs.declarations.pushes.record import Recorded, record
from customs.declarations.reading.queries import declaration_of, events_of
from customs.events.timeline import Event
from customs.lanes import breaker
from tests import make

LEASE = timedelta(seconds=60)


class Desk:
    """One deployment without processes."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.turn = Turn()
        self._ahead = timedelta()
        with services.engine.begin() as db:
            self.lane = breaker.lane_id(db, services.settings.agent_no, services.settings.base_url, self.now)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def wait(self, **time: float) -> None:
        """Let this time pass."""
        self._ahead += timedelta(**time)

    def take_in(self, *rows: Any, caller: Caller | None = None, on_error: str = "reject") -> Batch:
        services, caller = self.services, caller or operator()
        submission = accept.Submission(rows, on_error=on_error)
        ready = accept.make_ready(services.engine, services.vault, services.rules, submission, caller)
        with services.transaction() as db:
            return accept.take_in(db, services.vault, ready, caller, services.payments, services.audit)

    def take_in_until_stored(self, *rows: Any) -> Batch:
        """As the API's view does: who loses a race to a unique number begins again, and then sees the winner."""
        while True:
            with suppress(IntegrityError):
                return self.take_in(*rows)

    def declare(self, channel: str = "wechatpay", **changes: Any) -> str:
        """Take in one declaration; returns its id."""
        batch = self.take_in(make.declaration_row(channel, **changes))
        with self.services.reading() as db:
            return db.scalars(select(Declaration.id).where(Declaration.batch_id == batch.id)).one()

    def claim(self, room: int = 100) -> list[Task]:
        with self.services.engine.begin() as db:
            return claim(db, self.turn, room=room, now=self.now, holder="here:1", lease=LEASE)

    def send(self, tasks: Sequence[Task]) -> list[Task]:
        """Mark the tasks as leaving; returns those that may."""
        with self.services.engine.begin() as db:
            return mark(db, tasks, self.lane, self.now, LEASE)

    def answer(self, *answered: tuple[Task, Outcome]) -> list[Recorded]:
        with self.services.engine.begin() as db:
            return record(db, [(task, self.masked(outcome, task)) for task, outcome in answered], self.now, make.PACE)

    def work(self, outcome_of: Callable[[Task], Outcome]) -> list[Task]:
        """One round: claim what is due, let it leave, record what the gateway says to each."""
        leaving = self.send(self.claim())
        if leaving:
            self.answer(*((task, outcome_of(task)) for task in leaving))
        return leaving

    def end(self, declaration_id: str, state: str = "SUCCESS", **content: Any) -> None:
        """Let every push of a declaration end in this state, one round after the other."""
        while any(push.next_action for push in self.declaration(declaration_id).pushes):
            self.work(lambda _: make.reply(state, self.now, **content))

    def masked(self, outcome: Outcome, task: Task) -> Outcome:
        """The outcome as the product's own desk hands it on after a call."""
        return without_buyer(outcome, self.services.vault.open_buyer(task.buyer, task.declaration_id))

    def stop_lane(self, reason: str) -> None:
        with self.services.engine.begin() as db:
            report = breaker.LaneReport(rejected=breaker.STRIKES_TO_STOP, reason=reason)
            breaker.record_report(db, self.lane, report, self.now)

    def revoke_keys(self) -> None:
        with self.services.transaction() as db:
            db.execute(update(ApiKey).values(revoked_at=self.now))

    def declaration(self, declaration_id: str) -> Declaration:
        with self.services.reading() as db:
            return declaration_of(db, declaration_id, operator())

    def push(self, declaration_id: str, position: int = 0) -> Push:
        return self.declaration(declaration_id).pushes[position]

    def events(self, declaration_id: str) -> Sequence[Event]:
        with self.services.reading() as db:
            return events_of(db, declaration_id).rows

    def decide(self, action: str, declaration_id: str, *args: Any, by: Caller | None = None, **options: Any) -> None:
        """One person's decision: redeclare, cancel or dismiss."""
        with self.services.transaction() as db:
            services = self.services
            parts = services.policy, services.payments, services.audit
            service = ReviewService(db, by or operator(), self.now, *parts)
            getattr(service, action)(declaration_id, "because", *args, **options)

    def modify(self, declaration_id: str, by: Caller | None = None, **changes: Any) -> None:
        self.decide("modify", declaration_id, changes, self.services.vault, self.services.rules, by=by)
