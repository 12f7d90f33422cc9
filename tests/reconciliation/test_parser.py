"""Bills of many shapes, typed by hand: the document shows none, so every one of them has to be understood."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customs.reconciliation.columns import AMOUNTS, NUMBERS, SPELLINGS, Field, Kind, read_header
from customs.reconciliation.parser import Line, Reading, read_bill

CHINESE = (
    "对账单\t2026-11-01 至 2026-11-30\n"
    "商户号：M100\n"
    "\n"
    "交易时间\t商户号\t交易类型\t平台订单号\t商户订单号\t平台退款单号\t商户退款单号\t币种\t订单金额(元)\t退款金额\t交易状态\t买家账号\n"
    "2026-11-20 10:00:00\tM100\t支付\tP1\tO1\t\t\t人民币\t¥1,234.50\t\t支付成功\tli***@qq.com\n"
    "2026-11-21 11:00:00\tM100\t退款\tP1\tO1\tG1\tR1\t人民币\t1234.50\t-34.50\t退款成功\tli***@qq.com\n"
    "总计\t支付 1 笔\t退款 1 笔\n"
)
ENGLISH = (
    "trade_time,merchant_no,payment_no,out_order_no,outer_refund_no,currency,amount,refund_amount,status,remark\n"
    '2026-11-20T02:00:00Z,M100,P1,O1,,HKD,"1,234.50",0.00,PAID,"tea, ""green"""\n'
    "2026/11/21 11:00:00,M100,P1,O1,R1,HKD,0.00,34.50,SUCCESS,\n"
)
WECHAT = (
    "﻿交易时间,公众账号ID,商户号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,退款单号,商户退款单号,退款金额,退款状态,商品名称,手续费,费率,订单金额,申请退款金额\r\n"
    "`2026-11-20 10:00:00,`wx1,`M100,`42000,`O1,`oQx43,`JSAPI,`SUCCESS,`CMB,`CNY,`12.00,`0,`0,`0.00,`,`茶,绿茶,`0.07,"
    "`0.60%,`12.00,`0.00\r\n"
    "`2026-11-21 11:00:00,`wx1,`M100,`42000,`O1,`oQx43,`JSAPI,`REFUND,`CMB,`CNY,`0.00,`G1,`R1,`5.00,`SUCCESS,`茶,"
    "`-0.03,`0.60%,`0.00,`5.00\r\n"
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
    "`2,`12.00,`5.00,`0.00,`0.04000,`12.00,`5.00\r\n"
)
SECTIONS = (
    "# payments\n"
    "no;agent_order_id;amount\n"
    "P1;O1;10\n"
    "total;;10\n"
    "# refunds\n"
    "outer_refund_no;refund_no;order_no;refund_amount\n"
    "R1;G1;P1;4\n"
    "total;;;4\n"
)


def values_of(line: Line) -> tuple[str, str | None, str | None, str | None, str | None, Decimal, str | None]:
    return (
        line.kind,
        line.payment_no,
        line.out_order_no,
        line.refund_no,
        line.outer_refund_no,
        line.amount,
        line.currency,
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_chinese_headers_between_tabs_below_title_lines(encoding: str, ending: str) -> None:
    read = read_bill(CHINESE.replace("\n", ending).encode(encoding))

    payment, refund = read.lines
    assert values_of(payment) == (Kind.PAYMENT, "P1", "O1", None, None, Decimal("1234.50"), "CNY")
    assert values_of(refund) == (Kind.REFUND, "P1", "O1", "G1", "R1", Decimal("34.50"), "CNY")
    assert (payment.line, payment.status, payment.time) == (5, "支付成功", datetime(2026, 11, 20, 2, tzinfo=UTC))
    assert payment.others == {"买家账号": "li***@qq.com"}
    assert (read.unknown, read.flaws) == (("买家账号",), [])


def test_english_headers_between_commas_with_quotes() -> None:
    read = read_bill(ENGLISH.encode())

    payment, refund = read.lines
    assert values_of(payment) == (Kind.PAYMENT, "P1", "O1", None, None, Decimal("1234.50"), "HKD")
    assert values_of(refund) == (Kind.REFUND, "P1", "O1", None, "R1", Decimal("34.50"), "HKD")
    assert payment.others == {"remark": 'tea, "green"'}
    assert payment.time == datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_every_delimiter_is_found(delimiter: str) -> None:
    text = "payment_no,out_order_no,amount,tea\nP1,O1,1.50,green\n".replace(",", delimiter)

    (line,) = read_bill(text.encode()).lines

    assert (values_of(line)[:3], line.amount, line.others) == (
        (Kind.PAYMENT, "P1", "O1"),
        Decimal("1.50"),
        {"tea": "green"},
    )


def test_wechats_own_way_with_backticks_and_a_section_of_totals() -> None:
    read = read_bill(WECHAT.encode())

    payment, refund = read.lines
    assert values_of(payment) == (Kind.PAYMENT, None, "O1", None, None, Decimal("12.00"), "CNY")
    assert values_of(refund) == (Kind.REFUND, None, "O1", "G1", "R1", Decimal("5.00"), "CNY")
    assert payment.others["商品名称"] == "茶,绿茶"
    assert (refund.status, read.flaws) == ("SUCCESS", [])
    assert "用户标识" in read.unknown


def test_a_bill_may_have_a_section_for_payments_and_one_for_refunds() -> None:
    read = read_bill(SECTIONS.encode())

    assert [values_of(line)[:5] for line in read.lines] == [
        (Kind.PAYMENT, "P1", "O1", None, None),
        (Kind.REFUND, "P1", None, "G1", "R1"),
    ]
    assert [line.amount for line in read.lines] == [10, 4]
    assert read.flaws == []


def test_lines_that_cannot_be_read_are_reported_and_the_rest_is_read() -> None:
    text = (
        "payment_no,out_order_no,merchant_no,amount\n"
        "P1,O1,M100,abc\n"
        "P2,O2\n"
        ",,M100,5.00\n"
        "P3,O3,M100,\n"
        "2.01806E+27,O4,M100,5.00\n"
        "P5,O5,M100,5.00,green,tea\n"
        f"P6,O6,M100,{'9' * 200_000}\n"
        "P7,O7,M100,7.00\n"
    )

    read = read_bill(text.encode())

    assert [(flaw.line, flaw.why.partition(":")[0]) for flaw in read.flaws] == [
        (2, "amount"),
        (3, "it has 2 cells where the header has 4"),
        (4, "it names no number of an order, payment or refund"),
        (5, "it has no amount"),
        (6, "payment_no"),
        (7, "it has 6 cells where the header has 4"),
        (8, "it is longer than 100,000 characters"),
    ]
    assert [line.payment_no for line in read.lines] == ["P7"]
    assert read.flaws[0].merchant_no == "M100"


def test_a_quote_that_nobody_closed_swallows_nothing() -> None:
    text = 'payment_no,amount,remark\nP1,1.00,"tea\nP2,2.00,5" pot\nP3,3.00,"two\nlines"\nP4,4.00,\n'

    read = read_bill(text.encode())

    assert [(line.line, line.payment_no) for line in read.lines] == [(2, "P1"), (3, "P2"), (4, "P3"), (6, "P4")]
    assert read.lines[2].others == {"remark": "two\nlines"}


def test_one_damaged_byte_costs_its_line_at_most() -> None:
    text = "支付单号,金额,描述\nP1,1.00,茶\nP2,2.00,茶\nP3,3.00,茶\n".encode()
    damaged = text.replace("P2,2.00,茶".encode(), "P2,2.00,茶".encode()[:-1]).replace(b"P3", b"P\xff")

    read = read_bill(damaged)

    assert [line.payment_no for line in read.lines] == ["P1", "P2"]
    assert [(flaw.line, flaw.why) for flaw in read.flaws] == [(4, "支付单号: some of its bytes are no text")]


@pytest.mark.parametrize("content", [b"", b"\r\n \r\n", b"\xef\xbb\xbf\n"])
def test_an_empty_bill_is_a_bill_without_a_line(content: bytes) -> None:
    read = read_bill(content)

    assert (read.lines, read.flaws, read.legible) == ([], [], True)


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><html><body><h1>502, no amount</h1></body></html>",
        b'{"meta": {"success": false}}',
        bytes(range(256)) * 64,
        b"PK\x03\x04" + bytes(4096),
        "没有记录\n".encode(),
        b"amount,tea\n1.00,green\n",
    ],
    ids=["html", "json", "bytes", "zip", "a sentence", "no number"],
)
def test_what_is_no_bill_is_said_to_be_none(content: bytes) -> None:
    read = read_bill(content)

    assert (read.lines, read.legible, len(read.flaws)) == ([], False, 1)


@pytest.mark.parametrize(("field", "word"), [(field, word) for field, words in SPELLINGS.items() for word in words])
def test_every_spelling_is_its_fields(field: Field, word: str) -> None:
    padding = ["out_order_no" if field not in NUMBERS else "amount"]
    padding += ["refund_no", "refund_amount"] if field not in (Field.REFUND_NO, Field.REFUND_AMOUNT) else ["fee"]

    header = read_header([f"`{word.upper()} (元)", *padding] + (["amount"] if field not in AMOUNTS else []))

    assert header is not None
    assert header.places[field] == 0


@given(st.binary(max_size=2000))
def test_no_bytes_are_more_than_it_can_bear(content: bytes) -> None:
    assert isinstance(read_bill(b"payment_no,amount\n" + content), Reading)


def test_a_quote_that_is_never_closed_ends_with_its_line() -> None:
    content = b"payment_no,amount,remark\n" + b'P1,1.00,"tea\n' * 20_000

    assert len(read_bill(content).lines) == 20_000
