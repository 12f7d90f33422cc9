"""How names and ID numbers look once masked, in whatever spelling the gateway echoed them."""

import json

import pytest

from customs.gateway import Buyer
from customs.privacy.masking import (
    LONGEST_REPLY_KEPT,
    mask_buyer,
    mask_cert_id,
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
