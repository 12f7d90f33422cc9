"""How names and ID numbers look once masked, in whatever spelling the gateway echoed them."""

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from customs.gateway import Buyer
from customs.payments.redaction import mask_words
from customs.privacy.masking import (
    LONGEST_REPLY_KEPT,
    mask_buyer,
    mask_cert_id,
    mask_free_text,
    mask_name,
    mask_params,
    mask_reply,
    mask_text,
)

BUYER = Buyer("欧阳𠮷", "11010519491231002X")


@pytest.mark.parametrize(("name", "masked"), [("李雷", "李*"), ("欧阳娜娜", "欧***"), ("𠮷川", "𠮷*"), ("李", "李*")])
def test_of_a_name_the_first_character_is_shown(name: str, masked: str):
    assert mask_name(name) == masked


def test_of_an_id_number_the_first_and_last_four_are_shown():
    assert mask_cert_id("11010519491231002X") == "1101**********002X"


def test_a_buyer_is_masked_as_the_contract_shows_and_none_stays_none():
    assert mask_buyer(Buyer("李雷", "11010519491231002X")) == {"name": "李*", "cert_id": "1101**********002X"}
    assert mask_buyer(None) is None


def test_of_what_was_sent_only_the_buyer_is_masked():
    sent = {"name": BUYER.name, "cert_id": BUYER.cert_id, "out_order_no": "18051893975650968"}

    assert mask_params(sent) == {"name": "欧**", "cert_id": "1101**********002X", "out_order_no": "18051893975650968"}


@pytest.mark.parametrize(
    "echo",
    [
        BUYER.name,
        json.dumps(BUYER.name),
        json.dumps(BUYER.name).upper().replace("\\U", "\\u"),
        json.dumps(json.dumps(BUYER.name)),
        json.dumps(json.dumps(json.dumps(BUYER.name))),
    ],
    ids=["plain", "escaped", "escaped in capitals", "escaped twice", "escaped three times"],
)
def test_a_name_is_masked_in_every_spelling_of_json(echo: str):
    masked = mask_text(f'{{"name": {echo}}}', BUYER)

    assert echo.strip('"') not in masked
    assert "*" in masked


def test_an_id_number_of_somebody_else_is_masked_by_its_shape():
    assert "510921199308772318" not in mask_text("payer 510921199308772318", None)


@pytest.mark.parametrize("number", ["18051893975650968", "2018051816320384498567689", "A510921199308772318"])
def test_order_numbers_are_left_as_they_are(number: str):
    assert mask_text(f"order {number}", None) == f"order {number}"


def test_a_reply_is_kept_up_to_what_is_worth_keeping_and_holds_no_nul():
    kept = mask_reply("\x00" + "x" * (2 * LONGEST_REPLY_KEPT), None)

    assert len(kept) == LONGEST_REPLY_KEPT
    assert "\x00" not in kept


def test_a_name_that_stands_across_the_end_of_what_is_kept_is_not_half_shown():
    reply = "x" * (LONGEST_REPLY_KEPT - 17) + BUYER.cert_id + BUYER.name

    assert BUYER.cert_id[:10] not in mask_reply(reply, BUYER)


@pytest.mark.parametrize(
    "spelling",
    [
        "11010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 19491231 002x",
        "1101-0519-4912-3100-2X",
        "110105.19491231.002X",
        "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X",
        "110105\u200b19491231\u200b002X",
        "١١٠١٠٥١٩٤٩١٢٣١٠٠٢X",
    ],
)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("ID", "no"), ("身份证", "号码"), ("the 3 of ", " and 7")])
def test_an_id_number_in_free_text_is_masked_in_every_spelling(spelling: str, before: str, after: str):
    assert mask_free_text(before + spelling + after) == f"{before}1101**********002X{after}"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("旧证110105491231002", "旧证1101*******1002"),
        ("13800138000", "138****8000"),
        ("tel13800138000x", "tel138****8000x"),
        ("电话１３８００１３８０００请打", "电话138****8000请打"),
        ("138 0013 8000", "138****8000"),
        ("138-0013-8000", "138****8000"),
        ("138.0013.8000", "138****8000"),
        ("138——0013——8000", "138****8000"),
        ("138\n0013\n8000", "138****8000"),
        ("+86 138 0013 8000", "+861******8000"),
        ("008613800138000", "008********8000"),
        ("(0755) 8888 8888", "(075*****8888"),
        ("13800138000、13900139000", "138****8000、139****9000"),
        ("13800138000 13900139000", "138****8000 139****9000"),
    ],
)
def test_phone_numbers_and_old_id_numbers_in_free_text_are_masked(text: str, masked: str):
    assert mask_free_text(text) == masked
    assert mask_free_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "order 18051893975650968 of payment 2018051816320384498567689",
        "since 2026-12-01 13:45, 3 of 10",
        "1380.00 13900.00 of 5,000.00",
        "decl_019ab1c2f3d4513800138000b4c5d6e7",
        "M100, S1, 123456789BTW",
    ],
)
def test_numbers_of_orders_amounts_times_and_ids_stay_in_free_text(text: str):
    assert mask_free_text(text) == text


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of our code a piece of work runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "unit", ["1 ", "1-", ".1", "13800138000 ", "86", "1x", "\\", "decl_019ab1c2f3d4513800138000b4c5d6e7 "]
)
def test_masking_free_text_takes_work_in_proportion_to_its_length(unit: str):
    short, long = (lines_run(lambda size=size: mask_free_text(unit * (size // len(unit)))) for size in (2000, 16000))  # type: ignore[misc]

    assert long <= 10 * short


@pytest.mark.parametrize("text", ["1" * 2**20, "\\" * 2**20, '"openid":"' * 2**16, "110105" * 2**17])
def test_a_megabyte_of_what_patterns_look_for_is_masked_to_its_end(text: str):
    assert mask_free_text(text) == text
    assert mask_text(text, BUYER) == text
    assert mask_words(text)


def test_a_text_that_a_cut_reply_does_not_end_is_masked():
    assert "oQx43wJiwtsj" not in mask_words('{"openid":"oQx43wJiwtsj')
