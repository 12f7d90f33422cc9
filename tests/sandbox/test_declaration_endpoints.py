"""The six calls as the document describes them (9.1 to 9.6): shapes, repeats, corrections, splits, identity."""

from collections.abc import Callable
from typing import Any

import pytest

from .caller import ALIPAY, BUYER, SPLIT, WECHAT, WECHAT_SPLIT, order

BASE = {"out_order_no", "payment_no", "customs", "state", "modify_time"}
REPUSH = {
    "payment_no": "P1",
    "customs": "ZONGSHU",
    "mch_customs_no": "123456789BTW",
    "merchant_customs_name": "xxxhanguo_card",
}


@pytest.mark.parametrize(
    ("channel", "more", "fields"),
    [
        (WECHAT, {}, {"wechatpay_no", "cert_check_result"}),
        (WECHAT, WECHAT_SPLIT, {"wechatpay_no", "cert_check_result", *WECHAT_SPLIT}),
        (ALIPAY, {}, {"alipay_no"}),
        (ALIPAY, SPLIT | BUYER, {"alipay_no", "cert_check_result", *SPLIT}),
    ],
)
def test_a_submit_is_answered_with_the_documents_fields_as_text(
    sandbox: Any, channel: str, more: dict[str, str], fields: set[str]
) -> None:
    _, body = sandbox.caller.declare(channel, **order(channel, **more))

    assert body["meta"] == {"status_code": 200, "message": "OK", "success": True}
    assert body["data"].keys() == BASE | fields
    assert all(isinstance(value, str) for value in body["data"].values())


def test_only_the_wechat_re_push_lists_an_explanation(sandbox: Any) -> None:
    sandbox.caller.declare(WECHAT, **order())

    _, body = sandbox.caller.redeclare(WECHAT, payment_no="P1", customs="SHENZHEN", mch_customs_no="123456789BTW")

    assert body["data"].keys() == BASE | {"wechatpay_no", "explanation"}


@pytest.mark.parametrize(
    ("channel", "number", "buyer", "verdict"),
    [
        (WECHAT, "1", {}, "UNCHECKED"),
        (WECHAT, "1", BUYER, "SAME"),
        (WECHAT, "DIFFERENT-1", BUYER, "DIFFERENT"),
        (ALIPAY, "1", {}, None),
        (ALIPAY, "1", BUYER, "T"),
        (ALIPAY, "DIFFERENT-1", BUYER, "F"),
    ],
)
def test_the_identity_is_judged_in_the_channels_words(
    sandbox: Any, channel: str, number: str, buyer: dict[str, str], verdict: str | None
) -> None:
    _, body = sandbox.caller.declare(channel, **order(channel, number, **buyer))

    assert body["data"].get("cert_check_result") == verdict


def test_a_repeated_add_is_answered_with_the_record_and_files_nothing(sandbox: Any) -> None:
    sandbox.caller.declare(WECHAT, **order(**BUYER))
    sandbox.clock.pass_by(5)

    status, body = sandbox.caller.declare(WECHAT, **order(**BUYER))

    assert (status, body["data"]["state"]) == (200, "SUCCESS")
    assert [filing["adds"] for filing in sandbox.ledger()["filings"]] == [1]


def test_a_non_idempotent_gateway_files_a_repeated_add_twice(make_sandbox: Callable[..., Any]) -> None:
    sandbox = make_sandbox(non_idempotent=True)
    sandbox.caller.declare(WECHAT, **order())

    sandbox.caller.declare(WECHAT, **order())

    assert [filing["adds"] for filing in sandbox.ledger()["filings"]] == [2]


@pytest.mark.parametrize("channel", [WECHAT, ALIPAY])
def test_a_changed_add_is_refused(sandbox: Any, channel: str) -> None:
    sandbox.caller.declare(channel, **order(channel))

    status, _ = sandbox.caller.declare(channel, **order(channel, mch_customs_no="OTHER"))

    assert status == 400


@pytest.mark.parametrize(
    ("changes", "status"), [({}, 200), ({"duty": "9"}, 200), ({"out_order_no": "2"}, 400), ({"payment_no": "P2"}, 404)]
)
def test_modify_needs_the_record_and_keeps_its_numbers(sandbox: Any, changes: dict[str, str], status: int) -> None:
    sandbox.caller.declare(WECHAT, **order())

    answered, _ = sandbox.caller.declare(WECHAT, **order(action_type="MODIFY") | changes)

    assert answered == status


def test_every_action_shows_in_modify_time_even_within_one_second(sandbox: Any) -> None:
    times = [
        sandbox.caller.declare(WECHAT, **order())[1]["data"]["modify_time"],
        sandbox.caller.declare(WECHAT, **order(action_type="MODIFY"))[1]["data"]["modify_time"],
        sandbox.caller.redeclare(WECHAT, payment_no="P1", customs="SHENZHEN", mch_customs_no="123456789BTW")[1]["data"][
            "modify_time"
        ],
    ]

    assert times == sorted(set(times))


@pytest.mark.parametrize(
    ("registration", "customs", "status"), [("OTHER", "SHENZHEN", 400), ("123456789BTW", "BEIJING", 404)]
)
def test_a_wechat_re_push_repeats_what_was_declared(sandbox: Any, registration: str, customs: str, status: int) -> None:
    sandbox.caller.declare(WECHAT, **order())

    answered, _ = sandbox.caller.redeclare(WECHAT, payment_no="P1", customs=customs, mch_customs_no=registration)

    assert answered == status


def test_an_alipay_re_push_too_early_gives_the_old_answer(sandbox: Any) -> None:
    _, added = sandbox.caller.declare(ALIPAY, **order(ALIPAY))

    _, early = sandbox.caller.redeclare(ALIPAY, **REPUSH)
    sandbox.clock.pass_by(1)
    _, later = sandbox.caller.redeclare(ALIPAY, **REPUSH)

    assert early["data"]["modify_time"] == added["data"]["modify_time"] < later["data"]["modify_time"]
    assert sandbox.ledger()["filings"][0]["redeclares"] == 1


def test_nanshagj_takes_no_re_push(sandbox: Any) -> None:
    sandbox.caller.declare(ALIPAY, **order(ALIPAY, customs="NANSHAGJ"))

    status, _ = sandbox.caller.redeclare(ALIPAY, **(REPUSH | {"customs": "NANSHAGJ"}))

    assert status == 400


def test_an_alipay_query_names_the_code_that_was_pushed_last(sandbox: Any) -> None:
    sandbox.caller.declare(ALIPAY, **order(ALIPAY, customs="SHENZHEN_ZS"))
    sandbox.caller.declare(ALIPAY, **order(ALIPAY, customs="ZONGSHU"))
    _, after_declaring = sandbox.caller.query(ALIPAY, payment_no="P1")
    sandbox.clock.pass_by(5)

    sandbox.caller.redeclare(ALIPAY, **(REPUSH | {"customs": "SHENZHEN_ZS"}))
    _, after_repush = sandbox.caller.query(ALIPAY, payment_no="P1")

    assert (after_declaring["data"]["customs"], after_repush["data"]["customs"]) == ("ZONGSHU", "SHENZHEN_ZS")


def test_a_split_order_is_known_by_its_sub_order_number_only(sandbox: Any) -> None:
    sandbox.caller.declare(WECHAT, **order(**WECHAT_SPLIT))

    assert sandbox.caller.state(WECHAT, sub_order_no="S1", customs="SHENZHEN") == "UNDECLARED"
    assert sandbox.caller.state(WECHAT, payment_no="P1", customs="SHENZHEN") == "404"


def test_the_ledger_shows_no_personal_data(sandbox: Any) -> None:
    sandbox.caller.declare(WECHAT, **order(**BUYER))

    ledger = sandbox.client.get("/ledger?payment_no=P1").text

    assert BUYER["cert_id"] not in ledger
    assert "5109**********2318" in ledger
    assert sandbox.ledger(payment_no="P1")["log"][0]["outcome"] == "answered"
