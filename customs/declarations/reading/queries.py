"""The questions that lists, details and counts ask, each within what the caller may see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, TextClause, exists, func, or_, select, text, true, union_all
from sqlalchemy.orm import Session, aliased, selectinload

from customs.auth.principal import Caller
from customs.db.pagination import LARGEST_PAGE, Page, newest_first, page_of
from customs.declarations.models import Batch, BatchMerchant, BatchReplay, Declaration, OpenRow, Push, SubOrder
from customs.declarations.states import State
from customs.declarations.statistics import STATE
from customs.errors import NotFound
from customs.events.timeline import Event, withhold_others_replies
from customs.payments_port import PaymentKey
from customs.stats.tallies import ALL_TIME, Tally

# Filters by their names that a declaration has as a column.
PLAIN = ("state", "cancelled", "merchant_no", "channel", "office", "out_order_no", "payment_no")
# As the partial indexes spell it, or SQLite would not use those.
IN_REVIEW = text("declarations.needs_review")
# The order of lists, for every list of declarations alike.
DECLARATIONS_BY = (Declaration.created_at, Declaration.id)
BATCHES_BY = (Batch.created_at, Batch.id)


# The push that another one waits for.
BEFORE = aliased(Push)
# As `counting.is_under_way` tells it.
UNDER_WAY = (
    Declaration.state.in_([state for state in State if not state.is_final]),
    Declaration.cancelled.is_(False),
    Declaration.needs_review.is_(False),
    exists().where(
        Push.declaration_id == Declaration.id,
        Push.next_action.is_not(None),
        or_(Push.blocked_by.is_(None), exists().where(BEFORE.id == Push.blocked_by, BEFORE.state == State.SUCCESS)),
    ),
)


@dataclass(frozen=True)
class Filters:
    """Filters of a list. `states`: any of these; `since` and `until` bound created_at, half open.

    `under_way`: only what goes on by itself, in a state without an end, with nobody who has to decide.
    """

    batch_id: str | None = None
    state: str | None = None
    states: tuple[State, ...] = ()
    cancelled: bool | None = None
    merchant_no: str | None = None
    channel: str | None = None
    office: str | None = None
    out_order_no: str | None = None
    payment_no: str | None = None
    sub_order_no: str | None = None
    needs_review: bool | None = None
    under_way: bool = False
    since: datetime | None = None
    until: datetime | None = None


class BatchState(StrEnum):
    """State of a batch."""

    RUNNING = "RUNNING"
    ATTENTION = "ATTENTION"
    DONE = "DONE"


@dataclass(frozen=True)
class Progress:
    """Declarations of one batch by state (cancelled ones apart), the rows it left open, and its own state.

    `runs`: how often something of it went on again.
    """

    states: dict[State, int]
    cancelled: int
    needs_review: int
    open_rows: int
    runs: int
    state: BatchState

    @property
    def total(self) -> int:
        return sum(self.states.values()) + self.cancelled


def declaration_of(db: Session, declaration_id: str, caller: Caller, *, lock: bool = False) -> Declaration:
    """One declaration with its sub-orders and pushes; NotFound also for another merchant's."""
    statement = (
        select(Declaration)
        .where(Declaration.id == declaration_id, caller.sees(Declaration.merchant_no))
        .options(selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
    )
    found = db.scalar(statement.with_for_update(of=Declaration) if lock else statement)
    if found is None:
        raise NotFound
    return found


def key_of(db: Session, declaration_id: str, caller: Caller) -> PaymentKey:
    """The payment of one declaration; NotFound also for another merchant's."""
    named = select(Declaration.merchant_no, Declaration.channel, Declaration.payment_no)
    found = db.execute(named.where(Declaration.id == declaration_id, caller.sees(Declaration.merchant_no))).first()
    if found is None:
        raise NotFound
    return PaymentKey(*found)


def declarations_numbered(db: Session, number: str, caller: Caller) -> Sequence[Declaration]:
    """The declarations with this id, order, payment or sub-order number."""
    return db.scalars(
        select(Declaration)
        .where(_numbered(number), caller.sees(Declaration.merchant_no))
        .options(selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
        .order_by(*DECLARATIONS_BY)
        .limit(LARGEST_PAGE)
    ).all()


def _numbered(number: str) -> ColumnElement[bool]:
    # One look into each index: an OR over two tables would read every declaration there is.
    numbered = aliased(Declaration)
    columns = (numbered.id, numbered.out_order_no, numbered.payment_no)
    own = (select(numbered.id).where(column == number) for column in columns)
    split = select(SubOrder.declaration_id).where(SubOrder.sub_order_no == number)
    return Declaration.id.in_(union_all(*own, split))


def list_declarations(db: Session, caller: Caller, filters: Filters, *, limit: int, cursor: str | None) -> Page:
    """Declarations, newest first."""
    if not _came_ever(db, caller, filters):
        return Page([], None)
    statement = (
        select(Declaration)
        .where(caller.sees(Declaration.merchant_no), *_narrowed(filters))
        .options(selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
    )
    return page_of(db, statement, DECLARATIONS_BY, limit, cursor)


def _came_ever(db: Session, caller: Caller, filters: Filters) -> bool:
    """Return whether there ever was such a declaration: to find none, a list would go through all there are."""
    wanted = {Tally.merchant_no: filters.merchant_no, Tally.channel: filters.channel, Tally.subject: filters.office}
    named = [column == value for column, value in wanted.items() if value is not None]
    if caller.merchants is None and not named:
        return True
    tallied = select(Tally.count).where(
        Tally.kind == STATE, Tally.day == ALL_TIME, caller.sees(Tally.merchant_no), *named
    )
    return db.scalar(tallied.limit(1)) is not None


def _narrowed(filters: Filters) -> list[ColumnElement[bool] | TextClause]:
    conditions: list[ColumnElement[bool] | TextClause] = []
    for name in PLAIN:
        wanted = getattr(filters, name)
        if wanted is not None:
            conditions.append(getattr(Declaration, name) == wanted)
    if filters.states:
        conditions.append(Declaration.state.in_(filters.states))
    if filters.under_way:
        conditions += UNDER_WAY
    if filters.needs_review is not None:
        conditions.append(IN_REVIEW if filters.needs_review else Declaration.needs_review.is_(False))
    if filters.batch_id is not None:
        conditions.append(in_batch(filters.batch_id))
    if filters.sub_order_no is not None:
        split = select(SubOrder.declaration_id).where(SubOrder.sub_order_no == filters.sub_order_no)
        conditions.append(Declaration.id.in_(split))
    return [*conditions, *_came(Declaration, filters.since, filters.until)]


def _came(
    model: type[Declaration | Batch], since: datetime | None, until: datetime | None
) -> Iterator[ColumnElement[bool]]:
    """The conditions that a row was created in time."""
    if since is not None:
        yield model.created_at >= since
    if until is not None:
        yield model.created_at < until


def in_batch(batch_id: str) -> ColumnElement[bool]:
    """The condition that a batch brought a declaration, or named it again."""
    # An OR of the two would read every declaration there is.
    own = aliased(Declaration)
    brought = select(own.id).where(own.batch_id == batch_id)
    replayed = select(BatchReplay.declaration_id).where(BatchReplay.batch_id == batch_id)
    return Declaration.id.in_(union_all(brought, replayed))


def batch_of(db: Session, batch_id: str, caller: Caller) -> Batch:
    """One batch; NotFound also when one of its merchants is not the caller's."""
    batch = db.scalar(select(Batch).where(Batch.id == batch_id, sees_batch(caller)))
    if batch is None:
        raise NotFound
    return batch


def list_batches(
    db: Session,
    caller: Caller,
    *,
    limit: int,
    cursor: str | None,
    since: datetime | None = None,
    until: datetime | None = None,
    sender_id: str | None = None,
) -> Page:
    """Batches, newest first."""
    statement = select(Batch).where(sees_batch(caller), *_came(Batch, since, until))
    if sender_id is not None:
        statement = statement.where(Batch.sender_id == sender_id)
    return page_of(db, statement, BATCHES_BY, limit, cursor)


def newest_batch_of(db: Session, sender_id: str, caller: Caller) -> Batch | None:
    """Return the batch that somebody handed in last, if the caller may see it."""
    newest = select(Batch).where(Batch.sender_id == sender_id, sees_batch(caller))
    return db.scalar(newest.order_by(*newest_first(BATCHES_BY)).limit(1))


def sees_batch(caller: Caller) -> ColumnElement[bool]:
    """The condition that every merchant of a batch is the caller's."""
    foreign = exists().where(BatchMerchant.batch_id == Batch.id, ~caller.sees(BatchMerchant.merchant_no))
    own = exists().where(BatchMerchant.batch_id == Batch.id, caller.sees(BatchMerchant.merchant_no))
    return own & ~foreign


def replays_of(db: Session, batch_id: str) -> Sequence[str]:
    """The declarations that a batch named again, unchanged."""
    return db.scalars(
        select(BatchReplay.declaration_id).where(BatchReplay.batch_id == batch_id).order_by(BatchReplay.declaration_id)
    ).all()


def progress_of(db: Session, batch_id: str) -> Progress:
    """Count a batch's declarations and open rows, and say whether anything still goes on by itself."""
    # One statement is one moment: with two, a batch whose last answer comes in between would need attention.
    counted = (
        select(
            Declaration.state,
            Declaration.cancelled,
            Declaration.needs_review,
            func.count(Declaration.waiting_for).label("waiting"),
            func.count().label("count"),
        )
        .where(in_batch(batch_id))
        .group_by(Declaration.state, Declaration.cancelled, Declaration.needs_review)
        .subquery()
    )
    left = select(func.count()).where(OpenRow.batch_id == batch_id, OpenRow.discarded_at.is_(None))
    asked = select(Batch.runs, left.scalar_subquery(), _something_is_due(batch_id), counted)
    rows = db.execute(asked.join_from(Batch, counted, true(), isouter=True).where(Batch.id == batch_id)).all()
    states = dict.fromkeys(State, 0)
    cancelled = needs_review = open_rows = runs = 0
    goes_on = False
    for batch_runs, rows_left, is_due, state, is_cancelled, is_in_review, waiting, count in rows:
        runs, open_rows, goes_on = batch_runs, rows_left, goes_on or is_due or bool(waiting)
        needs_review += count if is_in_review else 0
        if is_cancelled:
            cancelled += count
        elif count:
            states[state] += count
    is_settled = not (needs_review or open_rows or any(states[one] for one in State if one is not State.SUCCESS))
    ended = BatchState.DONE if is_settled else BatchState.ATTENTION
    return Progress(states, cancelled, needs_review, open_rows, runs, BatchState.RUNNING if goes_on else ended)


def _something_is_due(batch_id: str) -> ColumnElement[bool]:
    running = aliased(Push)
    goes_on = (
        select(running.id)
        .join(Declaration, Declaration.id == running.declaration_id)
        .where(in_batch(batch_id), running.due_at.is_not(None), running.case_kind.is_(None))
        .limit(1)
    )
    return goes_on.scalar_subquery().is_not(None)


def events_of(db: Session, declaration_id: str, *, limit: int = LARGEST_PAGE, after: int = 0) -> Page:
    """The timeline, oldest first; the cursor is the last event's number."""
    statement = select(Event).where(Event.declaration_id == declaration_id, Event.id > after)
    rows = shown(db, db.scalars(statement.order_by(Event.id).limit(limit + 1)).all())
    return Page(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None)


def shown(db: Session, events: Sequence[Event]) -> Sequence[Event]:
    """Events of one declaration as they may be shown."""
    if not any(event.reply for event in events):
        return events
    owner = Declaration.merchant_no, Declaration.out_order_no, Declaration.payment_no
    merchant_no, our_no, payment_no = db.execute(select(*owner).where(Declaration.id == events[0].declaration_id)).one()
    own = {"merchant_no": merchant_no, "our_no": our_no, "payment_no": payment_no}
    return withhold_others_replies(db, events, own)


GOES_ON = (Push.declaration_id == Declaration.id, Push.due_at.is_not(None), Push.case_kind.is_(None))


def is_running(db: Session, batch_id: str) -> bool:
    """Return whether a push of the batch is due without an open case: then its state is RUNNING."""
    pushes = select(Push.id).where(*GOES_ON).exists()
    # What was handed in last is mostly what ends last: the index is read from there, the first one found settles it.
    own = select(Declaration.id).where(Declaration.batch_id == batch_id, pushes).order_by(Declaration.id.desc())
    if db.scalar(own.limit(1)) is not None:
        return True
    again = select(Declaration.id).join(BatchReplay, BatchReplay.declaration_id == Declaration.id)
    return db.scalar(again.where(BatchReplay.batch_id == batch_id, pushes).limit(1)) is not None
