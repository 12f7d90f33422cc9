"""Tallies of declarations: one rule for the difference that a change makes, and a recount against what is stored.

Whoever writes changes what is counted and its tally in one transaction, so how far both are apart is the same in every
snapshot: found in one, it may be added later. What only history knows stays as it is: how many cases were ever opened,
and how long it took to be SUCCESS.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Engine, func, or_, select, update
from sqlalchemy.orm import Session

from customs.db import database
from customs.db.bulk import upsert_many
from customs.db.database import Base
from customs.declarations.cases import CauseKey, cause_of, remember
from customs.declarations.models import Declaration, Push
from customs.declarations.states import State, fold_states
from customs.stats.tallies import ALL_TIME, TALLIES, Tally, TallyKey, apply_deltas, day_of

# What a tally counts: declarations as they stand, cases by their cause, and how long it took to be SUCCESS.
#
# | kind  | subject | words                                            | day                                 |
# |-------|---------|--------------------------------------------------|-------------------------------------|
# | state | office  | a state or cancelled; needs_review beside it,    | when it came, and EVER              |
# |       |         | and idle_… for a state without an end that waits |                                     |
# |       |         | for somebody, or for nothing                     |                                     |
# | cause | cause   | opened, which never goes down; open: EVER only   | when the case was opened, and EVER  |
# | clear | office  | the upper bound of its time, in seconds          | when it was SUCCESS                 |
STATE, CAUSE, CLEAR = "state", "cause", "clear"
CANCELLED, NEEDS_REVIEW = "cancelled", "needs_review"
OPEN, OPENED = "open", "opened"
# Those in a state without an end that are not under way: somebody has to decide, or nobody asks or sends any more.
IDLE = {state: f"idle_{state.lower()}" for state in State if not state.is_final}

Pushes = Sequence[Mapping[str, Any]]


def difference(owner: Mapping[str, Any], before: Pushes, after: Pushes, now: datetime) -> Counter[TallyKey]:
    """Return the changes of tallies when a declaration's pushes go from `before`, `()` for a new one, to `after`.

    `owner` holds merchant_no, channel, office and created_at; a push id, state, case_kind, cause_id, cancelled,
    next_action and blocked_by.
    """
    deltas: Counter[TallyKey] = Counter()
    merchant_no, channel, office = str(owner["merchant_no"]), str(owner["channel"]), str(owner["office"])

    def add(kind: str, day: date, subject: str, word: str, delta: int) -> None:
        deltas[TallyKey(kind, day, merchant_no, channel, subject, word)] += delta

    came = day_of(owner["created_at"])
    old, new = list(_words(before)), list(_words(after))
    if old != new:
        for words, delta in ((old, -1), (new, 1)):
            for word in words:
                add(STATE, came, office, word, delta)
                add(STATE, ALL_TIME, office, word, delta)
    for cause_id, delta in _causes(before, after):
        add(CAUSE, ALL_TIME, cause_id, OPEN, delta)
        if delta > 0:
            add(CAUSE, day_of(now), cause_id, OPENED, delta)
            add(CAUSE, ALL_TIME, cause_id, OPENED, delta)
    if State.SUCCESS in new and State.SUCCESS not in old:
        # Pushed again after a SUCCESS it was not accepted before, whatever was reported.
        add(CLEAR, day_of(now), office, bucket_of(now - owner["created_at"]), 1)
    return deltas


def total(differences: Iterable[Counter[TallyKey]]) -> Counter[TallyKey]:
    """Several differences as one."""
    added: Counter[TallyKey] = Counter()
    for one in differences:
        added.update(one)
    return added


def _words(pushes: Pushes) -> Iterator[str]:
    """The words under which a declaration with these pushes counts."""
    if not pushes:
        return
    cancelled = any(push["cancelled"] for push in pushes)
    state = fold_states(push["state"] for push in pushes)
    yield CANCELLED if cancelled else str(state)
    if not (cancelled or state.is_final or is_under_way(pushes)):
        yield IDLE[state]
    if any(push["case_kind"] for push in pushes):
        yield NEEDS_REVIEW


def is_under_way(pushes: Pushes) -> bool:
    """Return whether a declaration that has not ended goes on by itself; `queries.UNDER_WAY` is the same in SQL.

    Nobody has to decide on one of its pushes, and one of them has a next step that waits for no other code.
    """
    succeeded = {push["id"] for push in pushes if push["state"] is State.SUCCESS}
    goes_on = (
        push["next_action"] is not None and (push["blocked_by"] is None or push["blocked_by"] in succeeded)
        for push in pushes
    )
    return any(goes_on) and not any(push["case_kind"] for push in pushes)


def _causes(before: Pushes, after: Pushes) -> Iterator[tuple[str, int]]:
    """The causes for which a case was closed or opened; a declaration comes without one."""
    for old, new in zip(before, after, strict=False):
        if old["cause_id"] != new["cause_id"]:
            if old["cause_id"]:
                yield old["cause_id"], -1
            if new["cause_id"]:
                yield new["cause_id"], 1


# Six bounds to a doubling, from a second to twelve days: what is read between two of them is within some percent.
STEPS_A_DOUBLING = 6
STEPS = 120


@dataclass(frozen=True)
class Durations:
    """Durations of `count` declarations: half took at most `median`, nine of ten at most `ninetieth`."""

    count: int
    median: timedelta
    ninetieth: timedelta


def bucket_of(passed: timedelta) -> str:
    """The bucket of a length by its upper bound in seconds; the last one takes all that is longer."""
    seconds = max(passed.total_seconds(), 1.0)
    return _word(min(math.ceil(STEPS_A_DOUBLING * math.log2(seconds)), STEPS))


def _word(step: int) -> str:
    return f"{2 ** (step / STEPS_A_DOUBLING):.4g}"


STEP_OF = {_word(step): step for step in range(STEPS + 1)}


def durations(counts: Mapping[str, int]) -> Durations:
    """Return the durations from counts by bucket, of which at least one is above zero."""
    steps = sorted((STEP_OF[word], count) for word, count in counts.items() if count > 0)
    total = sum(count for _, count in steps)
    return Durations(total, _quantile(steps, 0.5 * total), _quantile(steps, 0.9 * total))


def _quantile(steps: list[tuple[int, int]], rank: float) -> timedelta:
    """The length of the `rank`th, as if those of one bucket were spread evenly over its ratio."""
    passed = 0
    for step, count in steps:
        if passed + count >= rank:
            within = (rank - passed) / count
            return timedelta(seconds=2 ** ((step - 1 + within) / STEPS_A_DOUBLING))
        passed += count
    raise ValueError("there is no such rank")


DECLARATIONS = Base.metadata.tables[Declaration.__tablename__]
PUSHES = Base.metadata.tables[Push.__tablename__]
declaration, push = DECLARATIONS.c, PUSHES.c

GROUP = 200
# How often a mend was made: whoever finds that another one came between begins again.
RECOUNTS = TallyKey("recount", ALL_TIME, "", "", "", "done")
OWNER = ("merchant_no", "channel", "office", "created_at")
WITHOUT_CAUSE = push.case_kind.is_not(None) & push.cause_id.is_(None)
WITHOUT_CASE = push.case_kind.is_(None) & push.cause_id.is_not(None)


@dataclass(frozen=True)
class Discrepancies:
    """By how much each tally is too small, and how many pushes have a case without a cause or the other way round."""

    tallies: Counter[TallyKey]
    causes: int

    def __bool__(self) -> bool:
        return bool(self.tallies or self.causes)


def find(engine: Engine) -> Discrepancies:
    """Compare everything, in one snapshot: some 20 seconds for a million declarations."""
    with database.reading(engine) as db:
        return _found(db)


def mend(engine: Engine) -> Discrepancies:
    """Give each case its cause, and add what the tallies lack; returns what was mended."""
    causes = 0
    while named := _name_causes(engine):
        causes += named
    while True:
        with database.reading(engine) as db:
            turn, found = _recounts(db), _found(db).tallies
        if not found or _add(engine, turn, found):
            return Discrepancies(found, causes)


def _found(db: Session) -> Discrepancies:
    differing = Counter(_counted(db))
    differing.subtract(_tallied(db))
    causes = db.scalar(select(func.count()).select_from(PUSHES).where(or_(WITHOUT_CAUSE, WITHOUT_CASE))) or 0
    return Discrepancies(Counter({key: count for key, count in differing.items() if count}), causes)


def _counted(db: Session) -> Counter[TallyKey]:
    """Count the declarations and cases that there are, as tallies."""
    names = ("id", "state", "cancelled", "case_kind", "cause_id", "next_action", "blocked_by")
    columns = (push.declaration_id, *(declaration[name] for name in OWNER), *(push[name] for name in names))
    joined = PUSHES.join(DECLARATIONS, declaration.id == push.declaration_id)
    asked = select(*columns).select_from(joined).order_by(push.declaration_id, push.id)
    rows = db.execute(asked, execution_options={"yield_per": 1000}).mappings()
    counted: Counter[TallyKey] = Counter()
    for _, group in groupby(rows, itemgetter("declaration_id")):
        pushes = [dict(row) for row in group]
        counted.update(_kept(pushes[0], pushes))
    return counted


def _kept(owner: Mapping[str, Any], pushes: Pushes) -> Iterator[TallyKey]:
    """The tallies that one declaration is counted in, but for those of its history; each once for every count."""
    now: datetime = owner["created_at"]
    for key in difference(owner, (), pushes, now):
        if key.kind == STATE:
            yield key
    for one in pushes:
        if one["cause_id"]:
            yield TallyKey(CAUSE, ALL_TIME, owner["merchant_no"], str(owner["channel"]), one["cause_id"], OPEN)


def _tallied(db: Session) -> Counter[TallyKey]:
    """Return the tallies of what can be counted again."""
    named = [getattr(Tally, name) for name in TallyKey._fields]
    countable = or_(Tally.kind == STATE, (Tally.kind == CAUSE) & (Tally.word == OPEN))
    rows = db.execute(select(*named, func.sum(Tally.count)).where(countable).group_by(*named))
    return Counter({TallyKey(*key): int(count) for *key, count in rows})


def _add(engine: Engine, turn: int, found: Counter[TallyKey]) -> bool:
    """Add what is lacking, unless somebody else mended since the snapshot of `turn`."""
    with database.transaction(engine) as db:
        # Whoever comes second waits here for the first, and then sees that it is not its turn any more.
        row = RECOUNTS._asdict() | {"slot": 0, "count": 1}
        upsert_many(db.connection(), TALLIES, [row], {"count": "existing.count + excluded.count"})
        is_settled = _recounts(db) == turn + 1
        if is_settled:
            apply_deltas(db, found)
    return is_settled


def _recounts(db: Session) -> int:
    return db.scalar(select(func.coalesce(func.sum(Tally.count), 0)).where(Tally.kind == RECOUNTS.kind)) or 0


def _name_causes(engine: Engine) -> int:
    """Give some cases their causes, and take causes from what has no case; returns how many."""
    with database.transaction(engine) as db:
        now, connection = database.now(db), db.connection()
        asked = select(push.declaration_id).where(or_(WITHOUT_CAUSE, WITHOUT_CASE)).order_by(push.declaration_id)
        ids = sorted(set(connection.scalars(asked.limit(GROUP))))
        owners = _locked(connection, select(DECLARATIONS).where(declaration.id.in_(ids)).order_by(declaration.id))
        asked = select(PUSHES).where(push.declaration_id.in_(ids)).order_by(push.declaration_id, push.id)
        before = _locked(connection, asked)
        after = [row | {"cause_id": _cause_id(row)} for row in before]
        changed = [mended for row, mended in zip(before, after, strict=True) if row != mended]
        for row in changed:
            connection.execute(update(PUSHES).where(push.id == row["id"]).values(cause_id=row["cause_id"]))
        remember(connection, [_cause(row) for row in changed if row["cause_id"]], now)
        old, new = _by_owner(before), _by_owner(after)
        apply_deltas(db, total(difference(one, old[one["id"]], new[one["id"]], now) for one in owners))
    return len(changed)


def _locked(db: Connection, asked: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in db.execute(asked.with_for_update()).mappings()]


def _by_owner(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {owner: list(group) for owner, group in groupby(rows, itemgetter("declaration_id"))}


def _cause_id(row: Mapping[str, Any]) -> str | None:
    if row["case_kind"] is None:
        return None
    named: str | None = row["cause_id"]
    return named or _cause(row).id


def _cause(row: Mapping[str, Any]) -> CauseKey:
    return cause_of(row["channel"], row["customs"], row["case_kind"], row["case_detail"])
