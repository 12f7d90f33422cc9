"""What an outcome means for a call that moves money: the table walked, then the rounds of doubt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from customs.gateway import Busy, ClockSkew, Credentials, GatewayError, Misuse, NotFound, NotSent, Refused, Unknown
from customs.payments.errands import Deed
from customs.payments.judging import JUDGES, Pace, Standing, judge_error, judge_reply
from tests import make

NOW = make.NOON
GRACE = timedelta(seconds=420)
SEND, QUERY = Deed.SEND, Deed.QUERY

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
    "unknown": SILENCE,
}


def pace(**changes: Any) -> Pace:
    return Pace(
        **{"poll_seconds": 5.0, "grace_seconds": 420.0, "repeatable": True, "patient": False, "since": NOW} | changes
    )


def standing(**changes: Any) -> Standing:
    """An errand that was never sent."""
    columns: dict[str, Any] = dict.fromkeys(Standing.__dataclass_fields__, None)
    return Standing(
        **columns
        | {"next_action": SEND, "due_at": NOW, "in_doubt": False, "tries": 0, "polls": 0, "doubts": 0}
        | changes
    )


def left(**changes: Any) -> Standing:
    """An errand whose call has left just now."""
    return standing(**{"next_action": QUERY, "in_doubt": True, "sent_at": NOW} | changes)


def asked(**changes: Any) -> Standing:
    """An errand that was done and is asked for."""
    return standing(**{"next_action": QUERY, "sent_at": NOW} | changes)


def test_every_error_of_the_client_has_a_row():
    assert {word for _, word, _, _ in JUDGES} == ERRORS.keys()


# The error, what is due after a send, whether it stays in doubt, whether it is over.
AFTER_A_SEND = {
    "not_sent": (SEND, False, False),
    "busy": (SEND, False, False),
    "credentials": (SEND, False, False),
    "clock": (SEND, False, False),
    "not_found": (None, False, True),
    "refused": (None, False, True),
    "misuse": (None, False, True),
    "unknown": (QUERY, True, False),
}


@pytest.mark.parametrize("word", ERRORS)
def test_what_follows_a_send(word: str):
    judged = judge_error(left(), SEND, ERRORS[word], NOW, pace())

    after = judged.standing
    assert judged.outcome == word
    assert (after.next_action, after.in_doubt, judged.failed) == AFTER_A_SEND[word]


@pytest.mark.parametrize("word", ERRORS)
def test_no_error_of_a_query_ends_or_repeats_what_was_done(word: str):
    judged = judge_error(asked(), QUERY, ERRORS[word], NOW, pace())

    after = judged.standing
    assert (after.next_action, after.in_doubt, judged.failed) == (QUERY, False, False)
    assert after.due_at is not None and after.due_at > NOW


@pytest.mark.parametrize("word", ["not_sent", "busy", "credentials", "clock"])
def test_a_code_that_was_shown_once_is_not_sent_a_second_time(word: str):
    judged = judge_error(left(), SEND, ERRORS[word], NOW, pace(repeatable=False))

    assert (judged.standing.next_action, judged.failed) == (None, True)
    assert judged.standing.explanation


def test_a_gateway_that_asks_for_patience_gets_it():
    error = Busy("later", exchange=make.exchange(), retry_after=90.0)

    judged = judge_error(left(), SEND, error, NOW, pace())

    assert judged.standing.due_at == NOW + timedelta(seconds=90)


# Doubt: asked first, sent again only after the grace.


@pytest.mark.parametrize("seconds", [0, 419])
def test_not_found_within_the_grace_is_asked_again(seconds: int):
    judged = judge_error(left(doubts=1), QUERY, ABSENT, NOW + timedelta(seconds=seconds), pace())

    after = judged.standing
    assert (after.next_action or QUERY, after.in_doubt) == (QUERY, True)
    assert after.due_at is not None and after.due_at <= NOW + GRACE


def test_not_found_after_the_grace_sends_it_again():
    judged = judge_error(left(doubts=1), QUERY, ABSENT, NOW + GRACE, pace())

    assert (judged.standing.next_action, judged.standing.in_doubt) == (SEND, False)
    assert judged.standing.due_at == NOW + GRACE


def test_after_a_crash_it_counts_as_a_round_of_doubt():
    crashed = left(doubts=0)

    judged = judge_error(crashed, QUERY, ABSENT, NOW + GRACE, pace())

    assert judged.standing.doubts == 1


def test_a_code_that_was_shown_once_fails_when_the_gateway_never_heard_of_it():
    judged = judge_error(left(doubts=1), QUERY, ABSENT, NOW + GRACE, pace(repeatable=False))

    assert (judged.standing.next_action, judged.failed) == (None, True)


def test_a_refusal_after_doubt_is_asked_about_first():
    judged = judge_error(left(doubts=1), SEND, NO, NOW, pace())

    assert (judged.standing.next_action, judged.failed) == (QUERY, False)
    assert judged.standing.explanation == "no"


def test_a_refusal_after_doubt_stands_when_nothing_is_found():
    refused = judge_error(left(doubts=1), SEND, NO, NOW, pace()).standing

    judged = judge_error(refused, QUERY, ABSENT, NOW + GRACE, pace())

    assert (judged.standing.next_action, judged.standing.explanation, judged.failed) == (None, "no", True)


def test_a_refusal_after_doubt_is_forgotten_when_it_had_been_done():
    refused = judge_error(left(doubts=1), SEND, NO, NOW, pace()).standing

    judged = judge_reply(refused, True, NOW, pace())

    assert (judged.standing.next_action, judged.standing.explanation, judged.failed) == (None, None, False)


def test_the_rounds_of_doubt_end():
    judged = judge_error(left(doubts=21), QUERY, ABSENT, NOW + GRACE, pace())

    assert (judged.standing.next_action, judged.failed) == (None, True)


def test_a_refund_is_asked_for_as_long_as_it_takes():
    judged = judge_error(left(doubts=21), QUERY, ABSENT, NOW + GRACE, pace(patient=True))

    assert (judged.standing.next_action, judged.failed) == (QUERY, False)
    assert judged.standing.explanation == "sent 21 times without effect"


# Polling: each time after longer, for a day.


def test_polls_come_after_longer_and_longer_waits():
    waits, at = [], asked()
    for _ in range(12):
        at = judge_reply(at, False, NOW, pace()).standing
        waits.append((at.due_at - NOW).total_seconds())

    assert waits[0] < 6
    assert waits[5] > 2 * waits[0]
    assert max(waits) <= 5 * 20 * 1.1


def test_nobody_pays_an_order_of_yesterday():
    judged = judge_reply(asked(), False, NOW + timedelta(hours=25), pace())

    assert (judged.standing.next_action, judged.standing.due_at) == (None, None)


def test_what_is_in_doubt_is_asked_for_after_a_day_too():
    judged = judge_error(left(), QUERY, SILENCE, NOW + timedelta(hours=25), pace())

    assert judged.standing.next_action is QUERY


@pytest.mark.parametrize(("hours", "ends"), [(1, False), (3, True)])
def test_an_order_nobody_ever_opened_ends_after_two_hours(hours: int, ends: bool):
    judged = judge_error(asked(), QUERY, ABSENT, NOW + timedelta(hours=hours), pace())

    assert judged.failed is ends


def test_an_answer_ends_the_doubt():
    doubtful = replace(left(doubts=3, tries=2), explanation="no")

    judged = judge_reply(doubtful, False, NOW, pace())

    after = judged.standing
    assert (after.in_doubt, after.doubts, after.tries, after.explanation) == (False, 0, 0, None)
