"""Pushing again: which rules refuse it, which pushes it takes, and what it sets going."""

import pytest

from customs.auth.principal import Scope
from customs.declarations.states import Action, State
from customs.errors import ActionNotAllowed, InsufficientScope, ValidationFailed
from customs.gateway import Refused, Unknown
from tests import make
from tests.product import Desk

WRITER = make.caller(scopes=frozenset({Scope.DECLARATIONS_WRITE}))
REFUSED = Refused("amounts differ", exchange=make.exchange(), status=400)


def rule_of(refused) -> str:
    return refused.value.errors[0].code


def status_of(push):
    return push.state, push.next_action, push.epoch, push.due_at, push.case_reason


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The rules are plain values, whatever database keeps the rows."""
    return sqlite_url


@pytest.mark.parametrize("end", ["SUCCESS", "EXCEPT"])
def test_a_push_that_ended_is_pushed_again_in_a_new_epoch(desk: Desk, end: str):
    declaration_id = desk.declare()
    desk.end(declaration_id, end)

    desk.decide("redeclare", declaration_id)

    push = desk.push(declaration_id)
    assert (push.state, push.next_action, push.epoch) == (State.UNDECLARED, Action.REDECLARE, 1)
    assert push.due_at is not None
    declaration = desk.declaration(declaration_id)
    assert (declaration.state, declaration.needs_review) == (State.UNDECLARED, False)


def test_a_fail_is_not_pushed_again_as_it_is(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")
    before = status_of(desk.push(declaration_id))

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("redeclare", declaration_id)

    assert rule_of(refused) == "fail_needs_correction"
    assert status_of(desk.push(declaration_id)) == before


def test_a_reviewer_lets_a_fail_out_as_it_is(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    desk.decide("redeclare", declaration_id, override=True)

    assert desk.push(declaration_id).next_action is Action.REDECLARE


def test_an_override_needs_the_scope_of_review(desk: Desk):
    declaration_id = desk.declare()
    desk.end(declaration_id, "FAIL")

    with pytest.raises(InsufficientScope):
        desk.decide("redeclare", declaration_id, by=WRITER, override=True)


def test_a_push_that_the_gateway_never_took_is_sent_anew(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: REFUSED)

    desk.decide("redeclare", declaration_id)

    assert [task.action for task in desk.claim()] == [Action.SUBMIT]


def test_a_running_push_is_left_alone(desk: Desk):
    declaration_id = desk.declare()
    desk.work(lambda _: make.reply("PROCESSING", desk.now))

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("redeclare", declaration_id)

    assert rule_of(refused) == "still_running"


def test_no_action_while_a_call_is_in_the_air(desk: Desk):
    declaration_id = desk.declare()
    desk.send(desk.claim())

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("redeclare", declaration_id)

    assert rule_of(refused) == "in_flight"
    assert refused.value.not_before == desk.push(declaration_id).lease_until


@pytest.mark.parametrize("action", ["redeclare", "modify"])
def test_no_action_while_an_outcome_is_unknown(desk: Desk, action: str):
    declaration_id = desk.declare()
    desk.work(lambda _: Unknown("reset"))
    asked = {"redeclare": lambda: desk.decide("redeclare", declaration_id)}
    asked["modify"] = lambda: desk.modify(declaration_id, duty=3)

    with pytest.raises(ActionNotAllowed) as refused:
        asked[action]()

    assert rule_of(refused) == "outcome_unknown"
    assert refused.value.not_before == desk.push(declaration_id).due_at


def test_alipay_takes_no_repush_within_five_minutes_of_the_last(desk: Desk):
    declaration_id = desk.declare("alipay")
    desk.end(declaration_id)

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("redeclare", declaration_id)

    sent_at = desk.push(declaration_id).sent_at
    assert rule_of(refused) == "too_early"
    assert (refused.value.not_before - sent_at).total_seconds() == 300
    desk.wait(seconds=301)
    desk.decide("redeclare", declaration_id)


def test_nanshas_alipay_code_takes_no_repush_and_waiting_does_not_help(desk: Desk):
    declaration_id = desk.declare("alipay", office="GUANGZHOU_NANSHA")
    desk.end(declaration_id)
    desk.wait(hours=1)

    with pytest.raises(ActionNotAllowed) as refused:
        desk.decide("redeclare", declaration_id)

    assert (rule_of(refused), refused.value.not_before) == ("no_repush", None)


def test_one_push_that_may_not_stops_the_action(desk: Desk):
    declaration_id = desk.declare(office="GUANGZHOU_HUANGPU")
    ends = iter(["EXCEPT", "FAIL"])
    desk.work(lambda _: make.reply(next(ends), desk.now))

    with pytest.raises(ActionNotAllowed):
        desk.decide("redeclare", declaration_id)

    assert {push.state for push in desk.declaration(declaration_id).pushes} == {State.EXCEPT, State.FAIL}


def test_without_names_all_that_failed_go_out_and_what_is_success_stays(desk: Desk):
    declaration_id = desk.declare(parts=3)
    ends = iter(["SUCCESS", "EXCEPT", "EXCEPT"])
    desk.work(lambda _: make.reply(next(ends), desk.now))

    desk.decide("redeclare", declaration_id)

    states = sorted(push.state for push in desk.declaration(declaration_id).pushes)
    assert states == [State.SUCCESS, State.UNDECLARED, State.UNDECLARED]


def test_only_the_pushes_that_were_named_go_out(desk: Desk):
    declaration_id = desk.declare(parts=2)
    desk.end(declaration_id)

    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id, 1).id])

    assert [push.state for push in desk.declaration(declaration_id).pushes] == [State.SUCCESS, State.UNDECLARED]


def test_a_push_of_another_declaration_cannot_be_named(desk: Desk):
    declaration_id, other = desk.declare(), desk.declare()

    with pytest.raises(ValidationFailed) as refused:
        desk.decide("redeclare", declaration_id, push_ids=[desk.push(other).id])

    assert rule_of(refused) == "push_unknown"


def test_repushing_the_first_of_two_ordered_codes_leaves_a_second_that_is_success(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.end(declaration_id)
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id).id])

    first, second = desk.declaration(declaration_id).pushes
    assert (first.state, second.state) == (State.UNDECLARED, State.SUCCESS)


def test_a_second_code_that_was_not_yet_sent_waits_for_the_first_again(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.work(lambda _: make.reply("SUCCESS", desk.now))
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id, push_ids=[desk.push(declaration_id).id])

    assert desk.push(declaration_id, 1).due_at is None
    assert [task.filing.customs for task in desk.claim()] == ["SHENZHEN_ZS"]


def test_both_of_two_ordered_codes_go_out_again_one_after_the_other(desk: Desk):
    declaration_id = desk.declare("alipay", office="SHENZHEN")
    desk.end(declaration_id)
    desk.wait(minutes=6)

    desk.decide("redeclare", declaration_id)
    first = desk.work(lambda _: make.reply("SUCCESS", desk.now))
    second = desk.work(lambda _: make.reply("SUCCESS", desk.now))

    assert [[task.filing.customs for task in tasks] for tasks in (first, second)] == [["SHENZHEN_ZS"], ["ZONGSHU"]]
