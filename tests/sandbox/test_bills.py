"""The bill (8): one line for each payment and refund, a total, two encodings and two delimiters."""

import csv
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from .caller import AGENT

SHANGHAI = timezone(timedelta(hours=8))


def day(sandbox: Any, days: int = 0) -> str:
    return (datetime.fromtimestamp(sandbox.clock(), SHANGHAI) + timedelta(days)).strftime("%Y-%m-%d")


def download(sandbox: Any, **changes: str) -> Any:
    params = {"agent_no": AGENT, "start_date": day(sandbox), "end_date": day(sandbox)} | changes
    return sandbox.client.get("/download_bill", query_string=params, headers=sandbox.caller.headers(params))


def table(text: str, delimiter: str = ",") -> tuple[list[dict[str, str]], list[str]]:
    """The rows by their headers, and the total."""
    header, *rows, total = csv.reader(text.splitlines(), delimiter=delimiter)
    return [dict(zip(header, row, strict=True)) for row in rows], total


def trade(sandbox: Any) -> str:
    """Two payments, one of them refunded in part, and one that nobody pays; the refunded one's number."""
    _, body = sandbox.caller.pay("/order/scan_pay", "W1", product_info='茶, 绿"茶"')
    number = body["data"]["order"]["no"]
    sandbox.caller.refund(order_no=number, refund_amount="30.50", outer_refund_no="R1")
    sandbox.caller.pay("/alipay/scan_pay", "A1", currency="JPY")
    sandbox.caller.pay("/alipay/scanned_pay", "A2")
    return str(number)


def test_a_bill_has_a_line_for_each_payment_and_refund_and_a_total(sandbox: Any) -> None:
    number = trade(sandbox)

    reply = download(sandbox)

    rows, total = table(reply.text)
    by_kind = {(row["商户订单号"], row["交易类型"]): row for row in rows}
    assert (reply.status_code, reply.mimetype) == (200, "text/plain")
    assert by_kind.keys() == {("W1", "支付"), ("W1", "退款"), ("A1", "支付")}
    refund = by_kind["W1", "退款"]
    assert (refund["平台订单号"], refund["商户退款单号"], refund["退款金额"]) == (number, "R1", "30.50")
    assert by_kind["W1", "支付"]["商品描述"] == '茶, 绿"茶"'
    assert total == ["总计", "支付 2 笔", "退款 1 笔", "HKD 支付 100 退款 30.50", "JPY 支付 100 退款 0"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(("named", "delimiter"), [("tab", "\t"), ("comma", ",")])
def test_a_switch_changes_how_a_bill_is_written(sandbox: Any, encoding: str, named: str, delimiter: str) -> None:
    trade(sandbox)

    switched = sandbox.client.post("/control", json={"bill_encoding": encoding, "bill_delimiter": named})

    rows, _ = table(download(sandbox).data.decode(encoding), delimiter)
    assert switched.json["bill_encoding"] == encoding
    assert {row["支付渠道"] for row in rows} == {"微信支付", "支付宝"}


def test_a_wrong_style_is_refused(sandbox: Any) -> None:
    assert sandbox.client.post("/control", json={"bill_encoding": "latin-1"}).status_code == 400
    assert sandbox.client.post("/control", json={"bill_delimiter": []}).status_code == 400


def test_a_bill_holds_its_days_only(sandbox: Any) -> None:
    trade(sandbox)
    first = day(sandbox)
    sandbox.clock.pass_by(86400)

    today, _ = table(download(sandbox).text)
    both, _ = table(download(sandbox, start_date=first.replace("-", "")).text)

    assert (len(today), len(both)) == (0, 3)


@pytest.mark.parametrize(
    ("days", "status"), [((0, 0), 200), ((-92, 0), 200), ((-93, 0), 400), ((-120, -100), 400), ((0, -1), 400)]
)
def test_a_bill_reaches_back_three_months(sandbox: Any, days: tuple[int, int], status: int) -> None:
    reply = download(sandbox, start_date=day(sandbox, days[0]), end_date=day(sandbox, days[1]))

    assert reply.status_code == status


@pytest.mark.parametrize("text", ["2026-13-01", "2026-02-30", "20261", "2026/11/01", "today", "２０２６-11-01"])
def test_what_is_no_date_is_refused(sandbox: Any, text: str) -> None:
    reply = download(sandbox, start_date=text)

    assert (reply.status_code, reply.json["meta"]["message"]) == (400, "start_date is no date")


def test_another_agents_bill_is_refused(sandbox: Any) -> None:
    assert download(sandbox, agent_no="999999").status_code == 403
