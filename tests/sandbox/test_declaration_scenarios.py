"""The table of scenarios, walked: what a poller sees of each word, and how each comes to its end."""

from typing import Any

import pytest

from customs.sandbox.declaration_scenarios import BY_WORD, SCENARIOS, scenario_of

from .caller import ALIPAY, WECHAT, order

# The states that a poller sees after ADD, asking again when a step has passed, until the course stands still.
WECHAT_COURSES = {
    "SUCCESS": ["UNDECLARED", "PROCESSING", "SUCCESS"],
    "FAIL": ["UNDECLARED", "PROCESSING", "FAIL"],
    "EXCEPT": ["UNDECLARED", "EXCEPT"],
    "LATE-EXCEPT": ["UNDECLARED", "EXCEPT"],
    "DIFFERENT": ["UNDECLARED", "PROCESSING", "SUCCESS"],
    "SLOW": ["UNDECLARED", "SUCCESS"],
    "STUCK": ["UNDECLARED", "PROCESSING", "SUCCESS"],
    "BACK-OLD": ["UNDECLARED", "PROCESSING", "UNDECLARED", "SUCCESS", "PROCESSING", "SUCCESS"],
    "BACK-NEW": ["UNDECLARED", "PROCESSING", "UNDECLARED", "SUCCESS", "PROCESSING", "SUCCESS"],
    "UNKNOWN": ["UNDECLARED", "ARCHIVED"],
    "OTHER": ["UNDECLARED", "PROCESSING", "SUCCESS"],
    "STALE": ["UNDECLARED", "404", "SUCCESS"],
    "FROZEN": ["UNDECLARED", "PROCESSING", "SUCCESS"],
    "REFUSE": ["400"],
    "BIZ555": ["555"],
}
ALIPAY_COURSES = {
    "SUCCESS": ["SUCCESS"],
    "FAIL": ["FAIL"],
    "EXCEPT": ["EXCEPT"],
    "LATE-EXCEPT": ["UNDECLARED", "EXCEPT"],
    "SLOW": ["UNDECLARED", "SUCCESS"],
    "UNKNOWN": ["ARCHIVED"],
    "REFUSE": ["400"],
}


def seen(sandbox: Any, channel: str, number: str) -> list[str]:
    params = order(channel, number)
    status, body = sandbox.caller.declare(channel, **params)
    states = [body["data"]["state"] if status == 200 else str(status)]
    if status != 200:
        return states
    asked = {"out_order_no": number} | ({"customs": params["customs"]} if channel == WECHAT else {})
    for _ in range(25):
        sandbox.clock.pass_by(1.0)
        state = sandbox.caller.state(channel, **asked)
        if state != states[-1]:
            states.append(state)
    return states


def test_every_fate_is_walked() -> None:
    assert {scenario.word for scenario in SCENARIOS} == WECHAT_COURSES.keys()


@pytest.mark.parametrize(("word", "states"), WECHAT_COURSES.items())
def test_a_word_decides_what_a_poller_sees(sandbox: Any, word: str, states: list[str]) -> None:
    assert seen(sandbox, WECHAT, f"D20261123{word}001") == states


@pytest.mark.parametrize(("word", "states"), ALIPAY_COURSES.items())
def test_alipay_leaves_out_the_ordinary_waiting(sandbox: Any, word: str, states: list[str]) -> None:
    assert seen(sandbox, ALIPAY, f"D20261123{word}001") == states


@pytest.mark.parametrize(
    ("number", "word"),
    [
        ("D20261123FAIL001", "FAIL"),
        ("A-FAIL", "FAIL"),
        ("FAIL", "FAIL"),
        ("1|LATE-EXCEPT@2", "LATE-EXCEPT"),
        ("BIZ5550001", "BIZ555"),
        ("DFAIL1", "SUCCESS"),
        ("FAILURE", "SUCCESS"),
        ("fail", "SUCCESS"),
        ("18051893975650968", "SUCCESS"),
    ],
)
def test_a_word_counts_where_no_capital_letter_touches_it(number: str, word: str) -> None:
    assert scenario_of("", number) is BY_WORD[word]


def test_the_sub_order_number_speaks_before_the_order_number() -> None:
    assert scenario_of("S-EXCEPT", "O-FAIL") is BY_WORD["EXCEPT"]


def test_a_failure_gives_its_reason_to_the_query(sandbox: Any) -> None:
    sandbox.caller.declare(ALIPAY, **order(ALIPAY, "FAIL-1"))

    _, body = sandbox.caller.query(ALIPAY, out_order_no="FAIL-1")

    assert body["data"]["explanation"]


def test_a_failed_wechat_declaration_succeeds_after_modify_and_not_after_a_re_push(sandbox: Any) -> None:
    seen(sandbox, WECHAT, "FAIL-1")

    sandbox.caller.redeclare(WECHAT, out_order_no="FAIL-1", customs="SHENZHEN", mch_customs_no="123456789BTW")
    sandbox.clock.pass_by(5)
    after_repush = sandbox.caller.state(WECHAT, out_order_no="FAIL-1", customs="SHENZHEN")
    _, modified = sandbox.caller.declare(WECHAT, **order(number="FAIL-1", action_type="MODIFY", duty="5"))
    sandbox.clock.pass_by(5)
    after_modify = sandbox.caller.state(WECHAT, out_order_no="FAIL-1", customs="SHENZHEN")

    assert (after_repush, modified["data"]["state"], after_modify) == ("FAIL", "SUBMITTED", "SUCCESS")


def test_a_failed_alipay_declaration_succeeds_by_a_re_push_with_a_corrected_field(sandbox: Any) -> None:
    params = order(ALIPAY, "FAIL-1")
    sandbox.caller.declare(ALIPAY, **params)
    again = {name: params[name] for name in ("payment_no", "customs", "mch_customs_no", "merchant_customs_name")}

    sandbox.clock.pass_by(5)
    _, same = sandbox.caller.redeclare(ALIPAY, **again)
    sandbox.clock.pass_by(5)
    _, corrected = sandbox.caller.redeclare(ALIPAY, **(again | {"mch_customs_no": "NEW"}))

    assert (same["data"]["state"], corrected["data"]["state"]) == ("FAIL", "SUCCESS")


@pytest.mark.parametrize("word", ["EXCEPT", "LATE-EXCEPT", "UNKNOWN"])
def test_what_a_re_push_heals(sandbox: Any, word: str) -> None:
    seen(sandbox, WECHAT, f"{word}-1")

    _, body = sandbox.caller.redeclare(
        WECHAT, out_order_no=f"{word}-1", customs="SHENZHEN", mch_customs_no="123456789BTW"
    )
    sandbox.clock.pass_by(5)

    assert body["data"]["state"] == "UNDECLARED"
    assert sandbox.caller.state(WECHAT, out_order_no=f"{word}-1", customs="SHENZHEN") == "SUCCESS"


def test_stuck_stays_submitted_after_modify_until_it_is_re_pushed(sandbox: Any) -> None:
    seen(sandbox, WECHAT, "STUCK-1")
    sandbox.caller.declare(WECHAT, **order(number="STUCK-1", action_type="MODIFY"))
    sandbox.clock.pass_by(1000)
    stuck = sandbox.caller.state(WECHAT, out_order_no="STUCK-1", customs="SHENZHEN")

    sandbox.caller.redeclare(WECHAT, out_order_no="STUCK-1", customs="SHENZHEN", mch_customs_no="123456789BTW")
    sandbox.clock.pass_by(5)

    assert stuck == "SUBMITTED"
    assert sandbox.caller.state(WECHAT, out_order_no="STUCK-1", customs="SHENZHEN") == "SUCCESS"


@pytest.mark.parametrize(("word", "older"), [("BACK-OLD", True), ("BACK-NEW", False)])
def test_going_backwards_shows_an_older_or_a_newer_time(sandbox: Any, word: str, older: bool) -> None:
    sandbox.caller.declare(WECHAT, **order(number=f"{word}-1"))
    sandbox.clock.pass_by(2)
    _, forwards = sandbox.caller.query(WECHAT, out_order_no=f"{word}-1", customs="SHENZHEN")
    sandbox.clock.pass_by(2)
    _, backwards = sandbox.caller.query(WECHAT, out_order_no=f"{word}-1", customs="SHENZHEN")

    assert (forwards["data"]["state"], backwards["data"]["state"]) == ("PROCESSING", "UNDECLARED")
    assert (backwards["data"]["modify_time"] < forwards["data"]["modify_time"]) is older


def test_a_frozen_time_does_not_move_with_the_state(sandbox: Any) -> None:
    _, added = sandbox.caller.declare(WECHAT, **order(number="FROZEN-1"))
    sandbox.clock.pass_by(10)
    _, asked = sandbox.caller.query(WECHAT, out_order_no="FROZEN-1", customs="SHENZHEN")

    assert asked["data"]["state"] == "SUCCESS"
    assert asked["data"]["modify_time"] == added["data"]["modify_time"]


def test_other_names_another_code_twice_and_then_its_own(sandbox: Any) -> None:
    sandbox.caller.declare(ALIPAY, **order(ALIPAY, "OTHER-1"))

    named = [sandbox.caller.query(ALIPAY, out_order_no="OTHER-1")[1]["data"]["customs"] for _ in range(3)]

    assert (named[0] != "ZONGSHU", named[1] != "ZONGSHU", named[2]) == (True, True, "ZONGSHU")


def test_a_business_refusal_carries_the_documents_inner_message(sandbox: Any) -> None:
    status, body = sandbox.caller.declare(WECHAT, **order(number="BIZ555-1"))

    assert status == 555
    assert '"wx_code": "ORDERNOTEXIST"' in body["meta"]["message"]
