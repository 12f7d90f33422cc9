"""What an outcome means for a call that moves money: the table walked, then the rounds of doubt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from customs.gateway import (
    Busy,
    ClockSkew,
    Credentials,
    GatewayError,
    Misuse,
    NotFound,
    NotSent,
    OtherRecord,
    Refused,
    Unknown,
)
from customs.payments.states import PaymentCase
from customs.payments.tasks.outcomes import (
    OUTCOME_HANDLERS,
    RetryPolicy,
    TaskState,
    handle_error,
    handle_reply,
)
from customs.payments.tasks.task import TaskAction
from tests import make

NOW = make.NOON
GRACE = timedelta(seconds=420)
SEND, QUERY = TaskAction.SEND, TaskAction.QUERY

SILENCE = Unknown("lost")
ABSENT = NotFound("no such order", exchange=None, status=404)
NO = Refused("no", exchange=None, status=400)
ERRORS: dict[str, GatewayError] = {
    "not_sent": NotSent("refused"),
    "busy": Busy("later", exchange=make.exchange(), retry_after=None),
    "credentials": Credentials("who?"),
    "clock": ClockSkew("when?", exchange=make.exchange(), server_time=None),
    "not_found": ABSENT,
    "refused": NO,
    "misuse": Misuse("ours"),
    "another_record": OtherRecord("somebody else's"),
    "unknown": SILENCE,
}


def pace(**changes: Any) -> RetryPolicy:
    return RetryPolicy(
        **{"poll_seconds": 5.0, "grace_seconds": 420.0, "repeatable": True, "patient": False, "since": NOW} | changes
    )


def state_now(**changes: Any) -> TaskState:
    """A task that was never sent."""
    columns: dict[str, Any] = dict.fromkeys(TaskState.__dataclass_fields__, None)
    return TaskState(
        **columns
        | {
            "next_action": SEND,
            "due_at": NOW,
            "in_doubt": False,
            "failed_attempts": 0,
            "poll_count": 0,
            "unknown_rounds": 0,
            "strays": 0,
        }
        | changes
    )


def left(**changes: Any) -> TaskState:
    """A task whose call has left just now."""
    return state_now(**{"next_action": QUERY, "in_doubt": True, "sent_at": NOW} | changes)


def asked(**changes: Any) -> TaskState:
    """A task that was done and is asked for."""
    return state_now(**{"next_action": QUERY, "sent_at": NOW} | changes)


def test_every_error_of_the_client_has_a_row():
    assert {word for _, word, _, _ in OUTCOME_HANDLERS} == ERRORS.keys()


# The error, what is due after a send, whether it stays in doubt, whether it is over.
AFTER_A_SEND = {
    "not_sent": (SEND, False, False),
    "busy": (SEND, False, False),
    "credentials": (SEND, False, False),
    "clock": (SEND, False, False),
    "not_found": (None, False, True),
    "refused": (None, False, True),
    "misuse": (None, False, True),
    "another_record": (QUERY, True, False),
    "unknown": (QUERY, True, False),
}


@pytest.mark.parametrize("word", ERRORS)
def test_what_follows_a_send(word: str):
    transition = handle_error(left(), SEND, ERRORS[word], NOW, pace())

    after = transition.after
    assert transition.outcome == word
    assert (after.next_action, after.in_doubt, transition.failed) == AFTER_A_SEND[word]


@pytest.mark.parametrize("word", ERRORS)
def test_no_error_of_a_query_ends_or_repeats_what_was_done(word: str):
    transition = handle_error(asked(), QUERY, ERRORS[word], NOW, pace())

    after = transition.after
    assert (after.next_action, after.in_doubt, transition.failed) == (QUERY, False, False)
    assert after.due_at is not None and after.due_at > NOW


@pytest.mark.parametrize("word", ["not_sent", "busy", "credentials", "clock"])
def test_a_code_that_was_shown_once_is_not_sent_a_second_time(word: str):
    transition = handle_error(left(), SEND, ERRORS[word], NOW, pace(repeatable=False))

    assert (transition.after.next_action, transition.failed) == (None, True)
    assert transition.after.explanation


def test_a_gateway_that_asks_for_patience_gets_it():
    error = Busy("later", exchange=make.exchange(), retry_after=90.0)

    transition = handle_error(left(), SEND, error, NOW, pace())

    assert transition.after.due_at == NOW + timedelta(seconds=90)


# Doubt: asked first, sent again only after the grace.


@pytest.mark.parametrize("seconds", [0, 419])
def test_not_found_within_the_grace_is_asked_again(seconds: int):
    transition = handle_error(left(unknown_rounds=1), QUERY, ABSENT, NOW + timedelta(seconds=seconds), pace())

    after = transition.after
    assert (after.next_action or QUERY, after.in_doubt) == (QUERY, True)
    assert after.due_at is not None and after.due_at <= NOW + GRACE


def test_the_grace_counts_from_when_the_outcome_became_unknown():
    lost_at = NOW + timedelta(seconds=50)
    lost = handle_error(left(), SEND, ERRORS["unknown"], lost_at, pace()).after

    early = handle_error(lost, QUERY, ERRORS["not_found"], NOW + GRACE + timedelta(seconds=49), pace()).after
    late = handle_error(lost, QUERY, ERRORS["not_found"], lost_at + GRACE, pace()).after

    assert (early.next_action, late.next_action) == (QUERY, SEND)


def test_not_found_after_the_grace_sends_it_again():
    transition = handle_error(left(unknown_rounds=1), QUERY, ABSENT, NOW + GRACE, pace())

    assert (transition.after.next_action, transition.after.in_doubt) == (SEND, False)
    assert transition.after.due_at == NOW + GRACE


def test_after_a_crash_it_counts_as_a_round_of_doubt():
    crashed = left(unknown_rounds=0)

    transition = handle_error(crashed, QUERY, ABSENT, NOW + GRACE, pace())

    assert transition.after.unknown_rounds == 1


def test_a_code_that_was_shown_once_fails_when_the_gateway_never_heard_of_it():
    transition = handle_error(left(unknown_rounds=1), QUERY, ABSENT, NOW + GRACE, pace(repeatable=False))

    assert (transition.after.next_action, transition.failed) == (None, True)


def test_a_refusal_after_doubt_is_asked_about_first():
    transition = handle_error(left(unknown_rounds=1), SEND, NO, NOW, pace())

    assert (transition.after.next_action, transition.failed) == (QUERY, False)
    assert transition.after.explanation == "no"


def test_a_refusal_after_doubt_stands_when_nothing_is_found():
    refused = handle_error(left(unknown_rounds=1), SEND, NO, NOW, pace()).after

    transition = handle_error(refused, QUERY, ABSENT, NOW + GRACE, pace())

    assert (transition.after.next_action, transition.after.explanation, transition.failed) == (None, "no", True)


def test_a_refusal_after_doubt_is_forgotten_when_it_had_been_done():
    refused = handle_error(left(unknown_rounds=1), SEND, NO, NOW, pace()).after

    transition = handle_reply(refused, True, NOW, pace())

    assert (transition.after.next_action, transition.after.explanation, transition.failed) == (None, None, False)


def test_the_rounds_of_doubt_end():
    transition = handle_error(left(unknown_rounds=21), QUERY, ABSENT, NOW + GRACE, pace())

    assert (transition.after.next_action, transition.failed) == (None, True)


def test_a_refund_is_asked_for_as_long_as_it_takes():
    transition = handle_error(left(unknown_rounds=21), QUERY, ABSENT, NOW + GRACE, pace(patient=True))

    assert (transition.after.next_action, transition.failed) == (QUERY, False)
    assert (transition.after.explanation, transition.after.case_kind) == (None, PaymentCase.NO_EFFECT)
    assert PaymentCase.NO_EFFECT.sentence(transition.after.case_detail) == "sent 21 times without effect"


# Polling: each time after longer, for a day.


def test_polls_come_after_longer_and_longer_waits():
    waits, at = [], asked()
    for _ in range(12):
        at = handle_reply(at, False, NOW, pace()).after
        waits.append((at.due_at - NOW).total_seconds())

    assert waits[0] < 6
    assert waits[5] > 2 * waits[0]
    assert max(waits) <= 5 * 20 * 1.1


def test_nobody_pays_an_order_of_yesterday():
    transition = handle_reply(asked(), False, NOW + timedelta(hours=25), pace())

    assert (transition.after.next_action, transition.after.due_at) == (None, None)


def test_what_is_in_doubt_is_asked_for_after_a_day_too():
    transition = handle_error(left(), QUERY, SILENCE, NOW + timedelta(hours=25), pace())

    assert transition.after.next_action is QUERY


# What comes back for a day, of what, and what a person is told.
A_DAY_OF = {
    "silence, of a refund": (left(), SILENCE, True, PaymentCase.NO_ANSWER),
    "silence, of a payment in doubt": (left(), SILENCE, False, PaymentCase.NO_ANSWER),
    "silence, of a payment that was opened": (asked(), SILENCE, False, PaymentCase.NO_ANSWER),
    "refusals to tell": (left(), NO, True, PaymentCase.NO_ANSWER),
    "no end of a refund": (asked(), None, True, PaymentCase.NO_END),
    "nobody who pays": (asked(), None, False, None),
}


@pytest.mark.parametrize(("kept", "error", "patient", "case"), A_DAY_OF.values(), ids=A_DAY_OF)
def test_what_is_unknown_for_a_day_comes_before_a_person(
    kept: TaskState, error, patient: bool, case: PaymentCase | None
):
    def transition(hours: int) -> PaymentCase | None:
        now, at = NOW + timedelta(hours=hours), pace(patient=patient)
        transition = handle_error(kept, QUERY, error, now, at) if error else handle_reply(kept, False, now, at)
        return transition.after.case_kind

    assert (transition(23), transition(25)) == (None, case)


def test_a_day_counts_from_the_last_send():
    late = left(sent_at=NOW + timedelta(hours=20))

    assert handle_error(late, QUERY, SILENCE, NOW + timedelta(hours=25), pace()).after.case_kind is None


def test_answers_about_somebody_else_come_before_a_person_once_they_are_certain():
    at, reasons = left(), []
    for error in (ERRORS["another_record"], ABSENT, *[ERRORS["another_record"]] * 3):
        at = handle_error(at, QUERY, error, NOW, pace(patient=True)).after
        reasons.append(at.case_kind)

    assert reasons == [None, None, None, None, PaymentCase.ANOTHERS_NUMBER]
    assert at.next_action is QUERY
    assert handle_reply(at, True, NOW, pace()).after.case_kind is None


@pytest.mark.parametrize(("hours", "ends"), [(1, False), (3, True)])
def test_an_order_nobody_ever_opened_ends_after_two_hours(hours: int, ends: bool):
    transition = handle_error(asked(), QUERY, ABSENT, NOW + timedelta(hours=hours), pace())

    assert transition.failed is ends


def test_an_answer_ends_the_doubt():
    doubtful = replace(left(unknown_rounds=3, failed_attempts=2), explanation="no")

    transition = handle_reply(doubtful, False, NOW, pace())

    after = transition.after
    assert (after.in_doubt, after.unknown_rounds, after.failed_attempts, after.explanation) == (False, 0, 0, None)
