"""Tallies of declarations: one rule for the difference that a change makes."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from customs.declarations.states import State, fold_states
from customs.stats.tallies import ALL_TIME, TallyKey, day_of

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
