"""Failures by their cause: how many are open, how it went, who sees to it; and the cases of one cause, one by one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Select, case, func, select, update
from sqlalchemy.orm import Session, selectinload

from customs.audit.actions import AuditAction
from customs.audit.models import AuditEntry
from customs.auth.models import Person
from customs.auth.principal import Caller
from customs.db import database
from customs.db.pagination import Page, beyond, newest_first
from customs.declarations.actions.bulk_actions import MOST_AT_ONCE
from customs.declarations.cases import Cause
from customs.declarations.models import Declaration, Push
from customs.declarations.reading.next_steps import is_moving
from customs.declarations.reading.queries import DECLARATIONS_BY, IN_REVIEW
from customs.declarations.states import State
from customs.declarations.statistics import CAUSE, NEEDS_REVIEW, OPEN, OPENED, STATE
from customs.errors import NotFound
from customs.stats.tallies import ALL_TIME, Tally, day_of

TREND_DAYS = 14
NOBODY = "nobody"


@dataclass(frozen=True)
class GroupFilters:
    """Filters of the list of groups. `assignee`: a person's id, or NOBODY."""

    channel: str | None = None
    customs: str | None = None
    error: str | None = None
    assignee: str | None = None


@dataclass(frozen=True)
class Group:
    """A cause as one caller sees it. `trend`: cases opened on each of the last 14 days in Shanghai, oldest first."""

    cause: Cause
    open: int
    opened: int
    trend: tuple[int, ...]
    assignee: str | None


def open_cases(db: Session, caller: Caller) -> int:
    """Count the declarations with an open case."""
    asked = select(func.sum(Tally.count)).where(
        Tally.kind == STATE,
        Tally.day == ALL_TIME,
        Tally.word == NEEDS_REVIEW,
        caller.sees(Tally.merchant_no),
    )
    return int(db.scalar(asked) or 0)


def list_groups(db: Session, caller: Caller, filters: GroupFilters, *, limit: int, cursor: str | None = None) -> Page:
    """Return groups with open cases, the largest first. The cursor is the number of groups before the page."""
    before = int(cursor or 0)
    groups = _groups(db, caller, *_narrowed(filters), limit=limit + 1, offset=before)
    return Page(groups[:limit], str(before + limit) if len(groups) > limit else None)


def group_of(db: Session, caller: Caller, cause_id: str) -> Group:
    """Return one group, also without open cases; raises NotFound when no merchant of the caller's ever had it."""
    groups = _groups(db, caller, Cause.id == cause_id, limit=1, least=0)
    if not groups:
        raise NotFound
    return groups[0]


def members(db: Session, caller: Caller, cause_id: str, *, limit: int, cursor: str | None = None) -> Page:
    """Return the declarations with an open case of this cause, newest first."""
    ids = _declarations_of(caller, cause_id, cursor).limit(limit + 1)
    found = db.scalars(ids).all()
    rows = db.scalars(
        select(Declaration)
        .where(Declaration.id.in_(found[:limit]))
        .options(selectinload(Declaration.sub_orders), selectinload(Declaration.pushes))
        .order_by(Declaration.id.desc())
    ).all()
    return Page(rows, found[limit - 1] if len(found) > limit else None)


def next_case(db: Session, caller: Caller, after: str, cause_id: str | None = None) -> str | None:
    """The declaration to look at after this one: the next older with an open case, at the end the newest again.

    None when there is no other. With a cause, one of that cause.
    """
    for cursor in (after, None):
        asked = _cases(db, caller, cursor) if cause_id is None else _declarations_of(caller, cause_id, cursor)
        if (found := db.scalar(asked.limit(1))) is not None:
            return None if found == after else str(found)
    return None


def _cases(db: Session, caller: Caller, after: str | None) -> Select[str]:
    """The ids of declarations with an open case, in the order of a list; `after`: only those behind that one."""
    cases = select(Declaration.id).where(IN_REVIEW, caller.sees(Declaration.merchant_no))
    if after is not None and (reached := db.execute(select(*DECLARATIONS_BY).where(Declaration.id == after)).first()):
        cases = cases.where(beyond(DECLARATIONS_BY, reached))
    return cases.order_by(*newest_first(DECLARATIONS_BY))


def previous_case(db: Session, caller: Caller, before: str, cause_id: str) -> str | None:
    """The declaration before this one in the same order, at the beginning the oldest; None when there is no other."""
    cases = _declarations_of(caller, cause_id, None).order_by(None)
    for newer in (cases.where(Push.declaration_id > before), cases.where(Push.declaration_id < before)):
        if (found := db.scalar(newer.order_by(Push.declaration_id).limit(1))) is not None:
            return str(found)
    return None


def assign(db: Session, caller: Caller, cause_id: str, person_id: str | None) -> None:
    """Assign a cause to a person, or to nobody. Raises NotFound for an unknown cause or person."""
    group_of(db, caller, cause_id)
    if person_id is not None:
        person = db.get(Person, person_id)
        if person is None or person.disabled_at is not None:
            raise NotFound
    db.execute(update(Cause).where(Cause.id == cause_id).values(assignee_id=person_id))


def _groups(
    db: Session, caller: Caller, *narrowed: ColumnElement[bool], limit: int, offset: int = 0, least: int = 1
) -> Sequence[Group]:
    """Groups with at least so many open cases."""
    mine = (
        select(Tally.subject, _sum_of(OPEN).label("open"), _sum_of(OPENED).label("opened"))
        .where(Tally.kind == CAUSE, Tally.day == ALL_TIME, caller.sees(Tally.merchant_no))
        .group_by(Tally.subject)
        .having(_sum_of(OPEN) >= least)
        .subquery()
    )
    rows = db.execute(
        select(Cause, mine.c.open, mine.c.opened, Person.name)
        .join(mine, mine.c.subject == Cause.id)
        .outerjoin(Person, Person.id == Cause.assignee_id)
        .where(*narrowed)
        .order_by(mine.c.open.desc(), Cause.id)
        .limit(limit)
        .offset(offset)
    ).all()
    today = day_of(database.now(db))
    trends = _trends(db, caller, [cause.id for cause, *_ in rows], today)
    return [Group(cause, int(open_), int(opened), trends[cause.id], name) for cause, open_, opened, name in rows]


def _sum_of(word: str) -> ColumnElement[int]:
    return func.sum(case((Tally.word == word, Tally.count), else_=0))


def _trends(db: Session, caller: Caller, cause_ids: Sequence[str], today: date) -> dict[str, tuple[int, ...]]:
    days = [today - timedelta(days=ago) for ago in reversed(range(TREND_DAYS))]
    opened = db.execute(
        select(Tally.subject, Tally.day, func.sum(Tally.count))
        .where(
            Tally.kind == CAUSE,
            Tally.day.between(days[0], days[-1]),
            Tally.subject.in_(cause_ids),
            Tally.word == OPENED,
            caller.sees(Tally.merchant_no),
        )
        .group_by(Tally.subject, Tally.day)
    )
    counts = {(cause_id, day): int(count) for cause_id, day, count in opened}
    return {cause_id: tuple(counts.get((cause_id, day), 0) for day in days) for cause_id in cause_ids}


def _declarations_of(caller: Caller, cause_id: str, cursor: str | None) -> Select[str]:
    """The ids of declarations with an open case of a cause, newest first."""
    asked = select(Push.declaration_id).where(Push.cause_id == cause_id, caller.sees(Push.merchant_no)).distinct()
    if cursor is not None:
        asked = asked.where(Push.declaration_id < cursor)
    return asked.order_by(Push.declaration_id.desc())


def _narrowed(filters: GroupFilters) -> list[ColumnElement[bool]]:
    conditions = [
        getattr(Cause, name) == wanted
        for name in ("channel", "customs", "error")
        if (wanted := getattr(filters, name)) is not None
    ]
    if filters.assignee is not None:
        nobody = filters.assignee == NOBODY
        conditions.append(Cause.assignee_id.is_(None) if nobody else Cause.assignee_id == filters.assignee)
    return conditions


RECENT = timedelta(hours=1)
SENDING_OUT = (AuditAction.DECLARATION_REDECLARE, AuditAction.DECLARATION_MODIFY)


@dataclass(frozen=True)
class RecentDecisions:
    """The declarations that somebody decided on last, by state; those `in_review` failed again, or in another part."""

    states: Mapping[State, int]
    in_review: Sequence[Declaration]
    moving: bool

    @property
    def total(self) -> int:
        return sum(self.states.values())


def recent_decisions(db: Session, caller: Caller, now: datetime) -> RecentDecisions:
    """Return what the caller corrected or pushed again within the last hour, the newest MOST_AT_ONCE."""
    decided = (
        select(AuditEntry.subject_id)
        .where(AuditEntry.actor_id == caller.id, AuditEntry.at > now - RECENT, AuditEntry.action.in_(SENDING_OUT))
        .order_by(AuditEntry.at.desc())
        .limit(MOST_AT_ONCE)
    )
    ids = sorted(set(db.scalars(decided)))
    found = db.scalars(
        select(Declaration)
        .where(Declaration.id.in_(ids), caller.sees(Declaration.merchant_no))
        .options(selectinload(Declaration.pushes))
        .order_by(*newest_first(DECLARATIONS_BY))
    ).all()
    return RecentDecisions(
        states=Counter(declaration.state for declaration in found),
        in_review=[declaration for declaration in found if declaration.needs_review],
        moving=any(is_moving(declaration.pushes, now) and not declaration.needs_review for declaration in found),
    )
