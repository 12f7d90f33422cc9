"""Handle due pushes: claim, mark before the send, call and record follow each other here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine, and_, bindparam, select, text, tuple_, update

from customs.config import Settings
from customs.db.database import Base, DatabaseClock, pad_to_power_of_two
from customs.declarations.channels import ONE_AT_A_TIME
from customs.declarations.models import Push
from customs.declarations.pushes.claim import LEASES, Task, Turn, claim, may_still_be_sent
from customs.declarations.pushes.outcomes import Outcome, RetryPolicy
from customs.declarations.pushes.record import in_time, record
from customs.declarations.states import Action, read_state
from customs.errors import DecryptionKeyMissing
from customs.gateway import (
    Buyer,
    Channel,
    DeclarationChannel,
    DeclarationReply,
    Exchange,
    Filing,
    GatewayError,
    Misuse,
    TooLate,
    Unknown,
    without_others,
)
from customs.jobs.failpoints import Failpoints
from customs.jobs.leases import SendDeadlines, run_despite_races, this_holder
from customs.lanes.breaker import LaneAdmission, is_open
from customs.privacy.masking import mask_params, mask_reply, mask_text
from customs.privacy.vault import Vault
from customs.stats.call_counters import CallCounter, Counts
from customs.timestamps import MACHINE, Clock

log = structlog.get_logger()

GATEWAY_CALLS: Mapping[Action, Callable[[DeclarationChannel, Filing], DeclarationReply]] = {
    Action.SUBMIT: lambda channel, filing: channel.declare(filing),
    Action.QUERY: lambda channel, filing: channel.query(filing),
    Action.REDECLARE: lambda channel, filing: channel.redeclare(filing),
    Action.MODIFY: lambda channel, filing: channel.modify(filing),
}


class PushHandler:
    """Claims due pushes, makes their calls, records what came back. One per worker process."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        vault: Vault,
        channels: Mapping[Channel, DeclarationChannel],
        failpoints: Failpoints,
        *,
        clock: Clock = MACHINE,
        holder: str | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._vault = vault
        self._channels = channels
        self._failpoints = failpoints
        self._holder = holder or this_holder()
        self._clock = clock
        self._turn = Turn()
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._policy = RetryPolicy(settings.poll_seconds, settings.unknown_grace_seconds)
        self._deadlines: SendDeadlines[Task] = SendDeadlines(
            engine, settings.lease_seconds, settings.gateway_timeout_seconds, clock
        )
        self._now = DatabaseClock(clock)
        self._counter = CallCounter(hash(self._holder), clock)
        self._lane_admission = LaneAdmission(engine, settings, self._now)

    def claim(self, room: int) -> list[Task]:
        with self._engine.begin() as db:
            now = self._now(db)
            admission = self._lane_admission.admit(db, room, now)
            if not admission.room:
                return []
            tasks = claim(db, self._turn, room=admission.room, now=now, holder=self._holder, lease=self._lease)
            self._lane_admission.claimed(db, admission, len(tasks))
            self._failpoints.hit("claim_before_commit")
        self._failpoints.hit("claim_after_commit")
        return tasks

    def record_and_send(self, answered: Sequence[tuple[Task, Outcome]], leaving: Sequence[Task]) -> list[Task]:
        answered = [(task, self._fresh(task, outcome)) for task, outcome in answered]
        return run_despite_races(lambda: self._record_and_send(answered, leaving))

    def _record_and_send(self, answered: Sequence[tuple[Task, Outcome]], leaving: Sequence[Task]) -> list[Task]:
        start = self._deadlines.start()
        with self._counter.counting() as counts, self._engine.begin() as db:
            now = self._now(db)
            if answered:
                self._record(db, answered, now, counts)
            self._failpoints.hit("record_before_commit")
            allowed = mark(db, leaving, self._lane_admission.lane, now, self._lease) if leaving else []
            self._failpoints.hit("mark_before_commit")
        self._failpoints.hit("exchange_after_commit")
        self._deadlines.forget(task for task, _ in answered)
        self._deadlines.set(allowed, start, now)
        return allowed

    def _fresh(self, task: Task, outcome: Outcome) -> Outcome:
        """An answer as it counts now: a question whose answer could not be recorded for long is asked once more."""
        if task.action is Action.QUERY and self._deadlines.is_stale(task):
            return Unknown("the answer waited too long to be recorded", exchange=outcome.exchange)
        return outcome

    def call(self, task: Task) -> Outcome:
        if self._deadlines.is_over(task):
            return TooLate("the lease was about to end")
        self._failpoints.hit("call_before_send")
        try:
            outcome = self._ask(task)
        except Exception:
            log.exception("an answer could not be read", push_id=task.push_id)
            outcome = Unknown("the answer could not be read")
        self._failpoints.hit("call_after_reply")
        return outcome

    def _ask(self, task: Task) -> Outcome:
        """The signed call, and its outcome with the buyer masked wherever it is named."""
        try:
            buyer = self._vault.open_buyer(task.buyer, task.declaration_id)
        except DecryptionKeyMissing as error:
            if task.action is not Action.QUERY:
                return Misuse(error.detail)
            buyer = None
        filing = replace(task.filing, buyer=buyer)
        try:
            outcome: Outcome = GATEWAY_CALLS[task.action](self._channels[task.channel], filing)
        except GatewayError as error:
            outcome = error
        return without_buyer(without_others(outcome, _owner(task)), buyer)

    def extend_leases(self, leased: Sequence[Task]) -> None:
        with self._engine.begin() as db:
            LEASES.extend(db, leased, self._now(db) + self._lease)

    def release(self, reserved: Sequence[Task]) -> None:
        if reserved:
            with self._engine.begin() as db:
                LEASES.release(db, reserved)

    def _record(self, db: Connection, answered: Sequence[tuple[Task, Outcome]], now: datetime, counts: Counts) -> None:
        recorded = record(db, answered, now, self._policy)
        self._lane_admission.report(db, in_time(recorded), now)
        for done in recorded:
            outcome = done.transition.outcome if done.transition else "superseded"
            duration_ms = done.outcome.exchange.duration_ms if done.outcome.exchange else 0
            counts.add(done.task.channel, done.task.action, outcome, duration_ms)
            if done.transition is None:
                log.warning("an answer came too late", push_id=done.task.push_id, fence=done.task.fence)
        self._counter.write(db, counts)


def _owner(task: Task) -> Mapping[str, str | None]:
    """What says that a record is of this push's payment."""
    filing = task.filing
    return {
        "merchant_no": task.merchant_no,
        "our_no": filing.out_order_no,
        "payment_no": filing.payment_no,
        "sub_order_no": filing.sub_order_no,
    }


def without_buyer(outcome: Outcome, buyer: Buyer | None) -> Outcome:
    """The same outcome fit to be kept: its words end in explanations, cases, the timeline and logs."""
    if isinstance(outcome, GatewayError):
        outcome.message = mask_text(outcome.message, buyer)
        outcome.exchange = outcome.exchange and _masked(outcome.exchange, buyer)
        return outcome
    return replace(
        outcome,
        # One of the document's words is left alone, whatever the buyer is called.
        state=outcome.state if read_state(outcome.state) else mask_text(outcome.state, buyer),
        explanation=outcome.explanation and mask_text(outcome.explanation, buyer),
        exchange=_masked(outcome.exchange, buyer),
    )


def _masked(exchange: Exchange, buyer: Buyer | None) -> Exchange:
    return replace(exchange, params=mask_params(exchange.params), reply=mask_reply(exchange.reply, buyer))


PUSHES = Base.metadata.tables[Push.__tablename__]
push = PUSHES.c
UNTIL = bindparam("until", type_=push.lease_until.type)
MOMENT = bindparam("moment", type_=push.due_at.type)

under_epoch = tuple_(push.id, push.fence, push.epoch).in_(bindparam("keys", expanding=True))
may_leave = and_(under_epoch, is_open(bindparam("lane"), MOMENT))

# After a commit that only looked lost, a send has become a query: it must not be marked a second time.
MARK_QUERY = (
    update(PUSHES)
    .where(may_leave, push.next_action == Action.QUERY)
    .values(lease_until=UNTIL)
    .returning(push.id, push.fence)
)
MARK_SEND = (
    update(PUSHES)
    .where(may_leave, push.next_action != Action.QUERY, push.withheld.is_(False), may_still_be_sent)
    .values(
        lease_until=UNTIL,
        in_doubt=push.next_action,
        refund_allowed=False,
        next_action=Action.QUERY,
        sent_at=MOMENT,
        attempts=push.attempts + 1,
    )
    .returning(push.id, push.fence)
)

# Two processes that mark pushes of one payment come one after the other.
LOCK_SIBLINGS = (
    select(push.id)
    .where(
        tuple_(push.merchant_no, push.channel, push.payment_no).in_(bindparam("payments", expanding=True)),
        text("NOT pushes.cancelled"),
    )
    .order_by(push.id)
    .with_for_update()
)


def mark(db: Connection, leaving: Sequence[Task], lane: str, now: datetime, lease: timedelta) -> list[Task]:
    """Mark tasks as leaving now, where fence, epoch and lane still allow it; the others are let go.

    From here on a state-changing call is in doubt until its answer is understood.
    """
    marked: set[tuple[str, int]] = set()
    sends = _one_of_each(db, [task for task in leaving if task.action is not Action.QUERY])
    queries = [task for task in leaving if task.action is Action.QUERY]
    for statement, tasks in ((MARK_QUERY, queries), (MARK_SEND, sends)):
        if tasks:
            keys = pad_to_power_of_two([(*task.lease, task.epoch) for task in tasks])
            values = {"keys": keys, "lane": lane, "moment": now, "until": now + lease}
            marked.update((row.id, row.fence) for row in db.execute(statement, values))
    return LEASES.keep(db, leaving, marked)


def _one_of_each(db: Connection, sends: Sequence[Task]) -> list[Task]:
    """The sends without those whose sibling of ONE_AT_A_TIME is among them too; the siblings' rows are locked."""
    alone = [task for task in sends if task.channel in ONE_AT_A_TIME]
    if alone and db.dialect.name == "postgresql":
        payments = [(task.merchant_no, task.channel, task.filing.payment_no) for task in alone]
        db.execute(LOCK_SIBLINGS, {"payments": pad_to_power_of_two(payments)})
    # The newest fence of a push counts, whatever was reserved before it.
    newest = {(task.push_id): task for task in sorted(sends, key=lambda task: task.fence)}
    first: dict[object, Task] = {}
    for task in newest.values():
        same = (task.merchant_no, task.filing.payment_no, task.filing.sub_order_no)
        first.setdefault(same if task.channel in ONE_AT_A_TIME else task.push_id, task)
    return list(first.values())
