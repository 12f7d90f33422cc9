"""What the gateway reports of a push, in and out of order (R11, R12), of its buyer (R8), and any sequence at all."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.declarations.cases import CaseKind
from customs.declarations.identity import Identity
from customs.declarations.pushes.outcomes import POLLING_BUDGET, handle_outcome
from customs.declarations.states import Action, State
from customs.gateway import Busy, ClockSkew, Credentials, Misuse, NotFound, NotSent, Refused, Unknown
from tests import make
from tests.make import NOON, PACE

SENDS = [Action.SUBMIT, Action.REDECLARE, Action.MODIFY]
EXCHANGE = make.exchange()
NOT_SENT = NotSent("refused")
BUSY = Busy("later", exchange=EXCHANGE, retry_after=None)
CREDENTIALS = Credentials("no", exchange=EXCHANGE)
SKEW = ClockSkew("late", exchange=EXCHANGE, server_time=None)
NOT_FOUND = NotFound("no such order", exchange=EXCHANGE, status=404)
REFUSED = Refused("amounts differ", exchange=EXCHANGE, status=400)
BUSINESS = Refused("parameters differ", exchange=EXCHANGE, status=555, code="PARAM_ERROR")
MISUSE = Misuse("an amount has three places")
UNKNOWN = Unknown("reset", exchange=EXCHANGE)
LONG_AGO = NOON - timedelta(days=1)
GRACE = timedelta(seconds=PACE.grace_seconds)


def after(kept, action, outcome, *, now=NOON):
    return handle_outcome(kept, action, outcome, now, PACE).after


def seconds_until_due(state_now, now=NOON):
    return (state_now.due_at - now).total_seconds()


# What the gateway reports (R11, R12).


@pytest.mark.parametrize("end", ["SUCCESS", "FAIL", "EXCEPT"])
def test_an_end_stops_the_polling(end):
    push = after(make.sent(Action.SUBMIT), Action.SUBMIT, make.reply(end))

    assert (push.state, push.next_action, push.due_at) == (State(end), None, None)
    assert (push.case_kind is not None) == (end != "SUCCESS")


@pytest.mark.parametrize("state", ["UNDECLARED", "SUBMITTED", "PROCESSING"])
def test_what_has_not_ended_is_polled_each_time_after_longer(state):
    push, waits = make.sent(Action.SUBMIT), []
    for _ in range(15):
        push = after(push, Action.QUERY, make.reply(state))
        waits.append(seconds_until_due(push))

    assert 54 <= waits[0] <= 66
    assert max(waits) <= 60 * 20 * 1.1
    assert all(wait >= 60 * 20 * 0.9 for wait in waits[-3:])


def test_the_explanation_of_a_failure_is_kept_and_stands_in_the_case():
    push = after(make.sent(Action.SUBMIT), Action.SUBMIT, make.reply("FAIL", explanation="备案号不存在"))

    assert push.explanation == "备案号不存在"
    assert make.reason(push) == "FAIL: 备案号不存在"


def test_old_error_text_disappears_on_success():
    kept = make.sent(Action.MODIFY, explanation="备案号不存在", prior_state=State.FAIL)

    assert after(kept, Action.MODIFY, make.reply("SUCCESS")).explanation is None


def test_a_stale_reply_changes_nothing():
    kept = make.push_state(accepted=True, state=State.PROCESSING, modify_time=NOON, next_action=Action.QUERY)

    push = after(kept, Action.QUERY, make.reply("FAIL", NOON - timedelta(seconds=1), cert_check_result="DIFFERENT"))

    assert (push.state, push.identity, push.modify_time) == (State.PROCESSING, None, NOON)
    assert (push.next_action, push.case_kind) == (Action.QUERY, None)


def test_a_newer_reply_that_goes_back_is_the_gateways_truth_and_a_reviewers_work():
    kept = make.push_state(accepted=True, state=State.PROCESSING, modify_time=NOON, next_action=Action.QUERY)

    push = after(kept, Action.QUERY, make.reply("UNDECLARED", NOON + timedelta(seconds=1)))

    assert (push.state, push.next_action) == (State.UNDECLARED, Action.QUERY)
    assert "PROCESSING" in make.reason(push) and "UNDECLARED" in make.reason(push)


def test_a_reply_that_goes_back_at_the_same_time_comes_from_a_copy_that_lags_behind():
    kept = make.push_state(accepted=True, state=State.PROCESSING, modify_time=NOON, next_action=Action.QUERY)

    push = after(kept, Action.QUERY, make.reply("UNDECLARED", NOON))

    assert (push.state, push.next_action, push.case_kind) == (State.PROCESSING, Action.QUERY, None)


@pytest.mark.parametrize("time", [NOON, None], ids=["frozen", "absent"])
def test_a_modify_time_that_stands_still_or_is_missing_does_not_hold_the_state_back(time):
    kept = make.push_state(accepted=True, state=State.PROCESSING, modify_time=NOON, next_action=Action.QUERY)

    assert after(kept, Action.QUERY, make.reply("SUCCESS", time)).state is State.SUCCESS


def test_an_unknown_state_word_is_kept_raw_and_put_before_a_reviewer_while_polling_goes_on():
    push = after(make.sent(Action.SUBMIT), Action.SUBMIT, make.reply("ARCHIVED"))

    assert push.state is State.UNDECLARED
    assert "ARCHIVED" in make.reason(push)
    assert (push.accepted, push.next_action) == (True, Action.QUERY)


def test_submitted_after_a_modify_is_polled_and_never_fails_by_age():
    push = after(make.sent(Action.MODIFY), Action.MODIFY, make.reply("SUBMITTED"))
    for day in range(1, 8):
        push = after(push, Action.QUERY, make.reply("SUBMITTED"), now=NOON + timedelta(days=day))

    assert (push.state, push.next_action) == (State.SUBMITTED, Action.QUERY)


def test_a_day_of_asking_opens_a_case_while_the_asking_goes_on_at_the_longest_interval():
    kept = make.push_state(accepted=True, budget_from=NOON, poll_count=100, next_action=Action.QUERY)
    late = NOON + POLLING_BUDGET + timedelta(seconds=1)

    push = after(kept, Action.QUERY, make.reply("PROCESSING"), now=late)

    assert (push.next_action, push.state) == (Action.QUERY, State.PROCESSING)
    assert push.case_kind
    assert seconds_until_due(push, late) >= 60 * 20 * 0.9


def test_the_first_reason_of_a_case_stays_until_somebody_decides():
    kept = make.push_state(accepted=True, case_kind=CaseKind.WENT_BACK, case_detail={}, next_action=Action.QUERY)

    assert after(kept, Action.QUERY, make.reply("FAIL")).case_kind is CaseKind.WENT_BACK


def test_an_end_that_came_at_last_replaces_the_reason_that_none_came():
    kept = make.push_state(accepted=True, case_kind=CaseKind.NO_END, case_detail={}, next_action=Action.QUERY)

    assert make.reason(after(kept, Action.QUERY, make.reply("FAIL"))) == "FAIL"


# Identity (R8).


@pytest.mark.parametrize(
    ("word", "identity"),
    [("SAME", "MATCH"), ("T", "MATCH"), ("DIFFERENT", "MISMATCH"), ("F", "MISMATCH"), ("UNCHECKED", "UNCHECKED")],
)
def test_the_identity_is_one_verdict_in_both_channels_words(word, identity):
    push = after(make.sent(Action.SUBMIT), Action.SUBMIT, make.reply("SUCCESS", cert_check_result=word))

    assert push.identity is Identity(identity)


@pytest.mark.parametrize("word", ["DIFFERENT", "F"])
def test_a_mismatch_does_not_fail_the_declaration_and_opens_a_case(word):
    push = after(make.sent(Action.SUBMIT), Action.SUBMIT, make.reply("SUCCESS", cert_check_result=word))

    assert (push.state, push.next_action) == (State.SUCCESS, None)
    assert "MISMATCH" in make.reason(push)


@pytest.mark.parametrize("word", [None, "", "?"])
def test_an_identity_that_a_repush_leaves_out_is_kept(word):
    kept = make.sent(Action.REDECLARE, identity=Identity.MATCH)

    push = after(kept, Action.REDECLARE, make.reply("SUCCESS", cert_check_result=word))

    assert push.identity is Identity.MATCH


# Whatever comes, in whatever order.

outcomes = st.one_of(
    st.sampled_from([NOT_SENT, BUSY, CREDENTIALS, SKEW, NOT_FOUND, REFUSED, BUSINESS, MISUSE, UNKNOWN]),
    st.builds(
        make.reply,
        st.sampled_from([*State, "ARCHIVED"]),
        st.one_of(st.none(), st.integers(-3, 3).map(lambda hours: NOON + timedelta(hours=hours))),
        cert_check_result=st.sampled_from([None, "SAME", "DIFFERENT", "F"]),
    ),
)
steps = st.lists(st.tuples(outcomes, st.sampled_from([0, 1, 100, 500, 90_000])), max_size=40)


@given(first=st.sampled_from(SENDS), steps=steps)
def test_no_sequence_of_outcomes_breaks_a_promise(first, steps):
    now = NOON
    kept = make.sent(first)
    action = first
    sent_at = NOON
    for outcome, seconds in steps:
        now += timedelta(seconds=seconds)
        push = after(kept, action, outcome, now=now)

        assert (push.due_at is None) == (push.next_action is None)
        assert push.next_action is not None or push.state.is_final or push.case_kind
        assert not (push.state in (State.FAIL, State.EXCEPT) and push.next_action is None) or push.case_kind
        assert push.in_doubt is None or push.next_action is Action.QUERY
        assert not kept.state.is_final or push.state is kept.state
        assert not isinstance(outcome, Unknown) or push.next_action is Action.QUERY
        if action is Action.QUERY and push.next_action in SENDS:
            assert now - sent_at >= GRACE
        if push.next_action is None:
            return
        action = push.next_action
        if action in SENDS:
            assert action is first
            now = max(now, push.due_at)
            sent_at = now
            push = make.push_state(
                **{name: getattr(push, name) for name in push.__dataclass_fields__}
                | {"in_doubt": action, "next_action": Action.QUERY, "sent_at": now}
            )
        kept = push
