"""The payer's side: cashier desks (4.6, 4.7, 6.4) without a signature, the button, and the way back to the merchant."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from customs.sandbox import SandboxSettings
from customs.sandbox.app import create_sandbox

from .caller import AGENT, DESKS, our_number, sale

RETURN = {"return_url": "http://shop.example:8080/back?lang=zh"}
# Typed from 4.6.3, 4.7.3 and 6.4.3.
WECHAT = """no agent_order_id merchant_no currency amount exchange_rate tarde_type product_info trade_time status"""
ALIPAY = """no out_order_no merchant_no currency amount exchange_rate tarde_type subject trade_time status"""
TYPES = dict(zip(DESKS, ("PC_DESK", "MP_DESK", "DESK"), strict=True))


def enter(sandbox: Any, path: str, **changes: str) -> Any:
    return sandbox.client.get(path, query_string=sale(path) | RETURN | changes)


def press(sandbox: Any, page: Any, choice: str = "pay") -> Any:
    (action,) = re.findall(r'action="([^"]+)"', page.text)
    return sandbox.client.post(action, data={"action": choice})


@pytest.mark.parametrize("path", DESKS)
def test_a_desk_shows_the_order_and_runs_no_script(sandbox: Any, path: str) -> None:
    page = enter(sandbox, path)

    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert ("HKD 100" in page.text, "演示订单" in page.text) == (True, True)
    assert "<script" not in page.text
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("form-action 'self' http://shop.example:8080")
    assert [row["status"] for row in sandbox.ledger()["payments"]] == ["INIT"]


@pytest.mark.parametrize("path", DESKS)
def test_a_paid_order_leads_back_with_the_documents_fields_and_the_extra_ones(sandbox: Any, path: str) -> None:
    page = enter(sandbox, path, table="7", note="a b&c")

    back = press(sandbox, page)

    url = urlsplit(back.headers["Location"])
    fields = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert (back.status_code, url.netloc, url.path) == (303, "shop.example:8080", "/back")
    assert fields.keys() == {"lang", "table", "note", *(ALIPAY if path == DESKS[2] else WECHAT).split()}
    assert (fields["status"], fields["tarde_type"], fields["note"]) == ("PAID", TYPES[path], "a b&c")
    assert fields[our_number(path)] == "1"


def test_a_given_up_order_stays_here_and_has_failed(sandbox: Any) -> None:
    page = enter(sandbox, DESKS[0])

    back = press(sandbox, page, "refuse")

    assert back.headers["Location"].startswith("/pay/")
    assert sandbox.caller.order()["status"] == "FAIL"
    assert "<form" not in sandbox.client.get(back.headers["Location"]).text


def test_a_desk_entered_again_is_the_same_order(sandbox: Any) -> None:
    first, again = enter(sandbox, DESKS[0]), enter(sandbox, DESKS[0])

    assert first.text == again.text
    assert len(sandbox.ledger()["payments"]) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"amount": "0"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"return_url": "http://a b/"}, "return_url"),
        ({"return_url": "http://a;script-src/"}, "return_url"),
        ({"return_url": ""}, "return_url"),
        ({"no": "1"}, "no is a name of the reply"),
        ({"status": "PAID"}, "status is a name of the reply"),
        ({"tarde_type": "X"}, "tarde_type is a name of the reply"),
    ],
)
def test_a_desk_stays_closed_and_says_why(sandbox: Any, changes: dict[str, str], named: str) -> None:
    page = enter(sandbox, DESKS[0], **changes)

    assert (page.status_code, page.mimetype) == (400, "text/html")
    assert named in page.text
    assert sandbox.ledger()["payments"] == []


@pytest.mark.parametrize("missing", ["merchant_no", "currency", "amount", "product_info", "return_url"])
def test_a_desk_needs_what_the_document_lists(sandbox: Any, missing: str) -> None:
    params = sale(DESKS[0]) | RETURN
    del params[missing]

    page = sandbox.client.get(DESKS[0], query_string=params)

    assert page.status_code == 400
    assert f"{missing} is missing" in page.text


def test_what_a_caller_writes_is_text_on_the_page(sandbox: Any) -> None:
    page = enter(sandbox, DESKS[0], product_info="<script>alert(1)</script>")

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


def test_the_list_shows_who_waits(sandbox: Any) -> None:
    sandbox.caller.pay("/mp_pay", "APP-1")
    sandbox.caller.pay("/order/scan_pay", "DONE-1")

    listed = sandbox.client.get("/pay").text

    assert ("APP-1" in listed, "DONE-1" in listed) == (True, False)


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"our_no": "1"}, 200),
        ({"our_no": "2"}, 404),
        ({"payment_no": "2"}, 404),
        ({}, 404),
        ({"our_no": "1", "status": "DONE"}, 400),
        ({"our_no": 1}, 400),
        ({"our_no": "1", "x": "y"}, 400),
    ],
)
def test_the_button_for_tests(sandbox: Any, wanted: dict[str, Any], status: int) -> None:
    sandbox.caller.pay("/order/scanned_pay")
    sandbox.caller.pay("/order/scanned_pay", "")

    assert sandbox.payer(**wanted) == status


@pytest.mark.parametrize("path", ["/", "/pay"])
def test_the_pages_show_the_translation_before_the_english(public_key_file: Path, path: str) -> None:
    translations = {"Orders waiting for their payer": "等待付款的订单 <&>"}
    settings = SandboxSettings(AGENT, public_key_file)
    app = create_sandbox(settings, translate=lambda text: translations.get(text, text))

    page = app.test_client().get(path).text

    assert '等待付款的订单 &lt;&amp;&gt; <span lang="en">Orders waiting for their payer</span>' in page


def test_a_page_without_translations_is_english(sandbox: Any) -> None:
    assert "<h1>Orders waiting for their payer</h1>" in sandbox.client.get("/pay").text
