"""The states: the table of moves is walked entry by entry, and a declaration folds over its pushes."""

from itertools import combinations_with_replacement, product

import pytest

from customs.declarations.states import NEXT, State, fold_states, is_forward, read_state

U, S, P = State.UNDECLARED, State.SUBMITTED, State.PROCESSING
OK, FAIL, EXCEPT = State.SUCCESS, State.FAIL, State.EXCEPT

# R11, drawn a second time by hand: within one epoch, skipping is allowed and going back is not.
DIAGRAM = {
    U: [S, P, OK, FAIL, EXCEPT],
    S: [P, OK, FAIL, EXCEPT],
    P: [OK, FAIL, EXCEPT],
    OK: [],
    FAIL: [],
    EXCEPT: [],
}


def test_there_are_the_documents_six_states_and_no_others():
    assert [state.value for state in State] == ["UNDECLARED", "SUBMITTED", "PROCESSING", "SUCCESS", "FAIL", "EXCEPT"]
    assert set(NEXT) == set(State)


@pytest.mark.parametrize(("kept", "reported"), list(product(State, State)))
def test_every_move_is_as_drawn(kept: State, reported: State):
    assert is_forward(kept, reported) == (kept is reported or reported in DIAGRAM[kept])


@pytest.mark.parametrize("state", State)
def test_success_fail_and_except_end_an_epoch(state: State):
    assert state.is_final == (state in (OK, FAIL, EXCEPT))


@pytest.mark.parametrize(
    ("word", "state"),
    [("SUCCESS", OK), (" success ", OK), ("Processing", P), ("DECLARED", None), ("", None), ("T", None)],
)
def test_the_gateways_word_is_read_tolerantly_and_never_guessed(word: str, state: State | None):
    assert read_state(word) is state


@pytest.mark.parametrize(
    ("pushes", "expected"),
    [
        ([OK, OK, FAIL], FAIL),
        ([U, FAIL, EXCEPT], FAIL),
        ([OK, EXCEPT, U], EXCEPT),
        ([OK, P, U], U),
        ([OK, P, S], S),
        ([OK, P], P),
        ([OK, OK], OK),
        ([], U),
    ],
)
def test_a_declaration_is_any_fail_else_any_except_else_the_least_advanced(pushes: list[State], expected: State):
    assert fold_states(pushes) is expected


@pytest.mark.parametrize("pushes", list(combinations_with_replacement(State, 2)))
def test_a_declaration_is_success_only_when_all_of_it_is(pushes: tuple[State, State]):
    assert (fold_states(pushes) is OK) == (set(pushes) == {OK})
