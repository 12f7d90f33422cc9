"""The states of a push and of a declaration: one table that reads like a diagram, and how they fold (R11, R12)."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import Any

from customs.declarations.identity import fold_identities


class State(StrEnum):
    """The document's six customs states (9.1), and no others."""

    UNDECLARED = "UNDECLARED"
    SUBMITTED = "SUBMITTED"
    PROCESSING = "PROCESSING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"
    EXCEPT = "EXCEPT"

    @property
    def is_final(self) -> bool:
        return not NEXT[self]


class Action(StrEnum):
    """The next call for a push."""

    SUBMIT = "SUBMIT"
    QUERY = "QUERY"
    REDECLARE = "REDECLARE"
    MODIFY = "MODIFY"


# Within one epoch; only an action of ours (ADD, re-push, MODIFY) begins another, at UNDECLARED.
NEXT: dict[State, set[State]] = {
    State.UNDECLARED: {State.SUBMITTED, State.PROCESSING, State.SUCCESS, State.FAIL, State.EXCEPT},
    State.SUBMITTED: {State.PROCESSING, State.SUCCESS, State.FAIL, State.EXCEPT},
    State.PROCESSING: {State.SUCCESS, State.FAIL, State.EXCEPT},
    State.SUCCESS: set(),
    State.FAIL: set(),
    State.EXCEPT: set(),
}

LEAST_ADVANCED = (State.UNDECLARED, State.SUBMITTED, State.PROCESSING, State.SUCCESS)


def is_forward(current: State, reported: State) -> bool:
    """Return whether the gateway may report `reported` after `current` within one epoch."""
    return reported == current or reported in NEXT[current]


def read_state(word: str) -> State | None:
    """Read the gateway's word as a State; None for a word that the document does not list."""
    return State.__members__.get(word.strip().upper())


def fold_states(states: Iterable[State]) -> State:
    """Return a declaration's state from its pushes': any FAIL, else any EXCEPT, else the least advanced."""
    known = set(states)
    for worst in (State.FAIL, State.EXCEPT):
        if worst in known:
            return worst
    return next((state for state in LEAST_ADVANCED if state in known), State.UNDECLARED)


def roll_up(pushes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a declaration's state, identity and case from its pushes' columns; the oldest open case speaks."""
    cases = sorted((push for push in pushes if push["case_kind"]), key=itemgetter("case_since"))
    return {
        "state": fold_states(push["state"] for push in pushes),
        "identity": fold_identities(push["identity"] for push in pushes if push["identity"]),
        "needs_review": bool(cases),
        "case_kind": cases[0]["case_kind"] if cases else None,
        "case_detail": cases[0]["case_detail"] if cases else None,
        "case_since": cases[0]["case_since"] if cases else None,
    }
