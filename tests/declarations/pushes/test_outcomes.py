"""What each outcome means for a push: `reliability.md`'s first table walked row by row, and R11 to R15."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from customs.declarations.cases import CaseKind
from customs.declarations.contents import Echo
from customs.declarations.pushes.outcomes import handle_outcome
from customs.declarations.states import Action, State
from customs.gateway import Busy, ClockSkew, Credentials, Misuse, NotFound, NotSent, OtherRecord, Refused, Unknown
from customs.lanes.breaker import Signal, signal_of
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
ANOTHERS = OtherRecord("another payment's", exchange=EXCHANGE)
UNKNOWN = Unknown("reset", exchange=EXCHANGE)
LONG_AGO = NOON - timedelta(days=1)
GRACE = timedelta(seconds=PACE.grace_seconds)


def after(kept, action, outcome, *, now=NOON, echo=Echo.SILENT):
    return handle_outcome(kept, action, outcome, now, PACE, echo).after


def seconds_until_due(state_now, now=NOON):
    return (state_now.due_at - now).total_seconds()


# reliability.md, "What came back, and what it means": the column "next" for a call that changes something.
AFTER_A_SEND = [
    ("not sent", NOT_SENT, "again"),
    ("503 or 429", BUSY, "again"),
    ("401 or 403", CREDENTIALS, "again"),
    ("411", SKEW, "again"),
    ("400", REFUSED, "review"),
    ("404", NOT_FOUND, "review"),
    ("555 business", BUSINESS, "review"),
    ("misuse", MISUSE, "review"),
    ("another's record", ANOTHERS, "ask"),
    ("unknown", UNKNOWN, "ask"),
]


@pytest.mark.parametrize("action", SENDS)
@pytest.mark.parametrize(
    ("outcome", "next_step"), [row[1:] for row in AFTER_A_SEND], ids=[row[0] for row in AFTER_A_SEND]
)
def test_a_call_that_changes_something_is_followed_by_what_the_table_says(action, outcome, next_step):
    push = after(make.sent(action), action, outcome)

    seen = (push.next_action, push.in_doubt, push.case_kind is not None)
    assert (
        seen
        == {
            "again": (action, None, False),
            "review": (None, None, True),
            "ask": (Action.QUERY, action, False),
        }[next_step]
    )
    assert (push.due_at is None) == (next_step == "review")


@pytest.mark.parametrize(
    "outcome",
    [NOT_SENT, BUSY, CREDENTIALS, SKEW, NOT_FOUND, REFUSED, BUSINESS, MISUSE, ANOTHERS, UNKNOWN],
    ids=lambda outcome: type(outcome).__name__,
)
def test_a_query_that_brought_nothing_is_made_again(outcome):
    kept = make.push_state(accepted=True, state=State.PROCESSING, next_action=Action.QUERY)

    push = after(kept, Action.QUERY, outcome)

    assert (push.next_action, push.state, push.case_kind) == (Action.QUERY, State.PROCESSING, None)
    assert push.due_at > NOON


@pytest.mark.parametrize(
    ("outcome", "word", "signal"),
    [
        (make.reply(), "answered", Signal.ANSWERED),
        (NOT_SENT, "not_sent", Signal.THROTTLED),
        (BUSY, "busy", Signal.THROTTLED),
        (CREDENTIALS, "credentials", Signal.REJECTED),
        (SKEW, "clock", Signal.SKEWED),
        (NOT_FOUND, "not_found", Signal.ANSWERED),
        (REFUSED, "refused", Signal.ANSWERED),
        (MISUSE, "misuse", Signal.SILENT),
        (ANOTHERS, "another_record", Signal.ANSWERED),
        (UNKNOWN, "unknown", Signal.UNKNOWN),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_outcome_has_a_word_for_the_timeline_and_one_for_the_lane(outcome, word, signal):
    transition = handle_outcome(make.sent(Action.SUBMIT), Action.SUBMIT, outcome, NOON, PACE)

    assert (transition.outcome, signal_of(outcome)) == (word, signal)


@pytest.mark.parametrize(
    "kept",
    [make.sent(Action.SUBMIT), make.push_state(accepted=True, next_action=Action.QUERY)],
    ids=["in doubt", "under way"],
)
def test_answers_about_another_payment_open_a_case_once_they_are_certain(kept):
    cases = []
    for outcome in (ANOTHERS, ANOTHERS, NOT_FOUND, ANOTHERS, UNKNOWN, ANOTHERS, ANOTHERS):
        kept = after(kept, Action.QUERY, outcome)
        cases.append(kept.case_kind)

    assert cases == [None] * 6 + [CaseKind.ANOTHERS_NUMBER]
    assert (kept.next_action, kept.state) == (Action.QUERY, State.UNDECLARED)


# Failures that are not the push's own.


@pytest.mark.parametrize("outcome", [NOT_SENT, BUSY, CREDENTIALS, SKEW], ids=lambda outcome: type(outcome).__name__)
def test_an_hour_of_calls_that_were_not_done_costs_no_budget_and_sends_nothing_to_review(outcome):
    push = make.sent(Action.SUBMIT)
    for minute in range(60):
        push = after(push, Action.SUBMIT, outcome, now=NOON + timedelta(minutes=minute))
        push = make.sent(
            Action.SUBMIT,
            failed_attempts=push.failed_attempts,
            budget_from=push.budget_from,
            unknown_rounds=push.unknown_rounds,
        )

    assert (push.unknown_rounds, push.poll_count, push.case_kind) == (0, 0, None)


def test_waits_after_calls_that_were_not_done_grow_from_a_second_to_a_minute():
    waits = [
        seconds_until_due(after(make.sent(Action.SUBMIT, failed_attempts=t), Action.SUBMIT, NOT_SENT))
        for t in range(12)
    ]

    assert 0.9 <= waits[0] <= 1.1
    assert all(later > sooner for sooner, later in pairwise(waits[:6]))
    assert all(54 <= wait <= 66 for wait in waits[6:])


def test_a_retry_after_is_honoured():
    busy = Busy("later", exchange=EXCHANGE, retry_after=77.0)

    assert seconds_until_due(after(make.sent(Action.SUBMIT), Action.SUBMIT, busy)) == 77.0


# Unknown outcomes (R13).


def test_not_found_does_not_count_before_the_grace_has_passed_since_the_send():
    kept = make.sent(Action.SUBMIT)
    now = NOON + GRACE - timedelta(seconds=1)

    push = after(kept, Action.QUERY, NOT_FOUND, now=now)

    assert (push.next_action, push.in_doubt) == (Action.QUERY, Action.SUBMIT)
    assert push.due_at == NOON + GRACE


@pytest.mark.parametrize("action", SENDS)
def test_the_grace_counts_from_when_the_outcome_became_unknown_for_it_left_after_its_mark(action):
    marked = make.sent(action)
    lost_at = NOON + timedelta(seconds=50)

    lost = after(marked, action, UNKNOWN, now=lost_at)
    early = after(lost, Action.QUERY, NOT_FOUND, now=NOON + GRACE + timedelta(seconds=49))
    late = after(lost, Action.QUERY, NOT_FOUND, now=lost_at + GRACE)

    assert (early.next_action, early.in_doubt) == (Action.QUERY, action)
    assert (late.next_action, late.in_doubt) == (action, None)


@pytest.mark.parametrize("action", SENDS)
def test_not_found_after_the_grace_sends_the_same_again(action):
    push = after(make.sent(action), Action.QUERY, NOT_FOUND, now=NOON + GRACE)

    assert (push.next_action, push.in_doubt, push.unknown_rounds, push.case_kind) == (action, None, 1, None)


@pytest.mark.parametrize("outcome", [UNKNOWN, REFUSED, BUSINESS, NOT_SENT, BUSY], ids=lambda o: type(o).__name__)
def test_only_not_found_lets_a_call_in_doubt_go_out_again(outcome):
    push = after(make.sent(Action.SUBMIT), Action.QUERY, outcome, now=NOON + 2 * GRACE)

    assert (push.next_action, push.in_doubt) == (Action.QUERY, Action.SUBMIT)


def test_a_submit_without_effect_goes_to_review_after_twenty_rounds():
    push, rounds = make.sent(Action.SUBMIT), 0
    while push.next_action is not None:
        push = after(push, Action.QUERY, NOT_FOUND, now=NOON + GRACE)
        rounds += 1
        if push.next_action is Action.SUBMIT:
            push = make.sent(Action.SUBMIT, unknown_rounds=push.unknown_rounds)

    assert rounds == 20
    assert push.case_kind and push.state is State.UNDECLARED


@pytest.mark.parametrize("action", [Action.REDECLARE, Action.MODIFY])
def test_a_repush_or_modify_without_effect_is_sent_once_more_and_then_reviewed(action):
    unchanged = make.reply("SUCCESS", NOON - timedelta(hours=1))

    once = after(make.sent(action), Action.QUERY, unchanged, now=NOON + GRACE)
    twice = after(make.sent(action, unknown_rounds=once.unknown_rounds), Action.QUERY, unchanged, now=NOON + GRACE)

    assert (once.next_action, once.case_kind) == (action, None)
    assert (twice.next_action, twice.in_doubt) == (None, None)
    assert twice.case_kind
    assert twice.state is State.SUCCESS


@pytest.mark.parametrize("action", [Action.REDECLARE, Action.MODIFY])
@pytest.mark.parametrize("state", ["UNDECLARED", "SUBMITTED", "PROCESSING", "SUCCESS", "FAIL", "EXCEPT"])
def test_a_newer_modify_time_shows_that_a_repush_or_modify_took_effect(action, state):
    push = after(make.sent(action), Action.QUERY, make.reply(state, NOON))

    assert (push.state, push.in_doubt, push.prior_state, push.modify_time) == (State(state), None, None, NOON)


@pytest.mark.parametrize("action", [Action.REDECLARE, Action.MODIFY])
def test_an_unchanged_record_shows_nothing_before_the_grace(action):
    unchanged = make.reply("SUCCESS", NOON - timedelta(hours=1))

    push = after(make.sent(action), Action.QUERY, unchanged, now=NOON + timedelta(minutes=1))

    assert (push.state, push.next_action, push.in_doubt) == (State.UNDECLARED, Action.QUERY, action)


@pytest.mark.parametrize("action", [Action.REDECLARE, Action.MODIFY])
def test_an_equal_modify_time_with_another_state_than_before_counts_as_an_effect(action):
    push = after(make.sent(action), Action.QUERY, make.reply("PROCESSING", NOON - timedelta(hours=1)))

    assert (push.state, push.in_doubt) == (State.PROCESSING, None)


def test_a_record_older_than_what_we_hold_says_nothing_of_a_modify():
    older = make.reply("FAIL", NOON - timedelta(hours=2))

    push = after(make.sent(Action.MODIFY), Action.QUERY, older, now=NOON + timedelta(minutes=1))

    assert (push.state, push.in_doubt, push.case_kind) == (State.UNDECLARED, Action.MODIFY, None)


def test_alipays_old_answer_to_a_repush_that_came_too_soon_is_no_success():
    old = make.reply("SUCCESS", NOON - timedelta(hours=1))

    push = after(make.sent(Action.REDECLARE), Action.REDECLARE, old)

    assert (push.state, push.next_action, push.in_doubt) == (State.UNDECLARED, Action.QUERY, Action.REDECLARE)


@pytest.mark.parametrize("outcome", [REFUSED, NOT_FOUND, BUSINESS], ids=["400", "404", "555"])
@pytest.mark.parametrize("action", SENDS)
def test_a_refusal_after_a_round_of_doubt_asks_first(action, outcome):
    push = after(make.sent(action, unknown_rounds=1), action, outcome)

    assert (push.next_action, push.in_doubt, push.case_kind) == (Action.QUERY, action, None)


def test_a_refusal_that_meant_already_declared_ends_as_the_gateway_says():
    asked = after(make.sent(Action.SUBMIT, unknown_rounds=1), Action.SUBMIT, REFUSED)

    push = after(asked, Action.QUERY, make.reply("SUCCESS"))

    assert (push.state, push.next_action, push.case_kind, push.refusal) == (State.SUCCESS, None, None, None)


def test_a_refusal_that_the_query_does_not_contradict_is_reviewed_with_its_words_and_not_sent_again():
    asked = after(make.sent(Action.SUBMIT, unknown_rounds=1), Action.SUBMIT, REFUSED)

    push = after(asked, Action.QUERY, NOT_FOUND, now=NOON + GRACE)

    assert push.next_action is None
    assert "amounts differ" in make.reason(push)


# A MODIFY in doubt while the epoch before still runs.

BEFORE, SOON, AFTER_GRACE = NOON - timedelta(hours=1), NOON + timedelta(minutes=1), NOON + timedelta(minutes=8)
RUNNING = {"prior_state": State.PROCESSING, "modify_time": BEFORE, "accepted_content": "{}"}


def lost_modify(**changes):
    return make.sent(Action.MODIFY, **RUNNING | changes)


def test_the_earlier_filing_moving_on_is_no_proof_that_a_modify_took_effect():
    push = after(lost_modify(), Action.QUERY, make.reply("SUCCESS", NOON), now=SOON)

    assert (push.in_doubt, push.next_action, push.state) == (Action.MODIFY, Action.QUERY, State.UNDECLARED)
    assert (push.prior_state, push.modify_time, push.accepted_content) == (State.SUCCESS, NOON, "{}")


def test_once_the_earlier_filing_has_ended_a_newer_time_is_a_proof():
    ended = after(lost_modify(), Action.QUERY, make.reply("SUCCESS", NOON), now=SOON)

    push = after(ended, Action.QUERY, make.reply("PROCESSING", SOON), now=SOON)

    assert (push.in_doubt, push.state, push.accepted_content) == (None, State.PROCESSING, None)


def test_a_modify_that_shows_no_effect_after_the_grace_is_sent_once_more_and_then_reviewed():
    ended = after(lost_modify(), Action.QUERY, make.reply("SUCCESS", NOON), now=SOON)

    again = after(ended, Action.QUERY, make.reply("SUCCESS", NOON), now=AFTER_GRACE)
    lost = replace(again, in_doubt=Action.MODIFY, next_action=Action.QUERY)
    push = after(lost, Action.QUERY, make.reply("SUCCESS", NOON), now=AFTER_GRACE + timedelta(minutes=8))

    assert (again.next_action, again.in_doubt) == (Action.MODIFY, None)
    assert (push.next_action, push.state, push.content_in_doubt) == (None, State.SUCCESS, True)
    assert make.reason(push) == "MODIFY sent 2 times without effect"


@pytest.mark.parametrize("prior", [State.PROCESSING, State.SUCCESS])
def test_content_that_is_repeated_settles_a_modify_in_doubt(prior: State):
    kept = lost_modify(prior_state=prior)

    new = after(kept, Action.QUERY, make.reply("PROCESSING", NOON), now=SOON, echo=Echo.WANTED)
    old = after(kept, Action.QUERY, make.reply("PROCESSING", NOON), now=SOON, echo=Echo.OTHER)

    assert (new.in_doubt, new.accepted_content) == (None, None)
    assert (old.in_doubt, old.accepted_content) == (Action.MODIFY, "{}")


def test_a_repush_is_judged_alike_while_the_filing_before_still_runs():
    kept = lost_modify(in_doubt=Action.REDECLARE, accepted_content=None)

    push = after(kept, Action.QUERY, make.reply("SUCCESS", NOON), now=SOON)

    assert (push.in_doubt, push.prior_state) == (Action.REDECLARE, State.SUCCESS)


@pytest.mark.parametrize(("before_the_send", "in_doubt"), [(5, Action.MODIFY), (1, None), (-1, None)])
def test_a_newer_time_from_before_the_send_is_no_proof(before_the_send: int, in_doubt: Action | None):
    kept = lost_modify(prior_state=State.SUCCESS)
    moment = NOON - timedelta(minutes=before_the_send)

    push = after(kept, Action.QUERY, make.reply("SUCCESS", moment), now=SOON)

    assert push.in_doubt == in_doubt
